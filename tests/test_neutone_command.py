"""The command ``neutone`` answers at once what needs no torch."""

import subprocess
import sys

import pytest
from click.testing import CliRunner

import neutone_command
from neutone_sdk.cli.main import commands

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
