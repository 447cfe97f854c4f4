"""Synthesise the package's default audio samples, with which a model is auditioned when its author supplies none.

A plucked string phrase (pitch; mono, 44.1 kHz), a drum loop (transients; stereo, 48 kHz) and a pad (sustained; stereo,
44.1 kHz): rates and channel counts differ on purpose, so that their conversions are heard too. Being synthesised they
need nobody's licence, and a rerun gives the same samples again.
"""

import argparse
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile  # type: ignore[import-untyped, unused-ignore]

Signal = npt.NDArray[np.float64]
Sample = tuple[npt.NDArray[np.float32], int]

DEFAULT_FOLDER = Path(__file__).resolve().parents[1] / "neutone_sdk" / "assets" / "samples"
PEAK_DB = -3.0
SIXTEEN_BIT_SCALE = 32768.0

STRING_RATE_HZ = 44100
STRING_LENGTH_S = 4.0
STRUM_ONSET_S = 2.2
STRING_BRIGHTNESS = 0.55  # 1 loses no treble, 0 loses the most
PICK_POSITION = 0.13  # from the bridge, as a fraction of the string
# (onset in s, MIDI note, level in dB): a Dadd9 arpeggio, damped by the hand when the strummed Gmaj9 comes.
STRING_PHRASE = (
    (0.02, 50, 0.0), (0.47, 57, -3.0), (0.77, 64, -4.0), (1.07, 66, -2.0), (1.37, 69, -2.0), (1.67, 66, -4.0),
    (1.97, 64, -5.0), (2.20, 43, -1.0), (2.23, 50, -3.0), (2.26, 59, -3.0), (2.29, 66, -3.0), (2.33, 69, -2.0),
)  # fmt: skip
# (frequency in Hz, boost relative to the direct sound, decay in s): roughly the air and the top of a guitar.
GUITAR_BODY_MODES = ((104.0, 0.5, 0.012), (196.0, 0.8, 0.012), (282.0, 0.5, 0.010), (415.0, 0.5, 0.008))

DRUM_RATE_HZ = 48000
STEP_S = 0.125  # a sixteenth note at 120 beats a minute
SWING = 0.14  # how late every second sixteenth comes, as a fraction of a step
STEP_LEVELS_DB = {"X": 0.0, "x": -5.0, "g": -15.0, ".": -np.inf}
# name: (a character for each sixteenth, level in dB, pan from -1 at the left to 1 at the right)
DRUM_PARTS = {
    "kick": ("X..x......X.....X..x...x..X.....", 0.0, 0.0),
    "snare": ("....X..g.g..X.......X..g.g..X..g", -2.5, -0.15),
    "closed_hat": ("X.x.Xgx.X.x.Xg..X.x.Xgx.X.x.Xgx.", -13.0, 0.35),
    "open_hat": ("..............x.................", -14.0, 0.35),
}

PAD_RATE_HZ = 44100
PAD_NOTES = (41, 48, 57, 64, 67)  # Fmaj9, open voicing
PAD_DETUNINGS_CENTS, PAD_PANS = (-9.0, -4.0, 0.0, 5.0, 8.0), (-0.8, 0.5, 0.0, -0.5, 0.8)
PAD_TOP_HZ = 14000.0  # by here the low-pass has taken every partial below the 16-bit step


def _decibels_to_gain(level_db: float) -> float:
    return float(10.0 ** (level_db / 20.0))


def _midi_to_hz(note: int) -> float:
    return float(440.0 * 2.0 ** ((note - 69) / 12.0))


def _time_axis(length_s: float, rate_hz: int) -> Signal:
    return np.arange(round(length_s * rate_hz)) / rate_hz


def _raised_cosine(progress: Signal) -> Signal:
    return np.asarray(np.sin(np.minimum(progress, 1.0) * np.pi / 2.0) ** 2)


def _white_noise(count: int, generator: np.random.Generator) -> Signal:
    return 2.0 * generator.random(count) - 1.0  # uniform: straight from PCG64's bits, which NumPy keeps stable


def _convolve(signal: Signal, impulse: Signal) -> Signal:
    size = signal.shape[-1] + impulse.shape[-1] - 1
    return np.fft.irfft(np.fft.rfft(signal, size) * np.fft.rfft(impulse, size), size)[..., : signal.shape[-1]]


def _band_pass(signal: Signal, low_hz: float, high_hz: float, rate_hz: int, order: int = 2) -> Signal:
    """Filter causally by ``order`` one-pole high-passes and as many low-passes."""
    size = 2 * signal.shape[-1]  # half of it silence, so that the ringing does not wrap round
    frequency_hz = np.fft.rfftfreq(size, 1.0 / rate_hz)
    one_pole_pair = 1j * frequency_hz / (low_hz + 1j * frequency_hz) / (1.0 + 1j * (frequency_hz / high_hz))
    return np.fft.irfft(np.fft.rfft(signal, size) * one_pole_pair**order, size)[..., : signal.shape[-1]]


def _pan_to_stereo(signals: Signal, pans: tuple[float, ...]) -> Signal:
    angles = (np.asarray(pans) + 1.0) * np.pi / 4.0  # equal power
    return np.asarray(np.einsum("cv,vs->cs", np.stack([np.cos(angles), np.sin(angles)]), signals))


def _add_room(dry: Signal, level: float, decay_s: float, rate_hz: int, generator: np.random.Generator) -> Signal:
    """Reverberate with decaying noise, independent in each channel, as a diffuse field is."""
    seconds = _time_axis(decay_s, rate_hz)
    noise = _white_noise(dry.shape[0] * seconds.size, generator).reshape(dry.shape[0], -1)
    envelope = np.minimum(seconds / 0.004, 1.0) * 0.001 ** (seconds / decay_s)
    impulse = _band_pass(noise * envelope, 180.0, 4500.0, rate_hz)
    return dry + level * _convolve(dry, impulse / np.linalg.norm(impulse, axis=-1, keepdims=True))


def _finish(audio: Signal, rate_hz: int, fade_in_s: float, fade_out_s: float, generator: np.random.Generator) -> Sample:
    """Block DC, fade, normalise and dither to the 16-bit grid, so that what is returned is what a FLAC file holds."""
    seconds = np.arange(audio.shape[-1]) / rate_hz
    fades = _raised_cosine(np.minimum(seconds / fade_in_s, seconds[::-1] / fade_out_s))
    faded = _band_pass(audio, 20.0, np.inf, rate_hz, order=1) * fades
    scaled = faded / np.max(np.abs(faded)) * _decibels_to_gain(PEAK_DB) * SIXTEEN_BIT_SCALE
    triangular_dither = generator.random(scaled.shape) - generator.random(scaled.shape)
    return (np.round(scaled + triangular_dither) / SIXTEEN_BIT_SCALE).astype(np.float32), rate_hz


def _pluck_excitation(period_samples: int, generator: np.random.Generator) -> Signal:
    """One period: only the phases are random, so that no partial is weak but those with a node under the pick."""
    partials = np.arange(period_samples // 2 + 1)
    magnitudes = (partials > 0) / np.maximum(partials, 1) ** 0.9
    burst = np.fft.irfft(magnitudes * np.exp(2j * np.pi * generator.random(partials.size)), period_samples)
    combed = burst - np.roll(burst, round(PICK_POSITION * period_samples))
    return np.asarray(combed / np.sqrt(np.mean(combed**2)))


def pluck_note(frequency_hz: float, length_s: float, rate_hz: int, generator: np.random.Generator) -> Signal:
    """Extended Karplus-Strong: a delay line, a damping filter and a tuning allpass in a loop.

    The damping filter is symmetric, so it delays every frequency by one sample. The allpass supplies the rest of the
    period, its coefficient solved for the phase delay at the fundamental: both are exact, hence the note is in tune.
    """
    period_samples = rate_hz / frequency_hz
    line_length = int(period_samples - 1.2)
    allpass_delay = period_samples - 1.0 - line_length
    half_angle = np.pi * frequency_hz / rate_hz
    allpass = float(np.sin((1.0 - allpass_delay) * half_angle) / np.sin((1.0 + allpass_delay) * half_angle))
    decay_s = 4.5 * (110.0 / frequency_hz) ** 0.4  # high strings die sooner
    loss = 0.001 ** (period_samples / (decay_s * rate_hz))
    centre_tap, side_tap = loss * (1.0 + STRING_BRIGHTNESS) / 2.0, loss * (1.0 - STRING_BRIGHTNESS) / 4.0
    onset = line_length + 2  # the silence before it is what the loop reads in its first period
    excitation = _pluck_excitation(round(period_samples), generator)
    string = [0.0] * onset + excitation.tolist() + [0.0] * (round(length_s * rate_hz) - excitation.size)
    damped_before = tuned = 0.0
    for index in range(onset, len(string)):
        read = index - line_length
        damped = side_tap * (string[read] + string[read - 2]) + centre_tap * string[read - 1]
        tuned = allpass * (damped - tuned) + damped_before
        damped_before = damped
        string[index] += tuned
    return np.asarray(string[onset:])


def plucked_string() -> Sample:
    """A short guitar-like phrase, mono."""
    generator = np.random.Generator(np.random.PCG64(1983))
    phrase = np.zeros(round(STRING_LENGTH_S * STRING_RATE_HZ))
    for onset_s, midi_note, level_db in STRING_PHRASE:
        end_s = STRUM_ONSET_S if onset_s < STRUM_ONSET_S else STRING_LENGTH_S
        note = pluck_note(_midi_to_hz(midi_note), end_s - onset_s, STRING_RATE_HZ, generator)
        hand_damping = _raised_cosine(np.arange(note.size)[::-1] / (0.06 * STRING_RATE_HZ))
        onset = round(onset_s * STRING_RATE_HZ)
        phrase[onset : onset + note.size] += _decibels_to_gain(level_db) * note * hand_damping
    seconds = _time_axis(0.2, STRING_RATE_HZ)
    body = (seconds == 0.0).astype(np.float64)  # the direct sound
    for mode_hz, boost, decay_s in GUITAR_BODY_MODES:
        body += 2.0 * boost / (decay_s * STRING_RATE_HZ) * np.exp((2j * np.pi * mode_hz - 1.0 / decay_s) * seconds).imag
    guitar = _band_pass(_convolve(phrase, body)[np.newaxis], 40.0, 7000.0, STRING_RATE_HZ)
    return _finish(_add_room(guitar, 0.16, 0.7, STRING_RATE_HZ, generator), STRING_RATE_HZ, 0.01, 0.5, generator)


def _hat(decay_s: float, generator: np.random.Generator) -> Signal:
    """Six inharmonic square waves, added up from their partials so that none of them folds back, and some noise."""
    seconds = _time_axis(6.0 * decay_s, DRUM_RATE_HZ)
    metal = 0.5 * _white_noise(seconds.size, generator)
    for square_hz in (317.0, 421.0, 563.0, 612.0, 809.0, 1017.0):
        for partial in range(1, int(17000.0 / square_hz), 2):
            metal += np.sin(2.0 * np.pi * (partial * square_hz * seconds + generator.random())) / partial
    bright = _band_pass(metal, 7000.0, 13000.0, DRUM_RATE_HZ)
    return np.asarray(bright / np.std(bright) * np.exp(-seconds / decay_s) * np.minimum(seconds / 0.0007, 1.0))


def _drum_hits(generator: np.random.Generator) -> dict[str, Signal]:
    """One hit of each part, a key for each of ``DRUM_PARTS``."""
    seconds = _time_axis(0.45, DRUM_RATE_HZ)
    sweep_cycles = 49.0 * seconds + 5.3 * (1.0 - np.exp(-seconds / 0.028))  # from 238 Hz down to 49 Hz
    kick = np.tanh(1.6 * np.sin(2.0 * np.pi * sweep_cycles)) * np.exp(-seconds / 0.17) * (1.0 - seconds / 0.45)
    beater = _band_pass(_white_noise(seconds.size, generator), 1200.0, 5000.0, DRUM_RATE_HZ)
    kick += 0.5 * beater * np.exp(-seconds / 0.004)
    bend_cycles = 0.35 * (1.0 - np.exp(-seconds / 0.012))
    snare = 0.55 * np.sin(2.0 * np.pi * (186.0 * seconds + bend_cycles)) * np.exp(-seconds / 0.055)
    snare += 0.33 * np.sin(2.0 * np.pi * (331.0 * seconds + bend_cycles)) * np.exp(-seconds / 0.035)
    wires = _band_pass(_white_noise(seconds.size, generator), 1400.0, 9000.0, DRUM_RATE_HZ)
    snare += wires * (0.77 * np.exp(-seconds / 0.022) + 0.55 * np.exp(-seconds / 0.085))
    return {"kick": kick, "snare": snare, "closed_hat": _hat(0.028, generator), "open_hat": _hat(0.11, generator)}


def drum_loop() -> Sample:
    """Two bars of kick, snare and hats, stereo; the tails wrap, so that the end runs on into the beginning."""
    generator = np.random.Generator(np.random.PCG64(808))
    hits = _drum_hits(generator)
    loop = np.zeros((2, round(32 * STEP_S * DRUM_RATE_HZ)))
    for name, (pattern, level_db, pan) in DRUM_PARTS.items():
        hit = _pan_to_stereo(hits[name][np.newaxis], (pan,))
        for step, mark in enumerate(pattern):
            onset = round((step + SWING * (step % 2)) * STEP_S * DRUM_RATE_HZ)
            where = (onset + np.arange(hit.shape[-1])) % loop.shape[-1]
            loop[:, where] += _decibels_to_gain(level_db + STEP_LEVELS_DB[mark]) * hit
    second_time_round = _add_room(np.tile(loop, 2), 0.18, 0.5, DRUM_RATE_HZ, generator)[:, loop.shape[-1] :]
    return _finish(second_time_round, DRUM_RATE_HZ, 0.001, 0.008, generator)


def _saw_voices(note_hz: float, cutoff_hz: Signal, generator: np.random.Generator) -> Signal:
    """The detuned saws of one note under a moving low-pass of 36 dB an octave, a row for each voice.

    Added up from partials they cannot alias; Horner's rule over one phasor's powers saves a sine for each partial.
    """
    seconds = np.arange(cutoff_hz.size) / PAD_RATE_HZ
    phasors = np.empty((len(PAD_DETUNINGS_CENTS), seconds.size), dtype=np.complex128)
    for row, detuning_cents in enumerate(PAD_DETUNINGS_CENTS):
        chorus_hz = 0.3 + 0.5 * generator.random()
        sway = np.sin(2.0 * np.pi * (chorus_hz * seconds + generator.random())) / (2.0 * np.pi * chorus_hz)
        cycles = note_hz * (2.0 ** (detuning_cents / 1200.0) * seconds + 0.0015 * sway)  # 2.5 cents to and fro
        phasors[row] = np.exp(2j * np.pi * (cycles + generator.random()))
    voices = np.zeros_like(phasors)
    for partial in range(int(PAD_TOP_HZ / note_hz), 0, -1):
        voices += 1.0 / (partial * (1.0 + (partial * note_hz / cutoff_hz) ** 6))
        voices *= phasors
    return voices.imag


def pad() -> Sample:
    """A slow chord of detuned saws whose low-pass opens, stereo."""
    generator = np.random.Generator(np.random.PCG64(29))  # a seed whose beating is even and whose sides balance
    seconds = _time_axis(5.0, PAD_RATE_HZ)
    cutoff_hz = 320.0 * 15.0 ** _raised_cosine(seconds / 3.8)  # from 320 Hz to 4.8 kHz
    chord = np.zeros((2, seconds.size))
    for midi_note in PAD_NOTES:
        voices = _saw_voices(_midi_to_hz(midi_note), cutoff_hz, generator)
        chord += 0.99 ** (midi_note - PAD_NOTES[0]) * _pan_to_stereo(voices, PAD_PANS)  # softer towards the top
    swell = _raised_cosine(seconds / 0.9)  # before the room, which would answer to the saws' abrupt start
    return _finish(_add_room(chord * swell, 0.3, 1.8, PAD_RATE_HZ, generator), PAD_RATE_HZ, 0.01, 1.4, generator)


def main() -> None:
    """Write the default audio samples as 16-bit FLAC files."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=DEFAULT_FOLDER)
    folder: Path = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    for synthesise in (plucked_string, drum_loop, pad):
        audio, rate_hz = synthesise()
        soundfile.write(folder / f"{synthesise.__name__}.flac", audio.T, rate_hz, subtype="PCM_16")


if __name__ == "__main__":
    main()
