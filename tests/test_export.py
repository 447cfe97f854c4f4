"""Saving and loading: what is written, what is compared, and what happens when something goes wrong."""

import io
import json
import os
import signal
import subprocess
import sys
import time
import warnings
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from neutone_sdk import SampleQueueWrapper, __version__
from neutone_sdk.archive import read_metadata
from neutone_sdk.checks import CHECKS
from neutone_sdk.errors import ExportError, InvalidArgumentError, InvalidFileError, InvalidTypeError
from neutone_sdk.files import write_atomically
from neutone_sdk.scripting import without_deprecation
from neutone_sdk.utils import load_neutone_model, model_to_torchscript, save_neutone_model

from .conftest import Noise
from .wrappers import GAIN, PassThrough, Stamped, card


def stamped() -> Stamped:
    return Stamped(nn.Identity(), card=card(native_buffer_sizes=[64], parameters=[GAIN]))


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    save_neutone_model(stamped(), tmp_path, max_n_samples=0)
    return tmp_path / "model.nm"


def test_the_file_and_its_metadata_are_written_alike(saved: Path) -> None:
    extra_files = {"metadata.json": ""}
    torch.jit.load(saved, _extra_files=extra_files)
    beside = json.loads((saved.parent / "metadata.json").read_text())
    assert json.loads(extra_files["metadata.json"]) == beside == read_metadata(saved)
    assert beside["flavour"] == "native"
    assert beside["required_ops"] == {"neutone": __version__}
    assert beside["sample_sound_files"] == []
    assert sorted(path.name for path in saved.parent.iterdir()) == ["metadata.json", "model.nm"]


@pytest.mark.parametrize("options", [{}, {"freeze": True}, {"optimize": True}])
def test_what_is_loaded_plays_like_what_was_saved(tmp_path: Path, noise: Noise, options: dict[str, Any]) -> None:
    save_neutone_model(stamped(), tmp_path, max_n_samples=0, **options)
    model, metadata = load_neutone_model(tmp_path / "model.nm")
    in_memory = SampleQueueWrapper(stamped(), daw_bs=50)
    model.set_daw_sample_rate_and_buffer_size(48_000, 50)
    audio, params = noise(2, 500, 0), noise(4, 500, 1).abs()

    played, expected = (
        torch.cat([m(x, p) for x, p in zip(audio.split(50, 1), params.split(50, 1), strict=True)], dim=1)
        for m in (model, in_memory)
    )

    torch.testing.assert_close(played, expected, rtol=0, atol=0)
    assert metadata["model_name"] == "test"


def test_nobody_is_warned_and_the_models_own_state_stays(tmp_path: Path) -> None:
    model = nn.Linear(1, 1)
    generator_state = torch.get_rng_state()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        save_neutone_model(PassThrough(model, card=card()), tmp_path)
        loaded, _ = load_neutone_model(tmp_path / "model.nm")
    assert all(parameter.requires_grad for parameter in model.parameters())
    assert not any(parameter.requires_grad for parameter in loaded.parameters())
    assert torch.equal(torch.get_rng_state(), generator_state)


def test_a_script_is_made_of_a_wrapper_too(noise: Noise) -> None:
    x = noise(2, 64, 0)
    wrapper = stamped()
    torch.testing.assert_close(model_to_torchscript(wrapper)(x), wrapper(x), rtol=0, atol=0)


def test_without_samples_there_is_no_folder_for_them(tmp_path: Path) -> None:
    save_neutone_model(stamped(), tmp_path, dump_samples=True, max_n_samples=0)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["metadata.json", "model.nm"]


class Keeps(PassThrough):
    """Has state, but no reset: many models of 1.x do."""

    def __init__(self) -> None:
        super().__init__(nn.Identity(), card=card())
        self.last: Tensor
        self.register_buffer("last", torch.zeros(2, 1))

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        late = torch.cat([self.last, x[:, :-1]], dim=1)
        self.last.copy_(x[:, -1:])
        return 0.5 * (x + late)


class KeepsInSpiteOfAReset(Keeps):
    def reset_model(self) -> bool:
        return True


class FailsTwice(KeepsInSpiteOfAReset):
    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        late = torch.cat([self.last, x[:, :-1]], dim=1)
        self.last.copy_(x[:, -1:])
        return 0.5 * (x + late) + 0.01


@pytest.mark.parametrize("submission", [False, True])
def test_a_model_without_reset_is_saved_with_a_warning(tmp_path: Path, submission: bool) -> None:
    with pytest.warns(UserWarning, match=r"after reset\(\) play the same audio differently"):
        save_neutone_model(Keeps(), tmp_path, submission=submission, max_n_samples=0)
    assert (tmp_path / "model.nm").is_file()


def test_a_reset_that_leaves_state_behind_is_a_warning_and_no_submission(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match=r"after reset\(\) play the same audio differently"):
        save_neutone_model(KeepsInSpiteOfAReset(), tmp_path / "saved", max_n_samples=0)
    assert (tmp_path / "saved" / "model.nm").is_file()
    with pytest.raises(ExportError, match=r"after reset\(\) play the same audio differently"):
        save_neutone_model(KeepsInSpiteOfAReset(), tmp_path / "submitted", submission=True, max_n_samples=0)
    assert not (tmp_path / "submitted").exists()


def test_a_submission_lists_every_failed_check_and_shows_all(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ExportError) as caught:
        save_neutone_model(FailsTwice(), tmp_path / "submitted", submission=True, max_n_samples=0)
    first, *failures = str(caught.value).splitlines()
    assert first == "the model is not fit for a submission; what failed:"
    assert [failure.partition(":")[0] for failure in failures] == ["- reset", "- clean-output"]
    assert not (tmp_path / "submitted").exists()
    out, err = capfd.readouterr()
    assert out == ""
    assert all(check.name in err for check in CHECKS)


def test_a_good_submission_is_written_and_any_other_export_prints_nothing(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    save_neutone_model(stamped(), tmp_path / "plain", max_n_samples=0)
    assert capfd.readouterr() == ("", "")
    save_neutone_model(
        PassThrough(nn.Identity(), card=card()), tmp_path / "submitted", submission=True, max_n_samples=0
    )
    assert (tmp_path / "submitted" / "model.nm").is_file()
    assert "failed" not in capfd.readouterr().err


def test_what_is_no_reason_to_refuse_a_file_is_not_looked_for(tmp_path: Path) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        save_neutone_model(FailsTwice(), tmp_path, max_n_samples=0)
    assert [str(warning.message).partition(" play")[0] for warning in caught] == [
        "the exported file and the same file after reset()"
    ]
    assert [warning.filename for warning in caught] == [__file__]


class GivesUpInTheEnd(PassThrough):
    """Plays 17 blocks: what comes in, but not what offline rendering needs besides to take out the delay."""

    def __init__(self) -> None:
        super().__init__(nn.Identity(), card=card(delay_samples=5))
        self.n_blocks = 0

    def reset_model(self) -> bool:
        self.n_blocks = 0
        return True

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        self.n_blocks += 1
        if self.n_blocks > 17:
            raise ValueError("enough")
        return x


def test_offline_rendering_is_compared_unless_it_is_not_wanted(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="offline: forward_offline fails: enough"):
        save_neutone_model(GivesUpInTheEnd(), tmp_path / "compared", speed_benchmark=False, max_n_samples=0)
    save_neutone_model(
        GivesUpInTheEnd(), tmp_path / "not", test_offline_mode=False, speed_benchmark=False, max_n_samples=0
    )
    assert (tmp_path / "not" / "model.nm").is_file()


@pytest.mark.parametrize("speed_benchmark", [True, False])
def test_a_model_that_will_never_keep_up_is_warned_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, speed_benchmark: bool
) -> None:
    ticks = iter(range(0, 10**12, 30_000_000))
    monkeypatch.setattr(time, "thread_time_ns", lambda: next(ticks))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        save_neutone_model(stamped(), tmp_path, speed_benchmark=speed_benchmark, max_n_samples=0)
    said = [str(warning.message).partition(";")[0] for warning in caught]
    assert said == ["0.356 times real time"] * speed_benchmark


def test_a_delay_longer_than_what_is_compared_is_no_obstacle(tmp_path: Path) -> None:
    save_neutone_model(PassThrough(nn.Identity(), card=card(delay_samples=100_000)), tmp_path, max_n_samples=0)
    model, _ = load_neutone_model(tmp_path / "model.nm")
    assert model.calc_model_delay_samples() == 100_000


class DiffersWhenScripted(PassThrough):
    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        if torch.jit.is_scripting():  # type: ignore[attr-defined]
            return 0.5 * x
        return x


class FailsWhenPlayed(PassThrough):
    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        if torch.jit.is_scripting():  # type: ignore[attr-defined]
            raise ValueError("not today")
        return x


class ClaimsToBeEarly(PassThrough):
    def calc_model_delay_samples(self) -> int:
        return -1


@pytest.mark.parametrize(
    ("wrapper", "message"),
    [
        (DiffersWhenScripted(nn.Identity(), card=card()), "in memory and the exported file play .* differently"),
        (FailsWhenPlayed(nn.Identity(), card=card()), "fails on a drum loop, the model in memory does not: not today"),
    ],
)
def test_a_file_that_plays_something_else_is_not_written(tmp_path: Path, wrapper: PassThrough, message: str) -> None:
    with pytest.raises(ExportError, match=message):
        save_neutone_model(wrapper, tmp_path / "new" / "folder")
    assert list(tmp_path.iterdir()) == []


def test_a_model_that_claims_to_be_early_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgumentError, match=r"calc_model_delay_samples\(\) must return at least 0, got -1"):
        save_neutone_model(ClaimsToBeEarly(nn.Identity(), card=card()), tmp_path / "new" / "folder")
    assert list(tmp_path.iterdir()) == []


def test_if_the_model_cannot_be_replaced_the_metadata_stays_too(tmp_path: Path) -> None:
    save_neutone_model(stamped(), tmp_path, max_n_samples=0)
    before = (tmp_path / "metadata.json").read_bytes()
    (tmp_path / "model.nm").unlink()
    (tmp_path / "model.nm").mkdir()
    with pytest.raises(ExportError, match=r"cannot write .*model\.nm: there is a folder of that name"):
        save_neutone_model(PassThrough(nn.Identity(), card=card(name="other")), tmp_path, max_n_samples=0)
    assert (tmp_path / "metadata.json").read_bytes() == before


def test_only_wrappers_are_saved(tmp_path: Path) -> None:
    with pytest.raises(InvalidTypeError, match="must be a WaveformToWaveformBase, got Identity; wrap it first"):
        save_neutone_model(nn.Identity(), tmp_path)  # type: ignore[arg-type]


def test_a_failed_save_leaves_the_old_file(saved: Path) -> None:
    before = saved.read_bytes()
    with pytest.raises(ExportError):
        save_neutone_model(DiffersWhenScripted(nn.Identity(), card=card()), saved.parent, max_n_samples=0)
    assert saved.read_bytes() == before


def test_a_folder_in_the_way_of_the_file_is_said_and_nothing_is_left(tmp_path: Path) -> None:
    (tmp_path / "model.nm" / "something").mkdir(parents=True)
    with pytest.raises(ExportError, match=r"cannot write .*model\.nm"):
        save_neutone_model(stamped(), tmp_path, max_n_samples=0)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


WRITER = """
import sys
from pathlib import Path
from neutone_sdk.files import write_atomically
contents = [bytes([65 + i]) * 20_000_000 for i in range(4)]
print("ready", flush=True)
while True:
    for content in contents:
        write_atomically({Path(sys.argv[1]): content})
"""


@pytest.mark.parametrize("delay_ms", [1, 13, 40, 90])
def test_killed_while_writing_the_file_is_the_old_one_or_the_new_one(tmp_path: Path, delay_ms: int) -> None:
    path = tmp_path / "model.nm"
    path.write_bytes(b"A" * 20_000_000)
    process = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE)  # noqa: S603
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    time.sleep(delay_ms / 1e3)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    content = path.read_bytes()
    assert len(content) == 20_000_000
    assert content == content[:1] * len(content)


def test_written_files_are_as_readable_as_others(tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    write_atomically({tmp_path / "atomic": b"content"})
    assert (tmp_path / "atomic").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_metadata_is_read_without_torch_looking_at_the_file(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.jit, "load", None)
    monkeypatch.setattr(torch, "load", None)
    assert read_metadata(saved)["model_name"] == "test"


@pytest.mark.parametrize("kept", [0, 1, 100, 0.25, 0.5, 0.9, 0.999])
def test_a_truncated_file_is_refused(saved: Path, kept: float) -> None:
    content = saved.read_bytes()
    saved.write_bytes(content[: int(kept * len(content)) if kept < 1 else int(kept)])
    with pytest.raises(InvalidFileError, match="is not a model"):
        load_neutone_model(saved)


def zipped(*members: tuple[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members:
            archive.writestr(name, content)
    return buffer.getvalue()


def scripted_identity() -> bytes:
    buffer = io.BytesIO()
    with without_deprecation():
        torch.jit.save(torch.jit.script(nn.Identity()), buffer, _extra_files={"metadata.json": "{}"})
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"RIFF a sound, not a model", "is not a model"),
        (zipped(("notes.txt", b"hello")), "a zip file, but no model"),
        (zipped(("model/constants.pkl", b"")), "TorchScript file without metadata"),
        (zipped(("model/extra/metadata.json", b"{")), "metadata.json is not JSON"),
        (zipped(("model/extra/metadata.json", b"[1]")), "must hold an object, got list"),
        (zipped(("model/extra/metadata.json", b"\xff\xfe\x00")), "metadata.json is not JSON"),
        (zipped(("model/extra/metadata.json", b"{}")), "cannot be loaded"),
        (scripted_identity(), "TorchScript module, but no model for a host: it has no reset"),
        (zipped(("model/extra/metadata.json", b"[" * 100_000)), "metadata.json is not JSON"),
    ],
)
def test_a_file_that_is_no_model_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "model.nm"
    path.write_bytes(content)
    with pytest.raises(InvalidFileError, match=message):
        load_neutone_model(path)


@pytest.mark.parametrize("name", ["missing.nm", "."])
def test_a_path_without_a_file_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidFileError, match="is not a file"):
        load_neutone_model(tmp_path / name)
