"""What resampling does to audio, in dB, samples and bits: python -m benchmarks.resampling_quality [--json FILE].

First the resampler alone, then the whole wrapper around a model that passes audio on, and one that delays it by 37 of
its samples; of many settings the worst is shown.
"""

import argparse
import json
from itertools import permutations
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from neutone_sdk import ModelCard, Resampler, WaveformToWaveformBase, resample
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


def tone(frequency_hz: float, from_hz: int, to_hz: int, quality: str) -> tuple[float, float]:
    """Return gain and SNR in dB of one resampled tone."""
    resampled = resample(sine(frequency_hz, from_hz, from_hz // 2, AMPLITUDE), from_hz, to_hz, quality)[0]
    edge = 300 * max(1, to_hz // from_hz)
    samples = resampled[edge:-edge].double().numpy()
    amplitude, _ = tone_and_rest(samples, frequency_hz, to_hz)
    return 20.0 * np.log10(amplitude / AMPLITUDE), snr_db(samples, frequency_hz, to_hz)


def show_resampler() -> dict[str, object]:
    """Print the resampler's own figures."""
    figures: dict[str, object] = {}
    print("resampler alone, dB       SNR 997 Hz  THD+N 18 kHz  15.5 kHz  20 kHz  gain at 20 kHz  latency, frames")
    for quality, reach in REACH.items():
        for from_hz, to_hz in ((44100, 48000), (48000, 44100), (44100, 47999)):
            low, high, middle, edge = (tone(hz, from_hz, to_hz, quality) for hz in (997.0, 18e3, 15.5e3, 20e3))
            latency = Resampler(from_hz, to_hz, quality=quality).delay_samples
            row = [low[1], high[1], middle[1], edge[1], edge[0], latency]
            figures[f"{quality} {from_hz} to {to_hz}"] = row
            print(
                f"{quality:>11} {from_hz} to {to_hz} {row[0]:10.1f} {row[1]:13.1f} {row[2]:9.1f} {row[3]:7.1f} "
                f"{row[4]:15.5f} {row[5]:16.2f}"
            )
        print(f"{'reach':>11} {reach}")
    worst = min((tone(0.0226 * min(pair), *pair, "standard")[1], pair) for pair in PAIRS)
    figures["standard, worst pair"] = worst
    print(
        f"standard, SNR at 0.0226 of the lower rate (997 Hz of 44.1 kHz): worst of {len(PAIRS)} pairs {worst[0]:.1f} dB"
    )
    return figures


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


def show_wrapper() -> dict[str, object]:
    """Print the figures of the whole wrapper."""
    rows = {(pair, delay): measure_wrapper(*pair, delay) for pair in PAIRS for delay in (0, 37)}
    low, high, difference = (list(column) for column in zip(*rows.values(), strict=True))
    errors = [
        delay_error(*pair, model_block, host_block)
        for pair in PAIRS[::4]
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


def main() -> None:
    """Measure and print tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="also write all figures to this file")
    arguments = parser.parse_args()
    with torch.inference_mode():
        figures = {"resampler": show_resampler(), "wrapper": show_wrapper()}
    if arguments.json:
        arguments.json.write_text(json.dumps(figures))


if __name__ == "__main__":
    main()
