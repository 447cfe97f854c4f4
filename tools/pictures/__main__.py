"""Draw all pictures."""

from pathlib import Path

from tools.pictures import PICTURES

for name, draw in PICTURES.items():
    (Path(__file__).parents[2] / "docs" / "pictures" / name).write_text(draw(), encoding="utf-8")
