"""Leaves one compile command for each file: ``python -m tools.first_commands compile_commands.json``.

What several targets compile, clang-tidy would look at as often.
"""

import json
import sys
from pathlib import Path


def main(database: Path) -> None:
    """Keep the first command of each file."""
    commands = json.loads(database.read_text(encoding="utf-8"))
    first = {command["file"]: command for command in reversed(commands)}
    database.write_text(json.dumps([*first.values()], indent=1), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
