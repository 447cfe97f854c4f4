"""Filters as wrappers use them: exact, without clicks, in Python, in TorchScript and under autograd."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.signal
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from neutone_sdk import SampleQueueWrapper, WaveformToWaveformBase
from neutone_sdk.errors import InvalidArgumentError, InvalidAudioError, InvalidTypeError
from neutone_sdk.filters import IIRSVF, Biquads, FilterType, FIRFilter, IIRFilter

from .conftest import Noise
from .wrappers import card, queue

FLOAT32_OUTPUT = 1e-6  # arithmetic is float64; only the stored sample is rounded, to half a step of what it is
RATE = 48_000
LOWPASS, HIGHPASS = FilterType.LOWPASS, FilterType.HIGHPASS
BANDPASS, BANDSTOP = FilterType.BANDPASS, FilterType.BANDSTOP
SOS = scipy.signal.butter(5, [300.0, 3000.0], "bandpass", fs=RATE, output="sos")


def svf_filter() -> nn.Module:
    class Fixed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.svf = IIRSVF()

        def forward(self, audio: Tensor) -> Tensor:
            cutoff, resonance = torch.full((1, 1, 1), 900.0), torch.full((1, 1, 1), 1.5)
            return self.svf(audio, cutoff, resonance, torch.tensor([[[0.5, 1.0, 0.25]]]), 48_000)

        @torch.jit.export
        def reset(self) -> None:
            self.svf.reset()

    return Fixed()


FILTERS: dict[str, Callable[[], Any]] = {
    "fir": lambda: FIRFilter(BANDPASS, [300.0, 3000.0]),
    "long fir": lambda: FIRFilter(LOWPASS, [300.0], 2001),
    "iir": lambda: IIRFilter(BANDSTOP, 1000.0, 2.0),
    "svf": svf_filter,
    "biquads": lambda: Biquads(SOS),
}
BAND = st.sampled_from(["lowpass", "highpass", "bandpass", "bandstop"])


def designs(order: int, cutoff: float, kind: str) -> list[np.ndarray]:
    edges: object = (
        cutoff if kind.endswith("pass") and kind != "bandpass" else [cutoff, min(1.5 * cutoff, 0.495 * RATE)]
    )
    return [
        scipy.signal.butter(order, edges, kind, fs=RATE, output="sos"),
        scipy.signal.cheby1(order, 0.5, edges, kind, fs=RATE, output="sos"),
        scipy.signal.cheby2(order, 60.0, edges, kind, fs=RATE, output="sos"),
    ]


def assert_like_sosfilt(sos: np.ndarray, audio: Tensor) -> None:
    with np.errstate(all="ignore"):
        expected = scipy.signal.sosfilt(sos, audio.double().numpy())
    scale = max(1.0, float(np.abs(expected).max()))
    actual = Biquads(sos)(audio).double().numpy()
    np.testing.assert_allclose(actual, expected, rtol=0, atol=FLOAT32_OUTPUT * scale)


@pytest.mark.parametrize("kind", ["lowpass", "highpass", "bandpass", "bandstop"])
@pytest.mark.parametrize("order", [1, 2, 3, 4, 7, 8])
@pytest.mark.parametrize("cutoff", [10.0, 100.0, 1000.0, 15_000.0, 0.49 * RATE])
def test_biquads_are_scipys(noise: Noise, kind: str, order: int, cutoff: float) -> None:
    for sos in designs(order, cutoff, kind):
        if all(abs(a2) < 1.0 and abs(a1) < 1.0 + a2 for a1, a2 in sos[:, 4:]):  # SciPy's own may not be stable
            assert_like_sosfilt(sos, noise(2, 6000, 0))


FAMILIES = [(name, order) for name in ("butterworth", "chebyshev1", "chebyshev2") for order in range(1, 17)]
FAMILIES += [("linkwitz_riley", order) for order in range(2, 17, 2)]


@pytest.mark.parametrize(("family", "order"), FAMILIES)
@pytest.mark.parametrize("cutoff", [10.0, 1000.0, 0.49 * RATE])
def test_our_designs_run_like_in_scipy(noise: Noise, family: str, order: int, cutoff: float) -> None:
    for kind in ("lowpass", "highpass"):
        sos = torch.ops.neutone.design_iir(family, kind, order, [cutoff], 1.0, float(RATE))
        assert_like_sosfilt(sos.numpy(), noise(2, 4000, 1))


@pytest.mark.parametrize("q", [0.1, 0.7071, 10.0, 100.0])
@pytest.mark.parametrize("cutoff", [10.0, 440.0, 0.49 * RATE])
@pytest.mark.parametrize(
    "kind", ["lowpass", "highpass", "bandpass", "notch", "peak", "lowshelf", "highshelf", "allpass"]
)
def test_equalizers_run_like_in_scipy(noise: Noise, kind: str, cutoff: float, q: float) -> None:
    sos = torch.ops.neutone.design_biquad(kind, cutoff, q, 6.0, float(RATE))
    assert_like_sosfilt(sos.numpy(), noise(2, 4000, 2))


@pytest.mark.parametrize("scripted", [False, True], ids=["python", "scripted"])
@pytest.mark.parametrize("name", FILTERS)
def test_scripts_do_what_python_does(noise: Noise, name: str, scripted: bool) -> None:
    audio = noise(2, 3000, 3)
    module = FILTERS[name]()
    expected = FILTERS[name]()(audio)
    if scripted:
        module = torch.jit.script(module)
    assert torch.equal(torch.cat([module(block) for block in audio.split(277, dim=1)], dim=1), expected)
    module.reset()
    assert torch.equal(module(audio), expected)


@settings(deadline=None, max_examples=40)
@given(
    name=st.sampled_from(list(FILTERS)),
    blocks=st.lists(st.integers(0, 300), min_size=1, max_size=12),
    n_channels=st.integers(1, 5),
    seed=st.integers(0, 2**32 - 1),
)
def test_how_the_stream_is_cut_does_not_change_the_output(
    name: str, blocks: list[int], n_channels: int, seed: int
) -> None:
    audio = torch.randn(n_channels, sum(blocks), generator=torch.Generator().manual_seed(seed))
    whole = FILTERS[name]()(audio)
    stream = FILTERS[name]()
    cut = torch.cat([stream(block) for block in audio.split(blocks, dim=1)], dim=1)
    assert torch.equal(cut, whole)


@pytest.mark.parametrize("name", FILTERS)
def test_input_is_not_written_to_and_output_is_the_callers(noise: Noise, name: str) -> None:
    module, audio = FILTERS[name](), noise(2, 500, 4)
    kept = audio.clone()
    first = module(audio)
    kept_first = first.clone()
    module(noise(2, 500, 5))
    assert torch.equal(audio, kept)
    assert torch.equal(first, kept_first)


@pytest.mark.parametrize("name", FILTERS)
def test_another_number_of_channels_starts_afresh(noise: Noise, name: str) -> None:
    module = FILTERS[name]()
    module(noise(2, 700, 6))
    assert torch.equal(module(noise(3, 700, 7)), FILTERS[name]()(noise(3, 700, 7)))


def gain_db(module: nn.Module, frequency_hz: float, rate: int = RATE) -> float:
    n_samples = rate
    phases = 2.0 * math.pi * frequency_hz / rate * torch.arange(n_samples, dtype=torch.float64)
    filtered = module(torch.sin(phases).float()[None])[0, n_samples // 2 :].double()
    basis = torch.stack([torch.sin(phases), torch.cos(phases)], dim=1)[n_samples // 2 :]
    return float(20.0 * torch.linalg.lstsq(basis, filtered[:, None]).solution.norm().log10())


@pytest.mark.parametrize("rate", [44_100, 48_000, 96_000])
@pytest.mark.parametrize("cutoff", [100.0, 1000.0, 10_000.0])
@pytest.mark.parametrize(
    ("kind", "resonance", "expected_db"),
    [
        (LOWPASS, math.sqrt(0.5), -3.0103),
        (HIGHPASS, math.sqrt(0.5), -3.0103),
        (BANDPASS, 4.0, 0.0),
        (LOWPASS, 2.0, 6.0206),
    ],
)
def test_the_corner_is_where_it_was_asked_for(
    kind: FilterType, resonance: float, expected_db: float, cutoff: float, rate: int
) -> None:
    module = IIRFilter(kind, cutoff, resonance, sample_rate=rate)
    assert gain_db(module, cutoff, rate) == pytest.approx(expected_db, abs=0.001)


def test_a_band_stop_takes_out_its_centre() -> None:
    module = IIRFilter(BANDSTOP, 1000.0, 1.0)
    assert gain_db(module, 1000.0) < -80.0
    assert gain_db(module, 20.0) == pytest.approx(0.0, abs=0.01)


@pytest.mark.parametrize(
    ("kind", "cutoffs", "passes", "stops"),
    [
        (LOWPASS, [2000.0], [20.0, 1000.0], [4000.0, 20_000.0]),
        (HIGHPASS, [4000.0], [6000.0, 20_000.0], [100.0, 2000.0]),
        (BANDPASS, [3000.0, 9000.0], [5000.0, 7000.0], [500.0, 12_000.0]),
        (BANDSTOP, [3000.0, 9000.0], [500.0, 12_000.0], [5000.0, 7000.0]),
    ],
)
def test_a_fir_filter_passes_and_stops(
    kind: FilterType, cutoffs: list[float], passes: list[float], stops: list[float]
) -> None:
    for frequency in passes:
        assert gain_db(FIRFilter(kind, cutoffs), frequency) == pytest.approx(0.0, abs=0.001)
    for frequency in stops:
        assert gain_db(FIRFilter(kind, cutoffs), frequency) < -90.0


@pytest.mark.parametrize("size", [1, 31, 257, 1001])
def test_the_delay_of_a_fir_filter_is_exact(size: int) -> None:
    module = FIRFilter(LOWPASS, [6000.0], size)
    assert module.delay == size // 2
    impulse = torch.zeros(1, 3000)
    impulse[0, 700] = 1.0
    response = module(impulse)[0]
    assert int(response.argmax()) == 700 + module.delay
    around = response[700 : 700 + size]
    torch.testing.assert_close(around, around.flip(0), rtol=0, atol=FLOAT32_OUTPUT)


CHANGES: dict[str, tuple[Any, dict[str, Any]]] = {
    "fir": (FIRFilter(LOWPASS, [800.0]), {"cutoffs": [6000.0]}),
    "fir kind": (FIRFilter(LOWPASS, [800.0]), {"filt_type": HIGHPASS}),
    "fir rate": (FIRFilter(LOWPASS, [800.0]), {"sample_rate": 96_000}),
    "iir": (IIRFilter(LOWPASS, 800.0, 0.7), {"cutoff": 8000.0}),
    "iir kind": (IIRFilter(LOWPASS, 800.0, 0.7), {"filt_type": HIGHPASS}),
    "iir resonance": (IIRFilter(BANDPASS, 200.0, 0.7), {"resonance": 9.0}),
    "iir rate": (IIRFilter(LOWPASS, 800.0, 0.7), {"sample_rate": 96_000}),
}


@pytest.mark.parametrize("name", CHANGES)
def test_parameters_change_without_a_click(name: str) -> None:
    module, change = CHANGES[name]
    module.reset()
    tone = torch.sin(2.0 * math.pi * 200.0 / RATE * torch.arange(6 * 4800, dtype=torch.float64)).float()[None]
    blocks = list(tone.split(480, dim=1))
    played = [module(block) for block in blocks[:30]]
    module.set_parameters(**change)
    played += [module(block) for block in blocks[30:]]
    samples = torch.cat(played, dim=1)[0, 2000:].double()
    # A click is all frequencies; what is left above 2 kHz of a tone of 200 Hz is rounding, and the fade's own edge.
    clicks = scipy.signal.sosfilt(scipy.signal.butter(8, 2000.0, "highpass", fs=RATE, output="sos"), samples.numpy())
    assert 20.0 * np.log10(np.abs(clicks[1000:]).max()) < -70.0


@pytest.mark.parametrize("name", CHANGES)
def test_how_a_change_is_cut_changes_no_bit(noise: Noise, name: str) -> None:
    module, change = CHANGES[name]
    audio = noise(2, 3000, 15)
    kept = {key: getattr(module, key) for key in change}

    def played(block: int) -> Tensor:
        module.set_parameters(**kept)
        module.reset()
        parts = [module(audio[:, :100])]
        module.set_parameters(**change)
        parts += [module(part) for part in audio[:, 100:].split(block, dim=1)]
        return torch.cat(parts, dim=1)

    expected = played(2900)
    for block in (1, 7, 960, 1000):
        assert torch.equal(played(block), expected)
    module.set_parameters(**kept)


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        (torch.zeros(1, 2, 512), InvalidAudioError),
        (torch.zeros(512), InvalidAudioError),
        (torch.zeros(()), InvalidAudioError),
        (torch.zeros(3, 512, dtype=torch.float64), InvalidTypeError),
    ],
)
@pytest.mark.parametrize("name", [name for name in FILTERS if name != "svf"])
def test_a_block_that_is_refused_changes_nothing(noise: Noise, name: str, wrong: Tensor, error: type) -> None:
    module, other = FILTERS[name](), FILTERS[name]()
    first, second = noise(2, 300, 16), noise(2, 300, 17)
    module(first)
    other(first)
    with pytest.raises(error, match="audio must"):
        module(wrong)
    assert torch.equal(module(second), other(second))


@pytest.mark.parametrize("name", FILTERS)
def test_inference_mode_and_float_leave_a_filter_usable(noise: Noise, name: str) -> None:
    audio = noise(1, 500, 18)
    module = FILTERS[name]().float()
    with torch.inference_mode():
        module(audio)
    module.reset()
    assert torch.equal(module(audio), FILTERS[name]()(audio))


def test_settings_in_whole_numbers_script_too() -> None:
    fir, iir = FIRFilter(LOWPASS, [1000]), IIRFilter(LOWPASS, 1000, 1)
    fir.set_parameters(cutoffs=[2000])
    iir.set_parameters(cutoff=2000, resonance=2)
    for module in (fir, iir):
        torch.jit.script(module)(torch.zeros(2, 8))


def test_settings_of_another_type_are_refused() -> None:
    wrong: Any
    for module, wrong, message in (
        (FIRFilter(LOWPASS, [1000.0]), {"filt_type": "lowpass"}, "filt_type must be a FilterType"),
        (FIRFilter(LOWPASS, [1000.0]), {"cutoffs": 1000.0}, "cutoffs must be a list of numbers"),
        (FIRFilter(LOWPASS, [1000.0]), {"filt_size": 257.0}, "filt_size must be an integer"),
        (IIRFilter(LOWPASS, 1000.0, 1.0), {"sample_rate": 44_100.0}, "sample_rate must be an integer"),
    ):
        with pytest.raises(InvalidTypeError, match=message):
            module.set_parameters(**wrong)


def test_a_change_that_is_refused_changes_nothing(noise: Noise) -> None:
    audio = noise(2, 500, 8)
    for module, change in (
        (FIRFilter(LOWPASS, [800.0]), {"cutoffs": [30_000.0]}),
        (IIRFilter(LOWPASS, 15_000.0, 0.7), {"sample_rate": 22_050}),
    ):
        kept = module(audio)
        module.reset()
        with pytest.raises(InvalidArgumentError, match="below"):
            module.set_parameters(**change)
        assert torch.equal(module(audio), kept)


@pytest.mark.parametrize("name", FILTERS)
def test_gradients_are_those_of_the_same_filter(noise: Noise, name: str) -> None:
    n_samples = 120
    audio = noise(2, n_samples, 9).requires_grad_()
    filtered = FILTERS[name]()(audio)
    with torch.no_grad():
        torch.testing.assert_close(filtered.detach(), FILTERS[name]()(audio.detach()), rtol=0, atol=FLOAT32_OUTPUT)
        impulse = torch.zeros(1, n_samples)
        impulse[0, 0] = 1.0
        response = FILTERS[name]()(impulse)[0]
    # The last output depends on input n - k by the impulse response at k.
    filtered[0, -1].backward()
    assert audio.grad is not None
    torch.testing.assert_close(audio.grad[0].flip(0), response, rtol=1e-4, atol=FLOAT32_OUTPUT)
    assert not audio.grad[1].any()


def test_controls_of_the_svf_have_gradients(noise: Noise) -> None:
    cutoff = torch.full((1, 1, 1), 500.0, requires_grad=True)
    resonance = torch.full((1, 1, 1), 2.0, requires_grad=True)
    mix = torch.tensor([[[0.2, 1.0, 0.3]]], requires_grad=True)

    def energy() -> Tensor:
        return IIRSVF()(noise(1, 200, 10), cutoff, resonance, mix, RATE).square().sum()

    energy().backward()
    for control, step in ((cutoff, 0.5), (resonance, 2e-3), (mix, 1e-3)):
        assert control.grad is not None
        kept = control.data.clone()
        sides = []
        for sign in (1.0, -1.0):
            control.data = kept.clone()
            control.data.view(-1)[0] += sign * step
            with torch.no_grad():
                sides.append(float(energy()))
        control.data = kept
        slope = (sides[0] - sides[1]) / (2.0 * step)
        assert float(control.grad.view(-1)[0]) == pytest.approx(slope, rel=2e-2, abs=1e-4)


def test_a_call_with_gradients_leaves_the_stream_where_it_is(noise: Noise) -> None:
    for make in FILTERS.values():
        first, second = noise(2, 300, 11), noise(2, 300, 12)
        expected = make()(torch.cat([first, second], dim=1))[:, 300:]
        module = make()
        module(first)
        module(noise(2, 50, 13).requires_grad_())
        assert torch.equal(module(second), expected)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
@pytest.mark.parametrize("name", FILTERS)
def test_what_is_not_finite_is_gone_in_the_end(noise: Noise, name: str, bad: float) -> None:
    module, audio = FILTERS[name](), noise(2, 12_000, 14)
    audio[0, 100] = bad
    filtered = module(audio)
    assert filtered[1].isfinite().all()
    assert filtered[0, 7000:].isfinite().all()


class Prefiltered(WaveformToWaveformBase):
    """Tunes its filter to the rate that it is told."""

    def __init__(self, model: nn.Module, **facts: object) -> None:
        super().__init__(model, card=card(**facts))
        self.prefilter = IIRFilter(LOWPASS, 15_000.0, 0.7071)

    def set_model_sample_rate_and_buffer_size(self, sample_rate: int, n_samples: int) -> bool:
        self.prefilter.set_parameters(sample_rate=sample_rate)
        return True

    def reset_model(self) -> bool:
        self.prefilter.reset()
        return True

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return self.prefilter(x)


@pytest.mark.parametrize("rate", [44_100, 96_000])
def test_a_wrapper_tunes_its_filter_to_the_hosts_rate(rate: int) -> None:
    model = queue(Prefiltered(nn.Identity()), scripted=True)
    model.set_daw_sample_rate_and_buffer_size(rate, rate // 10)

    class Played(nn.Module):
        def forward(self, audio: Tensor) -> Tensor:
            return torch.cat([model(block) for block in audio.expand(2, -1).split(rate // 10, dim=1)], dim=1)[:1]

    assert gain_db(Played(), 15_000.0, rate) == pytest.approx(-3.01, abs=0.01)


def test_a_rate_that_the_cutoff_does_not_fit_is_an_error_of_the_host_call() -> None:
    model = SampleQueueWrapper(Prefiltered(nn.Identity()))
    message = r"cutoff must be above 0 and below 11025.0 Hz, half the rate of 22050 Hz, got 15000.0"
    with pytest.raises(InvalidArgumentError, match=message):
        model.set_daw_sample_rate_and_buffer_size(22_050, 512)
    assert model.daw_sr == RATE  # the old settings stay


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: FIRFilter(LOWPASS, [0.0]), "cutoffs must be above 0 and below 24000.0 Hz.*, got 0.0"),
        (lambda: FIRFilter(LOWPASS, [-5.0]), "cutoffs must be above 0.*got -5.0"),
        (lambda: FIRFilter(LOWPASS, [24_000.0]), "cutoffs must be.*below 24000.0 Hz.*got 24000.0"),
        (lambda: FIRFilter(LOWPASS, [math.nan]), "cutoffs must be above 0.*got nan"),
        (lambda: FIRFilter(LOWPASS, [100.0, 200.0]), "cutoffs must have 1 for a lowpass, got"),
        (lambda: FIRFilter(BANDPASS, [100.0]), "cutoffs must have 2 for a bandpass, got"),
        (lambda: FIRFilter(BANDSTOP, [200.0, 100.0]), "cutoffs must have the lower one first, got"),
        (lambda: FIRFilter(BANDSTOP, [200.0, 200.0]), "cutoffs must have the lower one first, got"),
        (
            lambda: FIRFilter(LOWPASS, [100.0], 256),
            "filt_size must be odd, for a delay of whole samples, in 1..1048575, got 256",
        ),
        (lambda: FIRFilter(LOWPASS, [100.0], 0), "filt_size must be odd"),
        (lambda: FIRFilter(LOWPASS, [100.0], sample_rate=0), r"sample_rate must be in 1\.\.768000 Hz, got 0"),
        (lambda: IIRFilter(LOWPASS, 24_000.0, 0.7), "cutoff must be above 0 and below 24000.0 Hz.*got 24000.0"),
        (lambda: IIRFilter(LOWPASS, 0.0, 0.7), "cutoff must be above 0.*got 0.0"),
        (lambda: IIRFilter(LOWPASS, math.nan, 0.7), "cutoff must be above 0.*got nan"),
        (lambda: IIRFilter(LOWPASS, 100.0, 0.0), "resonance must be above 0 and at most 1e6, got 0.0"),
        (lambda: IIRFilter(LOWPASS, 100.0, math.nan), "resonance must be above 0 and at most 1e6, got nan"),
        (lambda: Biquads(np.zeros((2, 5))), r"sos must have shape \(sections, 6\) with 1 to 64 sections, got \(2, 5\)"),
        (lambda: Biquads(np.zeros((0, 6))), r"sos must have shape \(sections, 6\)"),
        (lambda: Biquads([[1.0, 0, 0, 0.0, 0, 0]]), "row 0 of sos must have finite numbers and an a0 other than 0"),
        (lambda: Biquads([[math.nan, 0, 0, 1.0, 0, 0]]), "row 0 of sos must have finite numbers"),
        (
            lambda: Biquads([[1.0, 0, 0, 1.0, 0, 0.5], [1.0, 0, 0, 1.0, -2.0, 1.0]]),
            "row 1 of sos is unstable: a1 = -2.0",
        ),
    ],
)
def test_what_makes_no_filter_is_refused(make: object, message: str) -> None:
    with pytest.raises(InvalidArgumentError, match=message):
        make()  # type: ignore[operator]


WRONG_TYPE: Any = ("lowpass", [100.0])
WRONG_CUTOFFS: Any = (LOWPASS, 100.0)
WRONG_CUTOFF: Any = (LOWPASS, "100", 0.7)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: FIRFilter(*WRONG_TYPE), "filt_type must be a FilterType, got 'lowpass'"),
        (lambda: FIRFilter(*WRONG_CUTOFFS), "cutoffs must be a list of numbers, got 100.0"),
        (lambda: IIRFilter(*WRONG_CUTOFF), "cutoff must be a number, got '100'"),
        (lambda: Biquads("lowpass"), r"sos must be numbers of shape \(sections, 6\), got 'lowpass'"),
    ],
)
def test_what_is_of_another_type_is_refused(make: object, message: str) -> None:
    with pytest.raises(InvalidTypeError, match=message):
        make()  # type: ignore[operator]


def test_the_response_is_that_of_scipy() -> None:
    frequencies = np.geomspace(10.0, 20_000.0, 50)
    _, expected = scipy.signal.sosfreqz(SOS, frequencies, fs=RATE)
    np.testing.assert_allclose(Biquads(SOS).response(frequencies, RATE), expected, rtol=1e-9, atol=1e-12)
