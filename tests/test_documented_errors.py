"""Every block of the docs that is there to fail does, with the message beside it."""

import builtins
import math
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
from torch import nn

from neutone_sdk import errors
from neutone_sdk.checks import speed, subject
from neutone_sdk.cli import main
from neutone_sdk.utils import save_neutone_model

from .documents import Block, all_blocks, blocks_of, run, says
from .wrappers import PassThrough, card

FAILING = [pytest.param(block, id=f"{block.name}-{block.failure}") for block in all_blocks() if block.failure]


@pytest.mark.parametrize("block", FAILING)
def test_a_failure_says_what_the_page_says(
    block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    actual = failure_of(block, tmp_path, monkeypatch, capfd).replace(f"{tmp_path}/", "")
    assert says(block.message, actual), f"{block.name} says\n{actual}\nand the page\n{block.message}"


def failure_of(block: Block, folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> str:
    """Return what a block says when it fails."""
    warnings.simplefilter("ignore", FutureWarning)  # torch's, of what it still has and people still use
    how, _, what = block.failure.removeprefix("# ").partition(": ")
    if how == "fails":
        with pytest.raises(kind_of(what)) as caught:
            run(block, folder, monkeypatch)
        return str(caught.value)
    if how == "fails in a new process":
        return last_words(block, folder, what)
    if how == "fails neutone check":
        run(block, folder, monkeypatch)
        return output_of_check(what, monkeypatch, capfd)
    assert how == "warns"
    if "times real time" in block.message:
        find_all_slow(monkeypatch)
    with warnings.catch_warnings(record=True) as caught_warnings:
        warnings.simplefilter("always", UserWarning)
        run(block, folder, monkeypatch)
    (message,) = {str(warning.message) for warning in caught_warnings}
    return message


def kind_of(name: str) -> type[Exception]:
    kind = getattr(errors, name, None) or getattr(builtins, name)
    assert issubclass(kind, Exception)
    return kind


def last_words(block: Block, folder: Path, kind: str) -> str:
    """Return the error that ends a process of its own, which finds the file that README exports."""
    save_neutone_model(PassThrough(nn.Identity(), card=card()), folder / "exports" / "gain", max_n_samples=0)
    command = [sys.executable, "-W", "ignore", "-c", block.code]
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603
    assert result.returncode == 1
    return result.stderr.rpartition(f"\n{kind}: ")[2]


def output_of_check(name: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> str:
    monkeypatch.setattr(sys, "argv", ["neutone", "check", "exports/example/model.nm", "--only", name])
    capfd.readouterr()
    with pytest.raises(SystemExit):
        main()
    return capfd.readouterr().out


def find_all_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine must not decide what is slow, nor a slow model how long this takes."""
    monkeypatch.setattr(speed, "MIN_FACTOR_AT_EXPORT", math.inf)
    monkeypatch.setattr(subject, "_MIN_BLOCKS", 1)
    monkeypatch.setattr(subject, "_MIN_LOOP_SAMPLES", 1)


def test_there_are_failures_to_show() -> None:
    assert len(FAILING) >= 20


PAGE = """
```python
# before each block below
limit = 3
```
```python
# fails: ValueError
raise ValueError(f"at most {limit}")
```
```text
at most
3
```
```python
print(limit)
```
"""


def test_a_page_is_taken_apart() -> None:
    first, second, third = blocks_of("page", PAGE)
    assert (first.prelude, first.failure) == ("", "")
    assert (second.prelude, second.failure, second.message) == (first.code, "# fails: ValueError", "at most\n3\n")
    assert (third.prelude, third.code, third.failure) == (first.code, "print(limit)\n", "")


@pytest.mark.parametrize(
    ("documented", "message", "expected"),
    [
        ("at most\n3", "at most 3", True),
        ("at ... 3", "at most 3", True),
        ("at most 3", "at most 4", False),
        ("at most 3", "at most 30", False),
        ("", "at most 3", False),
        ("", "", False),
    ],
)
def test_another_message_is_noticed(documented: str, message: str, expected: bool) -> None:
    assert says(documented, message) is expected
