"""What the card draws, measured: spectrograms, waveforms, knobs."""

import base64
import io
import math
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from neutone_sdk.card import png
from neutone_sdk.card.controls import Control, read_controls, read_mix
from neutone_sdk.card.plots import WAVE_COLUMNS, WAVE_HEIGHT, read_pairs, waveform
from neutone_sdk.card.spectrogram import N_COLUMNS, N_ROWS, RANGE_DB, levels_db, picture, row_position

from .card_models import drum_pair

SCALLOPING_DB = 0.2  # of a Hann window whose transform is four times as long, for a tone between two bins
COLOUR_STEP_DB = RANGE_DB / (png.N_COLOURS - 1)


def tone(frequency_hz: float, rate_hz: int, seconds: float, channels: int = 1) -> NDArray[np.float32]:
    samples = np.sin(2.0 * np.pi * frequency_hz * np.arange(int(seconds * rate_hz)) / rate_hz)
    return np.repeat(samples[None], channels, axis=0).astype(np.float32)


def decoded(content: bytes) -> NDArray[np.uint8]:
    """Red, green and blue, by a decoder that is not ours."""
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))


@pytest.mark.parametrize("rate_hz", [8_000, 22_050, 44_100, 48_000])
@pytest.mark.parametrize("frequency_hz", [60.0, 440.0, 1_234.5, 3_900.0])
def test_a_full_scale_tone_is_0_db_at_its_row(rate_hz: int, frequency_hz: float) -> None:
    levels = levels_db(tone(frequency_hz, rate_hz, 1.0), rate_hz, 1.0)

    middle = levels[:, levels.shape[1] // 2]
    row = N_ROWS * (1.0 - row_position(frequency_hz))
    assert abs(float(middle.max())) < SCALLOPING_DB
    assert abs(int(middle.argmax()) + 0.5 - row) < N_ROWS * 0.02  # the window is some rows wide at 60 Hz


@pytest.mark.parametrize("seconds", [0.001, 0.5, 5.0, 60.0])
def test_a_click_is_where_it_was(seconds: float) -> None:
    rate_hz = 8_000
    audio = np.zeros((1, int(seconds * rate_hz)), dtype=np.float32)
    audio[0, audio.shape[1] * 3 // 4] = 1.0

    levels = levels_db(audio, rate_hz, seconds).max(axis=0)

    n_columns = len(levels)
    loudest = np.flatnonzero(levels > levels.max() - 3.0).mean()
    window_columns = 0.03 / seconds * n_columns
    assert 1 <= n_columns <= N_COLUMNS
    assert abs((loudest + 0.5) / n_columns - 0.75) * n_columns < max(2.0, window_columns)


def test_the_louder_channel_counts() -> None:
    loud, quiet = tone(1_000.0, 48_000, 0.5), 0.01 * tone(5_000.0, 48_000, 0.5)
    both = levels_db(np.concatenate([-loud, loud]), 48_000, 0.5)
    np.testing.assert_array_equal(both, levels_db(loud, 48_000, 0.5))
    mixed = levels_db(np.concatenate([loud, quiet]), 48_000, 0.5)
    assert abs(float(mixed[int(N_ROWS * (1.0 - row_position(5_000.0)))].max()) + 40.0) < SCALLOPING_DB


def test_above_what_a_rate_can_hold_is_nothing() -> None:
    audio = np.random.default_rng(0).uniform(-1.0, 1.0, (1, 8_000)).astype(np.float32)
    levels = levels_db(audio, 8_000, 1.0)
    above = math.ceil(N_ROWS * (1.0 - row_position(4_000.0)))
    assert levels[above:].max() == levels.min() == -200.0
    assert levels[: above - 1].max(axis=1).min() > -60.0


@settings(deadline=None, max_examples=30)
@given(
    n_samples=st.integers(1, 3_000),
    rate_hz=st.sampled_from([8_000, 11_025, 44_100, 48_000]),
    channels=st.integers(1, 2),
    longer=st.floats(1.0, 5.0),
)
def test_any_clip_can_be_drawn(n_samples: int, rate_hz: int, channels: int, longer: float) -> None:
    audio = np.random.default_rng(0).uniform(-1.0, 1.0, (channels, n_samples)).astype(np.float32)
    span_s = longer * n_samples / rate_hz

    levels = levels_db(audio, rate_hz, span_s)
    path = waveform(audio, rate_hz, span_s, 1.0)

    assert np.isfinite(levels).all()
    assert decoded(picture(levels, 0.0)).shape == (N_ROWS, levels.shape[1], 3)
    points = np.array([[float(number) for number in point.split()] for point in re.findall(r"[\d. -]+", path)])
    assert points.min() >= 0.0
    assert points[:, 0].max() <= WAVE_COLUMNS / longer + 1.0
    assert points[:, 1].max() <= WAVE_HEIGHT


def test_a_waveform_shows_every_peak_of_every_channel() -> None:
    audio = np.zeros((2, 100_000), dtype=np.float32)
    audio[0, 25_000], audio[1, 75_000] = 1.0, -0.5

    path = waveform(audio, 10_000, 20.0, 1.0)  # drawn in the first half of 20 s

    points = [tuple(map(float, point.split())) for point in re.findall(r"[\d. -]+", path)]
    top, bottom = min(points, key=lambda point: point[1]), max(points, key=lambda point: point[1])
    assert top == pytest.approx((WAVE_COLUMNS / 8, 0.0), abs=1.0)  # a column is one wide
    assert bottom == pytest.approx((WAVE_COLUMNS * 3 / 8, WAVE_HEIGHT * 0.75), abs=1.0)


def test_a_picture_is_a_png_with_high_frequencies_on_top() -> None:
    levels = np.full((N_ROWS, 3), -200.0)
    levels[-1, 0], levels[0, 1], levels[0, 2] = -6.0, -6.0 - RANGE_DB / 2.0, 20.0

    pixels = decoded(picture(levels, -6.0)).tolist()

    colours = png.palette().tolist()
    assert pixels[0][0] == colours[-1]
    assert pixels[-1] == [colours[0], colours[round((png.N_COLOURS - 1) / 2)], colours[-1]]


def test_colours_get_brighter() -> None:
    luminance = png.palette() @ np.array([0.2126, 0.7152, 0.0722])
    assert (np.diff(luminance) > 0).all()


def test_before_and_after_have_the_same_scales() -> None:
    pair = drum_pair()
    pair.output.audio = 0.1 * pair.input.audio  # 20 dB less

    ((drawn,), _) = read_pairs({"sample_sound_files": [dict(pair.to_metadata_format())]})

    colours = {tuple(colour): index for index, colour in enumerate(png.palette().tolist())}
    before, after = (
        np.array([[colours[tuple(pixel)] for pixel in row] for row in decoded(png_of(side.spectrogram)).tolist()])
        for side in drawn.sides
    )
    is_loud = before > 40  # what is quieter, MP3 may leave out
    assert is_loud.mean() > 0.05
    assert np.median((before - after)[is_loud]) * COLOUR_STEP_DB == pytest.approx(20.0, abs=COLOUR_STEP_DB)
    peaks = [min(float(y) for y in re.findall(r" ([\d.]+)", side.waveform)) for side in drawn.sides]
    half = WAVE_HEIGHT / 2
    assert (half - peaks[1]) / (half - peaks[0]) == pytest.approx(0.1, rel=0.1)


def png_of(uri: str) -> bytes:
    return base64.b64decode(uri.partition(",")[2])


def pointer(control: Control) -> float:
    """Degrees clockwise from the bottom."""
    assert control.knob is not None
    start, end = ([float(number) for number in point.split()] for point in control.knob.pointer[1:].split(" L"))
    return math.degrees(math.atan2(start[0] - end[0], end[1] - start[1])) % 360.0


@pytest.mark.parametrize(("default", "degrees"), [(-6.0, 45.0), (0.0, 180.0), (3.0, 247.5), (6.0, 315.0)])
def test_a_knob_points_to_its_default(default: float, degrees: float) -> None:
    knob = {"name": "tilt", "default_value": default, "min_value": -6.0, "max_value": 6.0, "type": "continuous"}
    (control,) = read_controls({"neutone_parameters": {"p1": knob}})
    assert pointer(control) == pytest.approx(degrees, abs=0.1)


def test_the_knobs_of_the_host_say_what_they_stand_for() -> None:
    values = {"wet": 1.0, "dry": 0.0, "input_gain": 0.5, "output_gain": "0.75"}
    controls = read_mix({f"{name}_default_value": value for name, value in values.items()})
    shown = [(control.name, control.default, round(pointer(control))) for control in controls]
    assert shown == [
        ("Dry", "0 %", 45),
        ("Wet", "100 %", 315),
        ("Input gain", "0 dB", 180),
        ("Output gain", "15 dB", 248),
    ]
