"""A voice played by a string: harmonics and noise that follow the pitch and the level of what comes in (DDSP).

After Engel et al., "DDSP: Differentiable Digital Signal Processing", 2020. Pitch, voicing and level are tracked in the
block, a network turns them into a spectrum, and oscillators and noise play that. Run it to train the network through
the synthesizer, for some seconds, to sound like the shipped plucked string, or like a recording of your own (`-i`), and
to export ``model.nm``. More `--steps` bring it nearer.
"""

import argparse
from pathlib import Path

import torch
from torch import Tensor, nn

from neutone_sdk import ContinuousNeutoneParameter, ModelCard, WaveformToWaveformBase, resample
from neutone_sdk.audio import AudioSample, get_default_audio_samples
from neutone_sdk.frames import FrameStream
from neutone_sdk.recurrent import CachedGRU
from neutone_sdk.utils import save_neutone_model

RATE_HZ = 44_100
HOP = 256  # samples from one set of controls to the next
FRAME = 2048  # samples in which a pitch is looked for; the controls are those of its middle
LOWEST_HZ, HIGHEST_HZ = 70, 1400  # of the pitches that are found
TOP_HZ = 20_000.0  # harmonics fade out along the tenth below
N_HARMONICS, N_BANDS, N_HIDDEN = 100, 33, 48
MELODY_SECONDS = 2.18  # of the shipped string; then comes a chord
LESSON = 32  # hops in a step of training
NEUTRAL = (torch.tensor(0.0), torch.tensor(0.0), torch.tensor(1.0))  # knobs


class Tracker(nn.Module):
    """Finds fundamental, voicing and level by autocorrelation.

    Divided by that of the window, it has its peaks in the right places (Boersma, 1993). A second one, of a compressed
    and brightened spectrum (Tolonen and Karjalainen, 2000), helps to choose among them: so a string that was just
    plucked is heard while others ring on, and not the note of which both are overtones.
    """

    def __init__(self) -> None:
        super().__init__()
        self.rate_hz, self.shortest_lag, longest_lag = RATE_HZ, RATE_HZ // HIGHEST_HZ, RATE_HZ // LOWEST_HZ
        window = torch.hann_window(FRAME, dtype=torch.float64)
        hertz = torch.fft.rfftfreq(2 * FRAME, 1.0 / RATE_HZ, dtype=torch.float64)
        self.window = nn.Buffer(window)
        self.level_window = nn.Buffer(4.0 / FRAME * window[::2])
        lag_window = torch.fft.irfft(torch.fft.rfft(window, 2 * FRAME).abs().square())
        self.lag_window = nn.Buffer(lag_window[: longest_lag + 2])
        self.brightening = nn.Buffer((hertz / (hertz + 500.0)).square() / (1.0 + (hertz / 5000.0) ** 4))
        self.held_hz = nn.Buffer(torch.zeros(1, dtype=torch.float64))

    def forward(self, frame: Tensor) -> Tensor:
        """Return fundamental in Hz, voicing in 0..1 and RMS of ``(FRAME,)``: ``(3,)``, float64.

        Where there is no voice, the fundamental stays what it was.
        """
        frame = frame.double()
        n = self.level_window.size(0)
        level = (self.level_window * frame.narrow(0, n // 2, n).square()).sum().sqrt()
        spectrum = torch.fft.rfft(self.window * (frame - frame.mean()), 4 * n).abs()
        exact = self._correlation(spectrum.square())
        bright = self._correlation(spectrum * self.brightening)
        inner = exact[1:-1]
        is_peak = (inner > exact[:-2]) & (inner >= exact[2:]) & ((inner < 0.0).cumsum(0) > 0)
        nearby = torch.maximum(torch.maximum(bright[:-2], bright[2:]), bright[1:-1])
        score = torch.where(is_peak, inner + 2.0 * nearby, torch.zeros_like(inner))[self.shortest_lag - 1 :]
        clarity = torch.where(is_peak, inner, torch.zeros_like(inner))[self.shortest_lag - 1 :].max()
        # The shortest lag that will do: twice the period would do as well, an octave below.
        lag = self.shortest_lag + int((score >= 0.55 * score.max()).int().argmax())
        before, peak, behind = float(exact[lag - 1]), float(exact[lag]), float(exact[lag + 1])
        voicing = ((clarity - 0.2) / 0.15).clamp(0.0, 1.0) * is_peak[lag - 1]  # white noise has a clarity of 0.1
        if float(voicing) > 0.0:  # a parabola finds the peak between samples
            self.held_hz.fill_(self.rate_hz / (lag + 0.5 * (before - behind) / (before - 2.0 * peak + behind)))
        return torch.cat([self.held_hz, voicing.view(1), level.view(1)])

    def _correlation(self, power: Tensor) -> Tensor:
        """Return the autocorrelation up to the longest lag, as far as it is not the window's, 1 without a lag."""
        whole = torch.fft.irfft(power)[: self.lag_window.size(0)] / self.lag_window
        return whole / (whole[0] + 1e-12)


class Decoder(nn.Module):
    """Turns fundamental, voicing and level, ``(batch, n, 3)``, into the shape of a spectrum."""

    def __init__(self) -> None:
        super().__init__()
        self.sizes = [N_HARMONICS, N_BANDS, 1]
        self.inside = nn.Sequential(nn.Linear(3, N_HIDDEN), nn.LayerNorm(N_HIDDEN), nn.LeakyReLU())
        self.gru = CachedGRU(N_HIDDEN, N_HIDDEN, channels_last=True)
        self.heads = nn.Linear(N_HIDDEN, sum(self.sizes))

    def forward(self, controls: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return amplitudes of harmonics and of noise bands, each to any scale, and the noise's share of power."""
        octaves, level = (controls[..., 0] / 220.0 + 1e-3).log2(), (controls[..., 2] + 1e-5).log10() + 1.5
        x = self.inside(torch.stack([octaves, controls[..., 1], level], dim=2).float())
        harmonics, bands, share = self.heads(x + self.gru(x)).split(self.sizes, dim=2)
        bands = torch.exp(3.0 * torch.tanh(bands / 3.0))  # within 52 dB: what has no pitch is not only a rumble
        return torch.softmax(harmonics, dim=2), bands, torch.sigmoid(share - 4.0)


class Harmonics(nn.Module):
    """Oscillators at multiples of a fundamental. Phases go on from hop to hop, amplitudes move along straight lines."""

    def __init__(self) -> None:
        super().__init__()
        self.rate_hz, self.top_hz = RATE_HZ, TOP_HZ
        self.ramp = nn.Buffer(torch.arange(HOP, dtype=torch.float64) / HOP)
        self.ranks = nn.Buffer(torch.arange(1.0, N_HARMONICS + 1))
        # Added up in float64, without whole cycles: rounding to float32 comes behind, and never adds up.
        self.last_cycles = nn.Buffer(torch.zeros(1, dtype=torch.float64))
        self.last_hz = nn.Buffer(torch.zeros(1, dtype=torch.float64))
        self.last_amplitudes = nn.Buffer(torch.zeros(1, N_HARMONICS))

    def forward(self, hz: Tensor, amplitudes: Tensor) -> Tensor:
        """Play on to fundamentals ``(n,)`` and amplitudes ``(n, N_HARMONICS)``: ``(n * HOP,)``."""
        starts = torch.cat([self.last_amplitudes, amplitudes[:-1]])
        is_silent = starts.sum(dim=1) == 0.0  # out of silence a note does not glide
        starts_hz = torch.where(is_silent, hz, torch.cat([self.last_hz, hz[:-1]]))
        path_hz = torch.lerp(starts_hz.unsqueeze(1), hz.unsqueeze(1), self.ramp)
        cycles = (self.last_cycles + path_hz.flatten().cumsum(0) / self.rate_hz).frac()
        waves = torch.sin((2.0 * torch.pi * cycles).float().view(-1, self.ramp.size(0), 1) * self.ranks)
        waves = waves * self.audibility(path_hz.float().unsqueeze(2))
        self.last_cycles.copy_(cycles[-1:])
        self.last_hz.copy_(hz[-1:])
        self.last_amplitudes.copy_(amplitudes[-1:].detach())
        sums = waves @ torch.stack([starts, amplitudes], dim=2)
        return torch.lerp(sums[..., 0], sums[..., 1], self.ramp.float()).flatten()

    def audibility(self, hz: Tensor) -> Tensor:
        """Return how much is heard of each harmonic of fundamentals ``(..., 1)``: of what would alias, nothing."""
        return (10.0 - 10.0 / self.top_hz * hz * self.ranks).clamp(0.0, 1.0)


class Noise(nn.Module):
    """Noise with a given spectrum, out of frames of random phases; after a reset they are the same again."""

    def __init__(self) -> None:
        super().__init__()
        # The squares of two windows that overlap add up to 1, and so do the powers of independent noise.
        self.window = nn.Buffer(torch.sin(torch.pi * (torch.arange(2 * HOP) + 0.5) / (2 * HOP)))
        self.count = nn.Buffer(torch.zeros(1, dtype=torch.int64))
        self.tail = nn.Buffer(torch.zeros(1, HOP))

    def forward(self, magnitudes: Tensor) -> Tensor:
        """Return ``(n * HOP,)``, of an RMS of 1 where the squares of magnitudes ``(n, HOP + 1)`` add up to 1."""
        angles = 2.0 * torch.pi * self._uniform(magnitudes.numel()).view(magnitudes.shape)
        spectra = torch.polar(magnitudes * (0.5**0.5 * self.window.size(0)), angles)
        halves = (torch.fft.irfft(spectra) * self.window).view(magnitudes.size(0), 2, -1)
        tails = torch.cat([self.tail, halves[:, 1]])
        self.tail.copy_(tails[-1:].detach())
        return (halves[:, 0] + tails[:-1]).flatten()

    def _uniform(self, n: int) -> Tensor:
        """Return ``n`` numbers in 0..1: the next ones of a counter, mixed as MurmurHash3 does."""
        x = self.count + torch.arange(n)
        self.count.add_(n)
        for factor, shift in ((0x9E3779B1, 16), (0x85EBCA6B, 13), (0xC2B2AE35, 16)):
            x = (x * factor) & 0xFFFFFFFF
            x = x ^ (x >> shift)
        return (x.double() / 2.0**32).float()


class Ddsp(nn.Module):
    """Tracker, network and synthesizer: audio ``(1, n * HOP)`` to audio ``(n * HOP,)``, half a frame later."""

    def __init__(self) -> None:
        super().__init__()
        self.hop_samples = HOP
        self.frames = FrameStream(1, FRAME, HOP)
        self.tracker = Tracker()
        self.decoder = Decoder()
        self.harmonics = Harmonics()
        self.noise = Noise()

    def track(self, audio: Tensor) -> Tensor:
        """Return fundamental in Hz, voicing and RMS at each hop: ``(n, 3)``, float64."""
        return torch.stack([self.tracker(frame) for frame in self.frames(audio)[0].unbind(0)])

    def play(self, controls: Tensor, brightness: Tensor, hollow: Tensor, noise: Tensor) -> Tensor:
        """Turn controls into audio. It has their level, whatever spectrum network and knobs make."""
        harmonics, bands, share = self.decoder(controls.unsqueeze(0))
        hz, voicing, level = controls.float().split(1, dim=1)
        ranks = self.harmonics.ranks
        gains = 10.0 ** (brightness / 20.0 * ranks.log2()) * (1.0 - hollow * (ranks % 2.0 == 0.0).float()) / ranks
        amplitudes = nn.functional.normalize(harmonics[0] * gains * self.harmonics.audibility(hz), dim=1)
        bins = nn.functional.interpolate(bands, self.hop_samples + 1, mode="linear", align_corners=True)[0, :, 1:]
        magnitudes = nn.functional.pad(nn.functional.normalize(bins, dim=1), [1, 0])  # no DC
        tonal = voicing * (1.0 - noise * share[0]).clamp(min=0.0).sqrt()
        noisy = (1.0 - tonal.square()).clamp(min=1e-9).sqrt()  # at 0 it would have no gradient
        tone = self.harmonics(controls[:, 0], level * 2.0**0.5 * tonal * amplitudes)
        return tone + self.noise(level * noisy * magnitudes)

    def forward(self, audio: Tensor, octaves: Tensor, brightness: Tensor, hollow: Tensor, noise: Tensor) -> Tensor:
        """Play the next hops of a stream, each by itself: so the same is rounded, whatever the blocks."""
        hops: list[Tensor] = []
        for hop in audio.split(self.hop_samples, dim=1):
            controls = self.track(hop)
            controls[:, 0] *= 2.0**octaves
            hops.append(self.play(controls, brightness, hollow, noise))
        return torch.cat(hops)

    @torch.jit.export
    def reset(self) -> None:
        """Forget all audio."""
        self.frames.reset()
        self.decoder.gru.reset()
        self.tracker.held_hz.zero_()
        for state in (self.harmonics.last_cycles, self.harmonics.last_hz, self.harmonics.last_amplitudes):
            state.zero_()
        self.noise.count.zero_()
        self.noise.tail.zero_()


def distance(played: Tensor, target: Tensor) -> Tensor:
    """Return how far two clips ``(n,)`` are apart, by their spectrograms of four sizes and the logarithms of these."""
    both, total = torch.stack([played, target]), torch.zeros(())
    for size in (2048, 1024, 512, 256):
        ours, theirs = torch.stft(both, size, size // 4, window=torch.hann_window(size), return_complex=True).abs()
        total = total + (ours - theirs).norm() / (theirs.norm() + 1e-3)
        total = total + ((ours + 1e-3).log() - (theirs + 1e-3).log()).abs().mean()
    return total / 4.0


def trained(recording: AudioSample, n_steps: int) -> Ddsp:
    """Train on a recording at three speeds, and so at more pitches; print how far off it is played in the end."""
    torch.manual_seed(0)
    model, lessons = Ddsp(), []
    for speed in (1.0, 0.5, 2.0):
        audio = resample(recording.audio.mean(dim=0, keepdim=True), round(speed * recording.sr), RATE_HZ)
        n_missing = max(-audio.size(1) % HOP, (LESSON + 1) * HOP - audio.size(1))
        audio = nn.functional.pad(audio, [0, n_missing + FRAME // 2])
        model.reset()
        controls = model.track(audio)[FRAME // 2 // HOP :]
        lessons.append((controls, audio[0, : len(controls) * HOP]))
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, n_steps)
    for _ in range(n_steps):
        controls, audio = lessons[int(torch.randint(len(lessons), ()))]
        at = int(torch.randint(len(controls) - LESSON, ()))
        played = model.play(controls[at : at + LESSON], *NEUTRAL)
        loss = distance(played, audio[at * HOP : (at + LESSON) * HOP])
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
    model.reset()
    with torch.no_grad():
        controls, audio = lessons[0]
        print(f"distance of spectrograms after {n_steps} steps: {distance(model.play(controls, *NEUTRAL), audio):.2f}")
    return model


class DdspWrapper(WaveformToWaveformBase):
    """Gives the synthesizer its knobs."""

    card = ModelCard(
        name="ddsp string",
        authors=["The neutone_sdk developers"],
        short_description="Sing, whistle or play: a string plays along.",
        long_description="Follows the pitch, 70 to 1400 Hz, and the level of one voice. Of a chord it plays one note "
        "after another, and what has no pitch becomes noise.",
        technical_description="Pitch tracker, GRU trained through the synthesizer, 100 harmonics, 33 bands of noise.",
        tags=["ddsp", "synthesizer", "timbre"],
        is_input_mono=True,
        is_output_mono=True,
        native_sample_rates=[RATE_HZ],
        native_buffer_sizes=[HOP, 2 * HOP, 4 * HOP, 8 * HOP],
        delay_samples=FRAME // 2,
        parameters=[
            ContinuousNeutoneParameter("pitch", "Shift, in semitones", 0.0, min_value=-24.0, max_value=24.0),
            ContinuousNeutoneParameter("brightness", "In dB an octave", 0.0, min_value=-6.0, max_value=6.0),
            ContinuousNeutoneParameter("hollow", "Takes even harmonics away", 0.0),
            ContinuousNeutoneParameter("noise", "In what has a pitch, in dB", 0.0, min_value=-60.0, max_value=20.0),
        ],
    )

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        """Play one block of ``(1, n)``."""
        octaves, noise = params["pitch"] / 12.0, 10.0 ** (params["noise"] / 10.0)
        return self.model(x, octaves, params["brightness"], params["hollow"], noise).unsqueeze(0)

    def reset_model(self) -> bool:
        """Forget all audio."""
        self.model.reset()  # type: ignore[operator]
        return True


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--output", type=Path, default=Path("exports/ddsp"), help="where to export to")
    parser.add_argument("-i", "--input", type=Path, help="a recording to learn from, of one note at a time")
    parser.add_argument("--steps", type=int, default=120, help="of training")
    arguments = parser.parse_args()
    string = get_default_audio_samples()[0]
    melody = AudioSample(string.audio[:, : int(MELODY_SECONDS * string.sr)], string.sr)
    recording = melody if arguments.input is None else AudioSample.from_file(arguments.input)
    save_neutone_model(DdspWrapper(trained(recording, arguments.steps)), arguments.output)
    print(f"exported {arguments.output / 'model.nm'}")
