"""``python -m neutone_sdk`` is ``neutone``."""

from neutone_sdk.cli import main

if __name__ == "__main__":
    main()
