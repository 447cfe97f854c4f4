"""The separator separates, loses nothing, and moves its knobs with the audio; with layers of its own and of demucs.

demucs is one of the requirements of the tests: only where its wheels cannot be installed its cases are left out.
"""

import importlib.util
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from neutone_sdk import resample
from neutone_sdk.audio import get_default_audio_samples
from neutone_sdk.rendering import knobs, render
from neutone_sdk.utils import load_neutone_model

from .conftest import RunOfExample
from .example_runs import run

EXAMPLE = Path(__file__).parents[1] / "examples" / "example_demucs.py"
RATE_HZ = 44_100
CHUNK, HOP = 16_384, 8_192
STEPS = 100  # of training: half of what the example does, for the sake of time
LEAST_GAIN_DB = 4.0  # 200 steps reach 8, these 100 about 6
ROUNDING = 1e-6  # of float32: drums and rest are added up again

needs_demucs = pytest.mark.skipif(
    importlib.util.find_spec("demucs") is None, reason="demucs is not installed: pip install 'demucs>=4.1'"
)


@pytest.fixture(scope="module", params=["own", pytest.param("demucs", marks=needs_demucs)])
def exported(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, run_of_example: RunOfExample
) -> Any:
    """Return a model, its metadata, and what the example printed."""
    if request.param == "demucs":  # what it does by itself where there is demucs
        file, printed = run_of_example(EXAMPLE)
        return *load_neutone_model(file), printed
    folder = tmp_path_factory.mktemp(request.param)
    printed = run(EXAMPLE, "--layers", request.param, "--steps", STEPS, "-o", folder, folder=folder)
    return *load_neutone_model(folder / "model.nm"), printed


def never_trained_on() -> tuple[Tensor, Tensor]:
    """Return drums, and a pad with a string: the first second of each."""
    string, drums, pad = (
        resample(clip.audio, clip.sr, RATE_HZ).expand(2, -1)[:, :RATE_HZ] for clip in get_default_audio_samples()
    )
    return drums, 0.7 * (string + pad)


def played(exported: Any, audio: Tensor, drums_db: int, rest_db: int) -> Tensor:
    model, metadata, _ = exported
    return render(model, audio, knobs(metadata, {"drums": str(drums_db), "rest": str(rest_db)}), sample_rate_hz=RATE_HZ)


def si_sdr_db(estimate: Tensor, target: Tensor) -> float:
    target = target.flatten() / target.norm()
    aimed = (estimate.flatten() @ target) * target
    return float(20.0 * torch.log10(aimed.norm() / (estimate.flatten() - aimed).norm()))


def test_drums_and_rest_are_cleaner_than_the_mix(exported: Any) -> None:
    drums, rest = never_trained_on()
    mix = drums + rest

    found_drums, found_rest = played(exported, mix, 0, -60), played(exported, mix, -60, 0)

    assert si_sdr_db(found_drums, drums) > si_sdr_db(mix, drums) + LEAST_GAIN_DB
    assert si_sdr_db(found_rest, rest) > si_sdr_db(mix, rest) + LEAST_GAIN_DB


def test_what_is_printed_is_what_is_heard(exported: Any) -> None:
    drums, rest = never_trained_on()
    heard = si_sdr_db(played(exported, drums + rest, 0, -60), drums)

    (line,) = (line for line in exported[2].splitlines() if line.startswith("SI-SDR of the drums"))
    printed = float(line.split()[-3])

    assert heard == pytest.approx(printed, abs=1.0)  # other chunks, and 60 dB are not everything


def test_both_at_0_db_are_the_mix(exported: Any) -> None:
    mix = sum(never_trained_on(), torch.zeros(2, RATE_HZ))
    torch.testing.assert_close(played(exported, mix, 0, 0), mix, rtol=0, atol=ROUNDING)


def test_silence_stays_silent(exported: Any) -> None:
    silence = torch.zeros(2, RATE_HZ)
    torch.testing.assert_close(played(exported, silence, 12, 12), silence, rtol=0, atol=0)


def test_quiet_music_separates_as_loud_music_does(exported: Any) -> None:
    drums, rest = never_trained_on()
    loud, quiet = (played(exported, level * (drums + rest), 0, -60) / level for level in (1.0, 0.1))
    assert si_sdr_db(quiet, loud) > 40.0  # what keeps silence from a division by 0 makes a little difference


def test_the_delay_is_a_chunk_less_a_block_of_the_host(exported: Any) -> None:
    model, _, printed = exported
    model.set_daw_sample_rate_and_buffer_size(RATE_HZ, 512)
    assert (model.calc_model_delay_samples(), model.calc_buffering_delay_samples()) == (CHUNK - HOP, HOP - 512)
    assert f"delay: {CHUNK - HOP} samples at {RATE_HZ} Hz" in printed


def test_knobs_move_with_the_audio_that_they_came_with(exported: Any) -> None:
    mix = sum(never_trained_on(), torch.zeros(2, RATE_HZ))
    model, metadata, _ = exported
    at_0_db, at_minus_60_db = (knobs(metadata, {"drums": db, "rest": db}) for db in ("0", "-60"))
    turned_at = 2 * HOP
    curves = torch.cat([at_0_db.expand(4, turned_at), at_minus_60_db.expand(4, RATE_HZ - turned_at)], dim=1)

    model.set_daw_sample_rate_and_buffer_size(RATE_HZ, HOP)
    heard = model.forward_offline(mix, curves)

    torch.testing.assert_close(heard[:, :turned_at], mix[:, :turned_at], rtol=0, atol=ROUNDING)
    settled = turned_at + 2 * HOP  # many times the 20 ms of smoothing
    torch.testing.assert_close(heard[:, settled:], 0.001 * mix[:, settled:], rtol=0, atol=ROUNDING)


@needs_demucs
def test_the_layers_are_used_as_demucs_uses_them_and_our_own_are_the_same() -> None:
    specification = importlib.util.spec_from_file_location("example_demucs", EXAMPLE)
    assert specification is not None
    assert specification.loader is not None
    example: Any = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(example)
    from demucs.demucs import Demucs  # noqa: PLC0415  # it need not be there

    torch.manual_seed(1)
    theirs = Demucs(["rest"], 2, 16, 3.0, 2, kernel_size=64, stride=16, dconv_mode=0, resample=False)
    own = example.UNet(example.own_layers())
    with torch.no_grad():
        for ours, parameter in zip(own.parameters(), theirs.parameters(), strict=True):
            ours.copy_(parameter)
    chunks = torch.randn(3, 2, CHUNK)

    for network in (own, example.UNet((theirs.encoder, theirs.decoder))):
        torch.testing.assert_close(network(chunks), theirs(chunks)[:, 0], rtol=0, atol=1e-5)
    chosen = example.UNet(example.demucs_layers())
    assert [weights.shape for weights in chosen.parameters()] == [weights.shape for weights in own.parameters()]
