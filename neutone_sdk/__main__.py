"""``python -m neutone_sdk`` is ``neutone``, and says where parts of the package lie: see `_places`."""

from neutone_sdk.cli import main

if __name__ == "__main__":
    main()
