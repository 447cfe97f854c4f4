"""The command ``neutone`` answers at once what needs no torch."""

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from torch import nn

import neutone_command
from neutone_sdk.cli.main import commands

from .wrappers import PassThrough, card, export_quickly

HEAVY = ("torch", "numpy", "neutone_sdk")


@pytest.mark.parametrize("argument", ["--help", "-h", "--version", "nonsense", "--nonsense"])
def test_the_outline_says_what_the_commands_say(argument: str) -> None:
    outline, whole = (
        CliRunner().invoke(group, [argument], prog_name="neutone") for group in (neutone_command.outline, commands)
    )
    assert (outline.exit_code, outline.output) == (whole.exit_code, whole.output)


@pytest.mark.parametrize("argument", ["--help", "--version"])
def test_help_imports_nothing_heavy(argument: str) -> None:
    code = (
        "import sys, atexit, neutone_command\n"
        f"atexit.register(lambda: print([name for name in {HEAVY} if name in sys.modules], file=sys.stderr))\n"
        f"sys.argv = ['neutone', {argument!r}]\n"
        "neutone_command.main()"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)  # noqa: S603
    assert (result.returncode, result.stderr) == (0, "[]\n")
    assert "neutone" in result.stdout


def test_a_command_is_run_by_the_package(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["neutone", "info", "missing.nm"])
    with pytest.raises(SystemExit) as caught:
        neutone_command.main()
    assert caught.value.code == 1
    assert capsys.readouterr().err.startswith("Error: missing.nm is not a file")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has a device that is always full")
@pytest.mark.parametrize("arguments", [("--help",), ("info", "model.nm", "--json")])
def test_a_full_disk_is_a_line(arguments: tuple[str, ...], tmp_path: Path) -> None:
    export_quickly(tmp_path, PassThrough(nn.Identity(), card=card()))
    code = "import sys, neutone_command\nsys.argv[0] = 'neutone'\nneutone_command.main()"
    with Path("/dev/full").open("w") as full:
        result = subprocess.run(  # noqa: S603
            [sys.executable, "-c", code, *arguments],
            stdout=full, stderr=subprocess.PIPE, text=True, check=False, cwd=tmp_path,
        )  # fmt: skip
    assert (result.returncode, result.stderr) == (
        1, "Error: cannot write what there is to say: No space left on device\n",
    )  # fmt: skip


def test_an_interrupted_import_is_a_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(neutone_command, "_run", interrupt)
    with pytest.raises(SystemExit) as caught:
        neutone_command.main()
    assert caught.value.code == 1
    assert capsys.readouterr().err == "Aborted!\n"


def test_a_fault_of_ours_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        Path("not there").read_bytes()

    monkeypatch.setattr(neutone_command, "_run", fail)
    with pytest.raises(FileNotFoundError):
        neutone_command.main()
