"""What resampling does to audio, in dB, samples and bits.

python -m benchmarks.resampling_quality [--json FILE] [--quick].

First the resampler alone, then the whole wrapper around a model that passes audio on, and one that delays it by 37 of
its samples; of many settings the worst is shown.
"""

from collections.abc import Callable
from functools import partial
from itertools import permutations
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.rounds import Results, run
from neutone_sdk import ModelCard, Resampler, SampleQueueWrapper, WaveformToWaveformBase, resample
from tests.signals import center_of, pulse, sine, snr_db, tone_and_rest
from tests.wrappers import delay_of, player

RATES_HZ = (8000, 16000, 22050, 32000, 44100, 48000, 88200, 96000, 176400, 192000)
PAIRS = [*permutations(RATES_HZ, 2), (44100, 47999)]
HOST_BLOCKS = (512, 1, 64, 97, 128, 441, 1000, 2048)
CHANGING_BLOCKS = [7, 300, 1, 64, 1900]
MODEL_BLOCKS = (1, 512, 1000, 2048)
AMPLITUDE = 0.9
# From a quality to the figures to reach for 44.1 to 48 kHz and back.
REACH = {
    "standard": "SNR 144, THD+N 130, images 125 dB; -0.001 dB at 20 kHz; 54 frames",
    "low_latency": "images of 15.5 kHz 85 dB; 18 frames",
    "high": "SNR 150 dB less what float32 input costs (a sine in and out: 150.7)",
}


class Delaying(WaveformToWaveformBase):
    """Delays by ``delay`` of its samples, and says so."""

    def __init__(self, delay: int, rate_hz: int, block: int) -> None:
        card = ModelCard(
            name="delaying",
            authors=["benchmark"],
            short_description="",
            native_sample_rates=[rate_hz],
            native_buffer_sizes=[block],
            delay_samples=delay,
        )
        super().__init__(nn.Identity(), card=card)
        self.past = torch.zeros(2, delay)

    def reset_model(self) -> bool:
        """Forget the past."""
        self.past = torch.zeros_like(self.past)
        return True

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:  # noqa: ARG002
        """Return the block, late."""
        whole = torch.cat([self.past, x], dim=1)
        self.past = whole[:, x.size(1) :]
        return whole[:, : x.size(1)]


class Listening(WaveformToWaveformBase):
    """Remembers what it hears, at 48 kHz in blocks of 512."""

    def __init__(self) -> None:
        card = ModelCard(
            name="listening",
            authors=["benchmark"],
            short_description="",
            native_sample_rates=[48_000],
            native_buffer_sizes=[512],
        )
        super().__init__(nn.Identity(), card=card)
        self.heard: list[Tensor] = []

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:  # noqa: ARG002
        """Return the block."""
        self.heard.append(x[0].clone())
        return x


def pitch_error_cents(host_block: int) -> float:
    """Return by how much a tone of 997 Hz in a host at 44.1 kHz is off for a model at 48 kHz."""
    model = Listening()
    queue = SampleQueueWrapper(model, daw_sr=44_100, daw_bs=host_block)
    queue.reset()
    model.heard.clear()
    for block in sine(997.0, 44_100, 689 * 128, AMPLITUDE).float().repeat(2, 1).split(host_block, dim=1):
        queue(block)
    heard = torch.cat(model.heard).double().numpy()[4096:]
    # Its phase against that of the tone, early and late.
    turning = heard * np.exp(-2j * np.pi * 997.0 / 48_000 * np.arange(len(heard)))
    window = np.hanning(len(heard) // 2)
    early, late = (np.angle((turning[at : at + len(window)] * window).sum()) for at in (0, len(window)))
    off_hz = (late - early + np.pi) % (2 * np.pi) - np.pi
    off_hz *= 48_000 / (2 * np.pi * len(window))
    return float(abs(1200.0 * np.log2(1.0 + off_hz / 997.0)))


def gain_and_snr_db(samples: np.ndarray, frequency_hz: float, rate_hz: int) -> tuple[float, float]:
    """Return gain and SNR in dB of a tone that had the amplitude of 0.9."""
    amplitude, _ = tone_and_rest(samples, frequency_hz, rate_hz)
    return 20.0 * np.log10(amplitude / AMPLITUDE), snr_db(samples, frequency_hz, rate_hz)


def our_tone(frequency_hz: float, from_hz: int, to_hz: int, quality: str) -> np.ndarray:
    """Return a resampled tone without its ends."""
    resampled = resample(sine(frequency_hz, from_hz, from_hz // 2, AMPLITUDE), from_hz, to_hz, quality)[0]
    edge = 300 * max(1, to_hz // from_hz)
    samples: np.ndarray = resampled[edge:-edge].double().numpy()
    return samples


def quality_row(tone: Callable[[float], np.ndarray], to_hz: int, latency: float) -> list[float]:
    """Return the SNR of four tones, the gain of the last, all in dB, and the latency in frames of output."""
    found = [gain_and_snr_db(tone(hz), hz, to_hz) for hz in (997.0, 18e3, 15.5e3, 20e3)]
    return [*(snr for _, snr in found), found[-1][0], latency]


def row_text(name: str, row: list[float]) -> str:
    """Return a line of the table."""
    low, high, middle, edge, gain, latency = row
    return f"{name:>26} {low:10.1f} {high:13.1f} {middle:9.1f} {edge:7.1f} {gain:15.5f} {latency:16.2f}"


def show_resampler(pairs: list[tuple[int, int]]) -> dict[str, object]:
    """Print the resampler's own figures."""
    figures: dict[str, object] = {}
    print("resampler alone, dB         SNR 997 Hz  THD+N 18 kHz  15.5 kHz  20 kHz  gain at 20 kHz  latency, frames")
    for quality, reach in REACH.items():
        for from_hz, to_hz in ((44100, 48000), (48000, 44100), (44100, 47999)):
            name = f"{quality} {from_hz} to {to_hz}"
            latency = Resampler(from_hz, to_hz, quality=quality).delay_samples
            row = quality_row(partial(our_tone, from_hz=from_hz, to_hz=to_hz, quality=quality), to_hz, latency)
            figures[name] = row
            print(row_text(name, row))
        print(f"{'reach':>11} {reach}")
    worst = min(low_tone_snr_db(pair) for pair in pairs)
    figures["standard, worst pair"] = worst
    print(f"standard, SNR at 0.0226 of the lower rate (997 Hz of 44.1 kHz): worst of {len(pairs)} pairs {worst:.1f} dB")
    return figures


def low_tone_snr_db(pair: tuple[int, int]) -> float:
    """Return the SNR of a low tone at two rates."""
    frequency_hz = 0.0226 * min(pair)
    return gain_and_snr_db(our_tone(frequency_hz, *pair, "standard"), frequency_hz, pair[1])[1]


def played(player: torch.jit.ScriptModule, audio: Tensor, host_hz: int, blocks: list[int]) -> tuple[Tensor, int]:
    """Return what comes out, as long as whole blocks fit, and the delay that is reported."""
    if len(blocks) == 1:
        player.wrapper.set_daw_sample_rate_and_buffer_size(host_hz, blocks[0])
    else:
        player.wrapper.set_daw_sample_rate_and_max_buffer_size(host_hz, max(blocks))
    return player(audio, blocks), delay_of(player.wrapper)


def measure_wrapper(host_hz: int, model_hz: int, delay: int) -> tuple[float, float, float]:
    """Return both tones' SNR in dB, and the largest difference between host blocks, over all of them."""
    lower = min(host_hz, model_hz)
    low_hz, high_hz = 997.0 * lower / 44100, min(10_000.0, 0.42 * lower)
    n_samples = 8192 + int(2000 / model_hz * host_hz) + 3000 * host_hz // lower
    audio = torch.cat([sine(low_hz, host_hz, n_samples), sine(high_hz, host_hz, n_samples)])
    play = player(Delaying(delay, model_hz, 512))
    reference, difference = torch.empty(0), 0.0
    for blocks in (*([block] for block in HOST_BLOCKS), CHANGING_BLOCKS):
        out, total_delay = played(play, audio, host_hz, blocks)
        in_time = out[:, total_delay:]
        if reference.numel() == 0:
            reference = in_time
        n_common = min(reference.size(1), in_time.size(1))
        difference = max(difference, float((reference[:, :n_common] - in_time[:, :n_common]).abs().max()))
    low, high = reference[:, 200 * max(1, host_hz // model_hz) :].double().numpy()
    return snr_db(low, low_hz, host_hz), snr_db(high, high_hz, host_hz), difference


def delay_error(host_hz: int, model_hz: int, model_block: int, host_block: int) -> float:
    """Return by how many of the host's samples the reported delay differs from that of a pulse."""
    play = player(Delaying(37, model_hz, model_block))
    play.wrapper.set_daw_sample_rate_and_buffer_size(host_hz, host_block)
    expected = delay_of(play.wrapper)
    at = 400 * max(1, host_hz // model_hz)
    audio = pulse(at, expected + 2 * at + host_block, 0.2 * min(host_hz, model_hz) / host_hz).repeat(2, 1)
    out, delay = played(play, audio, host_hz, [host_block])
    return abs(center_of(out[0].double().numpy()) - at - delay)


def show_wrapper(pairs: list[tuple[int, int]]) -> dict[str, object]:
    """Print the figures of the whole wrapper."""
    rows = {(pair, delay): measure_wrapper(*pair, delay) for pair in pairs for delay in (0, 37)}
    low, high, difference = (list(column) for column in zip(*rows.values(), strict=True))
    errors = [
        delay_error(*pair, model_block, host_block)
        for pair in pairs[::4]
        for model_block in MODEL_BLOCKS
        for host_block in (64, 441, 2048)
    ]
    print(f"whole wrapper, worst of {len(rows)} settings of rates and models:")
    print(f"  SNR 997 Hz {min(low):.1f} dB (reach: 130), 10 kHz or 0.42 of the lower rate {min(high):.1f} dB (115)")
    print(f"  difference between host blocks {HOST_BLOCKS} and changing ones {max(difference):g} (0)")
    print(f"  reported delay against a pulse's, {len(errors)} settings: {max(errors):.5f} samples off (0.02)")
    at_44_48 = rows[(44100, 48000), 0]
    print(f"  44.1 kHz host, 48 kHz model: SNR 997 Hz {at_44_48[0]:.1f} dB, 10 kHz {at_44_48[1]:.1f} dB")
    return {"low": low, "high": high, "difference": difference, "delay error": errors}


def measure(is_quick: bool) -> Results:
    """Print tables, and return the figures."""
    pairs = PAIRS[:: 8 if is_quick else 1]
    with torch.inference_mode():
        figures: dict[str, Any] = {"resampler": show_resampler(pairs), "wrapper": show_wrapper(pairs)}
        figures["pitch error"] = pitch_error_cents(128)
        print(f"  997 Hz, a model at 48 kHz, a host at 44.1 kHz, blocks of 128: {figures['pitch error']:.6f} cents off")
    return Results(figures=figures)


if __name__ == "__main__":
    run(__doc__, measure)
