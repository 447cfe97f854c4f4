"""Export all examples here, in both flavours, and compare what another Python's torch plays: PYTHON of that torch."""

import subprocess
import sys
import tempfile
from pathlib import Path

import torch

from neutone_sdk import ops_library_path
from neutone_sdk.audio import get_default_audio_samples
from neutone_sdk.portable.linker import to_portable
from tests import bare_player

EXAMPLES = sorted((Path(__file__).parents[1] / "examples").glob("example_*.py"))
# Portable files add in another order; the operators are the same binary.
ALLOWED = {"native": 0.0, "portable": 1e-6}


def largest_difference(python: str, model: Path, expected: list[torch.Tensor], *libraries: str) -> float:
    """Return by how much the other torch plays a model differently."""
    folder = model.parent
    files = [str(model), str(folder / "in.pt"), str(folder / "out.pt"), *libraries]
    subprocess.run([python, bare_player.__file__, *files], check=True)  # noqa: S603
    played = torch.load(folder / "out.pt")
    return max(float((one - other).abs().max()) for one, other in zip(played, expected, strict=True))


def main() -> None:
    """Print a table; exit with 1 if something differs."""
    torch.set_num_threads(1)
    python = sys.argv[1]
    version = subprocess.run([python, "-c", "import torch; print(torch.__version__)"], check=True, capture_output=True)  # noqa: S603
    print(f"made with torch {torch.__version__}, played with {version.stdout.decode().strip()}: largest difference")
    is_good = True
    audio = get_default_audio_samples()[1].audio[:, :9000]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        torch.save(audio, folder / "in.pt")
        for example in EXAMPLES:
            subprocess.run([sys.executable, "-W", "ignore", example, "-o", folder], check=True, capture_output=True)  # noqa: S603
            native, portable = folder / "model.nm", folder / "portable.nm"
            torch.jit.save(to_portable(native.read_bytes()), portable)
            expected = bare_player.play(str(native), audio)
            differences = {
                "native": largest_difference(python, native, expected, str(ops_library_path())),
                "portable": largest_difference(python, portable, expected),
            }
            print(f"{example.stem:>32}  " + "  ".join(f"{flavour} {by:.1e}" for flavour, by in differences.items()))
            is_good &= all(by <= ALLOWED[flavour] for flavour, by in differences.items())
    sys.exit(not is_good)


if __name__ == "__main__":
    main()
