"""Models in the C++ host: those that fail, what getting ready does to them, and many of them one after the other."""

import gzip
import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from torch import nn

from .native_host import RawModel, RawScript, SmallModel, probe, saved, written
from .wrappers import PassThrough, card, export_quickly

WANTED = r"must return float32 audio of shape \(2, 64\), got "
TRICKS = {
    "raises": "too loud",
    "none": WANTED + "None",
    "short": WANTED + r"Float of shape \[2, 63\] on cpu",
    "mono": WANTED + r"Float of shape \[1, 64\] on cpu",
    "one dimension": WANTED + r"Float of shape \[64\] on cpu",
    "float64": WANTED + r"Double of shape \[2, 64\] on cpu",
    "float16": WANTED + r"Half of shape \[2, 64\] on cpu",
    "meta": WANTED + r"Float of shape \[2, 64\] on meta",
    "sparse": WANTED + r"Float of shape \[2, 64\] on cpu, not dense",
    "index": r"index 7 out of range for tensor of size \[2, 64\] at dimension 0",
}


def raw(trick: str) -> bytes:
    return saved(RawScript(RawModel(trick)))


def test_a_model_that_cannot_be_set_up_says_why(tmp_path: Path) -> None:
    refuses, negative = probe("open", *written(map(raw, ["refuses", "negative delay"]), tmp_path))

    assert "ModelError: not at 48000 Hz" in refuses
    assert "ModelError: calc_model_delay_samples() must return a whole number of at least 0" in negative


def test_a_model_that_fails_says_why_in_every_block(tmp_path: Path) -> None:
    lines = iter(probe("blocks", 2, *written(map(raw, TRICKS), tmp_path)))

    for message in TRICKS.values():
        for said in ("block: ModelError: ", "block: ModelError: ", "after reset: ModelError: ", "last error: "):
            assert re.search(f"^{said}.*{message}", next(lines))
    assert list(lines) == []


def test_a_model_may_return_any_strides_and_write_into_what_it_gets(tmp_path: Path) -> None:
    lines = probe("blocks", 2, *written(map(raw, ["", "transposed", "scribbles"]), tmp_path))

    assert lines == 3 * ["block: 0.5", "block: 0.5", "after reset: 0.5", "last error: "]


def test_a_reset_forgets(tmp_path: Path) -> None:
    """The running mean of the file's right channel, and its look-behind."""
    path = tmp_path / "model.nm"
    path.write_bytes(gzip.decompress((Path(__file__).parent / "data" / "model_1x.nm.gz").read_bytes()))

    first, second, _, after_reset, _ = probe("blocks", 3, path)

    assert first.replace("block", "after reset") == after_reset
    assert second != first


def test_warming_up_leaves_no_trace(tmp_path: Path) -> None:
    """In a model that counts its blocks and cannot be reset."""
    lines = probe("blocks", 2, *written([raw("counts")], tmp_path))

    assert lines == ["block: 1", "block: 2", "after reset: 3", "last error: "]


def test_a_model_that_is_set_up_again_has_forgotten_all_audio(tmp_path: Path) -> None:
    assert probe("again", *written([raw("counts anew")], tmp_path)) == ["1", "1"]


def test_getting_ready_plays_blocks(tmp_path: Path) -> None:
    """Torch optimises in the first two: none of those that are heard is one of them."""
    *warmed_up, last = probe("open", *written([raw("prints")], tmp_path))

    assert warmed_up == 4 * ["a block of 64"]
    assert last.endswith(": good")


def test_a_model_runs_in_inference_mode(tmp_path: Path) -> None:
    lines = probe("blocks", 1, *written([raw("asks")], tmp_path))

    assert lines == ["block: 1", "after reset: 1", "last error: "]


def test_a_model_runs_on_one_thread(tmp_path: Path) -> None:
    """However much it has to do: blocks are too short for threads that wait for each other."""
    assert probe("threads", *written([raw("multiplies")], tmp_path)) == ["1"]


def growth_kib(resident_kib: Sequence[int]) -> int:
    """Return by how much memory grew behind the first tenth of all rounds; what is freed is not always gone at once."""
    tenth = len(resident_kib) // 10
    return min(resident_kib[-tenth:]) - min(resident_kib[:tenth])


# Opening takes torch 4 ms for the one, 70 ms for the other.
@pytest.mark.parametrize(("is_small", "count"), [(True, 1_000), (False, 40)], ids=["small", "native"])
def test_models_come_and_go_without_a_trace(is_small: bool, count: int, tmp_path: Path) -> None:
    # At most, of each: torch keeps names of types, 2.6 KiB a native model and next to nothing of a small one; the heap
    # grows by some hundred KiB all told, in 40 rounds as in 120. A model has some hundred KiB, an engine as many.
    kept_kib, heap_kib = 1 if is_small else 4, 512
    if is_small:
        (model,) = written([saved(RawScript(SmallModel()))], tmp_path)
    else:
        model = export_quickly(tmp_path, PassThrough(nn.Identity(), card=card(native_buffer_sizes=[64])))

    lines = probe("reload", model, count)

    assert len(lines) == count
    assert growth_kib([int(line) for line in lines]) < heap_kib + count * kept_kib
