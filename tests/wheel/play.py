"""Export README's first wrapper with the package that is installed, and play it: play.py README.md.

For the Python of an environment that has the wheel and nothing of a checkout: no pytest, and no compiler is called.
"""

import re
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

import torch

import neutone_sdk
from neutone_sdk.utils import load_neutone_model

GAIN = 2.0  # README's knob, full scale 4


def check_that_it_is_installed() -> None:
    """Exit unless the package and its native parts come from this environment."""
    from neutone_sdk import _native  # noqa: PLC0415 - comes when used

    site_packages = Path(sysconfig.get_paths()["platlib"]).resolve()
    for file in (neutone_sdk.__file__, _native.__file__, neutone_sdk.ops_library_path()):
        if site_packages not in Path(str(file)).resolve().parents:
            sys.exit(f"{file} is not in {site_packages}: another neutone_sdk comes first")


def exported(readme: Path, folder: Path) -> Path:
    """Run README's first block of Python in a folder, and return the file that it exports."""
    block = re.search(r"^```python\n(.*?)^```$", readme.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    assert block, f"{readme} has no block of Python"
    script = folder / "wrapper.py"
    script.write_text(block[1], encoding="utf-8")
    subprocess.run([sys.executable, "-W", "ignore::DeprecationWarning", script], cwd=folder, check=True)  # noqa: S603
    (file,) = folder.glob("exports/*/model.nm")
    return file


def check_what_it_plays(file: Path) -> None:
    """Exit unless the model plays its input, times the gain, as late as it says."""
    model, metadata = load_neutone_model(file)
    model.set_daw_sample_rate_and_buffer_size(48_000, 512)
    late = model.calc_buffering_delay_samples() + model.calc_model_delay_samples()
    audio = torch.randn(2, 4096, generator=torch.Generator().manual_seed(0)).clamp(-1, 1) / GAIN
    knobs = torch.full((4, 512), GAIN / 4)
    with torch.no_grad():
        played = torch.cat([model(block, knobs) for block in audio.split(512, dim=1)], dim=1)
    torch.testing.assert_close(played[:, late:], GAIN * audio[:, : 4096 - late])
    print(f"{metadata['model_name']}: {late} samples late, as declared, on torch {torch.__version__}")


def check_the_command(file: Path) -> None:
    """Exit unless ``neutone render`` writes what a player can read."""
    from neutone_sdk.audio import AudioSample, get_default_audio_samples  # noqa: PLC0415 - not before it is installed

    sample = get_default_audio_samples()[0]
    sample.to_file(file.with_name("in.wav"))
    command = Path(sysconfig.get_path("scripts")) / "neutone"
    subprocess.run([command, "info", file], check=True, stdout=subprocess.DEVNULL)  # noqa: S603
    subprocess.run([command, "render", file, file.with_name("in.wav"), file.with_name("out.wav")], check=True)  # noqa: S603
    assert AudioSample.from_file(file.with_name("out.wav")).audio.abs().max() > 0


def main() -> None:
    """Do all of it in a folder that goes away."""
    torch.set_num_threads(1)
    check_that_it_is_installed()
    with tempfile.TemporaryDirectory() as folder:
        file = exported(Path(sys.argv[1]).resolve(), Path(folder))
        check_what_it_plays(file)
        check_the_command(file)


if __name__ == "__main__":
    main()
