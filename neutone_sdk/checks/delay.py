"""The delay that a model reports against the one that it has.

Noise goes in; the cross-spectrum of output and input, whitened (GCC-PHAT: Knapp and Carter, "The generalized
correlation method for estimation of time delay", 1976), is transformed back. A pure delay makes a peak of 1 in that
place, whatever its gain and sign. Whitening makes the peak sharp where a filter has coloured the noise, and leaves no
peak where there is no fixed relation between output and input: synthesizers, pitch shifters, long reverbs.
"""

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from neutone_sdk.checks.check import Budget, Check
from neutone_sdk.checks.report import Outcome, failed, passed, skipped, warned
from neutone_sdk.checks.subject import Subject, noise, play
from neutone_sdk.rendering import set_up_host
from neutone_sdk.streaming.schedule import ceil_div

MIN_SAMPLES: Final = 1 << 16
# What only rumbles has no sharp time: a steep low-pass at 300 Hz is late by 3 ms, all of it phase.
MIN_BANDWIDTH: Final = 0.2
# Of two independent signals of that many samples the highest value is about 0.02; a reverb of white noise reaches 0.1.
MIN_PEAK: Final = 0.3
# What is reported is not wrong if the signal is there too, and only somewhat louder elsewhere.
MAX_SHARE_AT_REPORTED: Final = 0.5
# A filter has no single delay, and its phase alone moves the peak by some samples.
TOLERANCE_MS: Final = 0.5
# Where the output is nearly the input itself, every sample counts.
MIN_LIKENESS: Final = 0.95
_N_SMOOTHED: Final = 128  # frequencies
_QUIETEST: Final = 1e-6  # power, of the strongest frequency's: what is below has no phase worth the name


@dataclass(frozen=True)
class Measurement:
    """Where the input is found in an output.

    Attributes:
        delay_samples: Of the highest peak.
        peak: Its height, 0..1.
        likeness: Correlation coefficient of output and input there, 0..1.
        bandwidth: Part of all frequencies that is heard in the output, 0..1.
        phase_correlation: Height at each delay from 0.
    """

    delay_samples: int
    peak: float
    likeness: float
    bandwidth: float
    phase_correlation: Tensor

    @property
    def is_clear(self) -> bool:
        """Whether there is a delay that could be wrong."""
        return self.peak >= MIN_PEAK and self.bandwidth >= MIN_BANDWIDTH

    def agrees_with(self, reported_samples: int, rate_hz: int) -> bool:
        """Return whether the input is found near a delay that a model reports, too."""
        tolerance = 0 if self.likeness > MIN_LIKENESS else round(TOLERANCE_MS * rate_hz / 1e3)
        near = self.phase_correlation[max(0, reported_samples - tolerance) : reported_samples + tolerance + 1]
        return bool((near >= MAX_SHARE_AT_REPORTED * self.peak).any())


def measure_delay(audio: Tensor, output: Tensor) -> Measurement | None:
    """Find out by how much an output is late.

    Args:
        audio: ``(1 or 2, n)``: white, and independent where there are two channels.
        output: The same shape.

    Returns:
        The clearest of all pairs of channels for delays from 0 to ``n / 2``, or None if the output is silent.
    """
    n_samples = audio.size(1)
    spectrum_in = torch.fft.rfft(audio, 2 * n_samples)
    spectrum_out = torch.fft.rfft(output, 2 * n_samples)
    best = None
    for o in range(output.size(0)):
        power = _smooth(spectrum_out[o].abs().square())
        is_heard = power > _QUIETEST * power.max()
        for i in range(audio.size(0) if is_heard.any() else 0):
            cross = spectrum_out[o] * spectrum_in[i].conj()
            phases = torch.where(is_heard, cross / cross.abs().clamp(min=1e-30), 0.0)
            heights = torch.fft.irfft(phases)[: n_samples // 2].abs() * len(phases) / is_heard.sum()
            delay = int(heights.argmax())
            if best is None or float(heights[delay]) > best.peak:
                likeness = _likeness(audio[i], output[o], delay)
                best = Measurement(delay, float(heights[delay]), likeness, float(is_heard.float().mean()), heights)
    return best


def _smooth(power: Tensor) -> Tensor:
    """Return the mean over neighbouring frequencies."""
    sums = torch.nn.functional.pad(power.cumsum(0), [_N_SMOOTHED, 0])
    return (sums[_N_SMOOTHED:] - sums[:-_N_SMOOTHED]) / _N_SMOOTHED


def _likeness(audio: Tensor, output: Tensor, delay: int) -> float:
    x, y = audio[: audio.size(0) - delay].double(), output[delay:].double()
    return float((x @ y).abs() / (x.norm() * y.norm()).clamp(min=1e-300))


def _is_as_late_as_reported(subject: Subject, budget: Budget) -> Outcome:
    rate_hz, model = subject.setting.rate_hz, subject.load()
    reported, output, audio = _play_noise(subject, model, budget)
    if output.size(1) < min(audio.size(1), max(MIN_SAMPLES // 4, 3 * reported)):
        return skipped("the model is too slow to hear enough of it")
    if not output.isfinite().all():
        return failed("the output is no finite number, see clean-output")
    measured = measure_delay(audio[:, : output.size(1)], output)
    if measured is None:
        return skipped("the model answers noise with silence: there is nothing to measure")
    if not measured.is_clear:
        return skipped(
            f"the output has no clear relation in time to the input (correlation {measured.peak:.2f} over "
            f"{measured.bandwidth:.0%} of the spectrum, {MIN_PEAK:g} over {MIN_BANDWIDTH:.0%} are needed)"
        )
    if measured.agrees_with(reported, rate_hz):
        return passed(
            f"reported {reported} samples, measured {measured.delay_samples}, correlation {measured.peak:.2f}"
        )
    early = measured.delay_samples - reported
    return warned(
        f"reported {reported} samples, measured {measured.delay_samples} (correlation {measured.peak:.2f}) at "
        f"{rate_hz} Hz: the output is {abs(early)} samples {'later' if early > 0 else 'earlier'} than the host thinks"
    )


def _play_noise(subject: Subject, model: torch.jit.ScriptModule, budget: Budget) -> tuple[int, Tensor, Tensor]:
    """Return the delay that the model reports, and what it makes of noise."""
    block = subject.setting.block
    latency = set_up_host(model, subject.setting.rate_hz, block)
    n_samples = max(MIN_SAMPLES, 4 * (latency.total_samples + latency.model_block))
    audio = noise(subject.n_in_channels, ceil_div(n_samples, block) * block, peak=0.5)
    return latency.total_samples, play(model, audio, block, budget=budget), audio


DELAY = Check(
    "delay",
    "a host moves every track by what its models report; if that is wrong, drums flam and dry and wet cancel out",
    "let calc_model_delay_samples() return what the model is late by at its own rate, less a look-ahead, which is "
    "added; an effect that is meant to be late, an echo, may stay as it is",
    _is_as_late_as_reported,
)
