"""Controls, latency and state of the plugin, in our smoke host."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from torch import Tensor, nn

from neutone_sdk import ContinuousNeutoneParameter, WaveformToWaveformBase
from tests.conftest import Noise
from tests.wrappers import PassThrough, card, export_quickly

from .players import Playback, Session, play_clap, play_pedalboard

N_FRAMES = 8_000
RATE_HZ = 48_000
SMOOTHING_FRAMES = 960  # 20 ms

Files = Callable[[int], Path]


class Scaled(WaveformToWaveformBase):
    """Multiplies by its knob, and says what a host shall begin with."""

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return x * params["Amount"]


@pytest.fixture(scope="module")
def scaled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    knob = ContinuousNeutoneParameter("Amount", "Factor", 0.5, min_value=0.0, max_value=2.0)
    gains = {"wet_default": 0.75, "dry_default": 0.25, "input_gain_default": 0.6, "output_gain_default": 0.4}
    facts = card(parameters=[knob], native_buffer_sizes=[512], **gains)
    return export_quickly(tmp_path_factory.mktemp("scaled"), Scaled(nn.Identity(), card=facts))


def play(folder: Path, model: Path | None, audio: np.ndarray, *options: object, **controls: float) -> Playback:
    named = {name.replace("_", " ").capitalize(): value for name, value in controls.items()}
    return play_clap(Session(folder, model, audio, controls=named, options=options))


@pytest.mark.parametrize("options", [(), ("--in-place", 1)], ids=["two buffers", "in place"])
def test_dry_and_wet_meet(identity: Files, noise: Noise, tmp_path: Path, options: tuple[object, ...]) -> None:
    audio = 0.5 * noise(2, N_FRAMES, 0).numpy()

    playback = play(tmp_path, identity(2), audio, *options, wet=0.5, dry=0.5)

    np.testing.assert_array_equal(playback.audio, audio)


def test_callbacks_longer_than_any_piece_are_played_whole(identity: Files, noise: Noise, tmp_path: Path) -> None:
    audio = 0.5 * noise(2, N_FRAMES, 9).numpy()

    playback = play(tmp_path, identity(2), audio, "--blocks", 10_000, wet=0.5, dry=0.5)

    np.testing.assert_array_equal(playback.audio, audio)


def test_gains_are_decibels_around_the_model_and_behind_the_mix(identity: Files, noise: Noise, tmp_path: Path) -> None:
    audio = 0.01 * noise(2, N_FRAMES, 1).numpy()

    playback = play(tmp_path, identity(2), audio, dry=1.0, input_gain=1.0, output_gain=0.4)

    np.testing.assert_allclose(playback.audio, 10 ** (-6 / 20) * (10 ** (30 / 20) + 1) * audio, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("change", ["Wet=0", "Input gain=0.6", "Output gain=0", "Bypass=1"])
def test_controls_make_no_steps(identity: Files, tmp_path: Path, change: str) -> None:
    audio = np.full((2, N_FRAMES), 0.5, np.float32)

    played = play(tmp_path, identity(2), audio, "--blocks", 64, "--at", f"4000:{change}", dry=0.25).audio

    jump = abs(played[0, -1] - played[0, 2_000])
    assert jump > 0.05
    assert np.abs(np.diff(played)).max() < 1.1 * jump / SMOOTHING_FRAMES


def test_bypass_plays_the_input_at_the_same_latency(scaled: Path, noise: Noise, tmp_path: Path) -> None:
    audio = 0.5 * noise(2, N_FRAMES, 2).numpy()

    playback = play(tmp_path, scaled, audio, "--at", "3000:Bypass=1")

    assert len(playback.report["latencies"]) == 1
    settled = 3_000 + 2 * SMOOTHING_FRAMES + 1024
    np.testing.assert_array_equal(playback.audio[:, settled:], audio[:, settled:])


def test_short_latency_is_shorter_and_exact(identity: Files, noise: Noise, tmp_path: Path) -> None:
    audio = 0.5 * noise(2, N_FRAMES, 3).numpy()
    usual = play(tmp_path, identity(2), audio, "--blocks", 64)

    short = play(tmp_path, identity(2), audio, "--blocks", 64, short_latency=1.0)

    assert short.report["latencies"][-1] < usual.report["latencies"][-1] == 1024
    np.testing.assert_array_equal(short.audio, audio)


def test_waiting_offline_changes_no_latency(identity: Files, noise: Noise, tmp_path: Path) -> None:
    audio = 0.5 * noise(2, N_FRAMES, 4).numpy()

    playback = play(tmp_path, identity(2), audio, "--at", "2000:Offline: wait=0", "--at", "2001:Offline: wait=1")

    assert len(playback.report["latencies"]) == 1


def test_a_host_that_does_not_wait_gets_what_is_ready_in_time_and_the_rest_counted(
    identity: Files, noise: Noise, tmp_path: Path
) -> None:
    audio = 0.5 * noise(2, N_FRAMES, 7).numpy() + 1.0  # never silent

    playback = play_clap(Session(tmp_path, identity(2), audio, controls={"Offline: wait": 0.0}))

    lost = (playback.audio != audio).any(axis=0)
    assert playback.report["latencies"] == [playback.report["latency"]]
    assert np.count_nonzero(lost) <= playback.report["controls"]["Missing samples"]
    # Where a gap begins, the sample before it fades away, which may be louder than the one in its place.
    assert np.abs(playback.audio).max() <= np.abs(audio).max() + 1e-6


@pytest.mark.parametrize("player", [play_clap, play_pedalboard])
def test_a_model_from_the_start_names_its_knobs_and_sets_the_controls(
    player: Callable[[Session], Playback], scaled: Path, noise: Noise, tmp_path: Path
) -> None:
    audio = 0.1 * noise(2, N_FRAMES, 5).numpy()

    playback = player(Session(tmp_path, scaled, audio))

    controls = playback.report["controls"]
    assert controls["Amount"] == pytest.approx(0.25)
    assert (controls["Wet"], controls["Dry"]) == (0.75, 0.25)
    assert (controls["Input gain"], controls["Output gain"]) == pytest.approx((0.6, 0.4))
    assert "Knob 1" not in controls
    assert "Knob 2" in controls
    wet, dry = 0.75 * 10 ** (6 / 20) * 0.5, 0.25
    np.testing.assert_allclose(playback.audio, 10 ** (-6 / 20) * (wet + dry) * audio, rtol=1e-5, atol=1e-7)


def test_state_brings_model_and_controls_back(scaled: Path, noise: Noise, tmp_path: Path) -> None:
    audio = 0.1 * noise(2, N_FRAMES, 6).numpy()
    before = play(tmp_path, scaled, audio, "--save", tmp_path / "state", amount=1.0)

    after = play(tmp_path, None, audio, "--load-at", f"0:{tmp_path / 'state'}")

    np.testing.assert_array_equal(after.audio, before.audio)
    assert after.report["controls"]["Knob 1"] == 1.0


def test_another_model_takes_over_while_playing(identity: Files, scaled: Path, tmp_path: Path) -> None:
    audio = np.full((2, 30_000), 0.5, np.float32)
    neutral = {"input_gain": 0.5, "output_gain": 0.5, "wet": 1.0, "dry": 0.0}
    play(tmp_path, scaled, audio, "--save", tmp_path / "state", amount=0.75, **neutral)

    played = play(tmp_path, identity(2), audio, "--load-at", f"8000:{tmp_path / 'state'}").audio

    assert (played[:, :8_000] == 0.5).all()
    assert played[0, -1] == pytest.approx(0.75, abs=1e-5)
    assert np.abs(np.diff(played)).max() < 0.01


def test_a_model_of_another_latency_is_told_and_plays_at_that(identity: Files, noise: Noise, tmp_path: Path) -> None:
    audio = 0.5 * noise(2, 30_000, 8).numpy()
    later = export_quickly(tmp_path, PassThrough(nn.Identity(), card=card(native_buffer_sizes=[2048])))
    play(tmp_path, later, audio, "--save", tmp_path / "state")

    playback = play(tmp_path, identity(2), audio, "--blocks", 64, "--load-at", f"8000:{tmp_path / 'state'}")

    assert playback.report["latencies"] == [1_024, 4_096]
    assert playback.report["latency_changes_told"] >= 1
    np.testing.assert_array_equal(playback.audio[:, 20_000:], audio[:, 20_000:])
