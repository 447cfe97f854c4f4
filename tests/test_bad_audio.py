"""A host's mistake raises one clear error and is then forgotten: the stream goes on as if it had not been made."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from neutone_sdk.errors import InvalidArgumentError, InvalidAudioError, InvalidTypeError, NeutoneError

from .conftest import Noise
from .helpers_existing import RATE_HZ, SCRIPTED, Hosted, Integrates, coarse, hosted, late, raises
from .wrappers import queue

N_BLOCKS = 12
BLOCKS = pytest.mark.parametrize("block", [pytest.param(64, id="direct"), pytest.param(48, id="queued")])


@pytest.fixture(scope="module")
def streams() -> Callable[[int, bool], Any]:
    """The same models for all tests, after a reset."""
    made: dict[tuple[int, bool], Any] = {}

    def get(block: int, scripted: bool) -> Any:
        if (block, scripted) not in made:
            made[block, scripted] = queue(Hosted(Integrates()), scripted, block)
        made[block, scripted].reset()
        return made[block, scripted]

    return get


Streams = Callable[[int, bool], Any]


def knobs(n: int) -> Tensor:
    return torch.full((4, n), 0.5)


def of_dtype(name: str) -> Any:
    return pytest.param(
        lambda n: (torch.zeros(2, n, dtype=getattr(torch, name)), None),
        InvalidTypeError,
        f"audio must be float32, got {name}; scale it",
        id=name,
    )


def not_plain(what: str, view: Callable[[Tensor], Tensor], got: str) -> list[Any]:
    """The same mistake in the audio and in the params."""
    return [
        pytest.param(
            lambda n: (view(torch.zeros(2, n)), None),
            InvalidTypeError,
            f"audio must be a strided tensor on the CPU, got {got}; call",
            id=what,
        ),
        pytest.param(
            lambda n: (torch.zeros(2, n), view(knobs(n))),
            InvalidTypeError,
            f"params must be a strided tensor on the CPU, got {got}; call",
            id=f"{what} params",
        ),
    ]


MISTAKES = [
    *map(of_dtype, ["float64", "float16", "bfloat16", "int64", "int16", "int8", "uint8", "bool"]),
    *map(of_dtype, ["complex64", "complex128"]),
    *not_plain("sparse", lambda x: x.to_sparse(), "sparse_coo on cpu"),
    *not_plain("mkldnn", lambda x: x.to_mkldnn(), "another layout on cpu"),
    *not_plain("meta", lambda x: x.to("meta"), "strided on meta"),
    pytest.param(lambda n: (torch.zeros(2, 0), None), InvalidAudioError, r"at least 1 sample, got \[2, 0\]", id="none"),
    pytest.param(
        lambda n: (torch.zeros(2, n - 1), None),
        InvalidAudioError,
        r"blocks of (64|48) samples, got (63|47)",
        id="short",
    ),
    pytest.param(
        lambda n: (torch.zeros(2, n + 1), None), InvalidAudioError, r"blocks of (64|48) samples, got (65|49)", id="long"
    ),
    pytest.param(
        lambda n: (torch.zeros(3, n), None),
        InvalidAudioError,
        r"1 or 2 channels .* got \[3, (64|48)\]",
        id="3 channels",
    ),
    pytest.param(
        lambda n: (torch.zeros(0, n), None),
        InvalidAudioError,
        r"1 or 2 channels .* got \[0, (64|48)\]",
        id="0 channels",
    ),
    pytest.param(lambda n: (torch.zeros(n), None), InvalidAudioError, r"\(channels, samples\) .* got \[..\]", id="1-D"),
    pytest.param(
        lambda n: (torch.zeros(1, 2, n), None),
        InvalidAudioError,
        r"\(channels, samples\) .* got \[1, 2, ..\]",
        id="3-D",
    ),
    pytest.param(
        lambda n: (torch.zeros(2, n), knobs(n)[:3]), InvalidAudioError, r"params must .* got \[3, ..\]", id="3 params"
    ),
    pytest.param(
        lambda n: (torch.zeros(2, n), knobs(n - 1)),
        InvalidAudioError,
        r"params must .* got \[4, ..\]",
        id="short params",
    ),
    pytest.param(
        lambda n: (torch.zeros(2, n), knobs(0)), InvalidAudioError, r"params must .* got \[4, 0\]", id="empty params"
    ),
    pytest.param(
        lambda n: (torch.zeros(2, n), knobs(n)[0]), InvalidAudioError, r"params must .* got \[..\]", id="1-D params"
    ),
    pytest.param(
        lambda n: (torch.zeros(2, n), knobs(n).double()),
        InvalidTypeError,
        r"params must be float32, got float64",
        id="float64 params",
    ),
    pytest.param(
        lambda n: (torch.zeros(2, n), knobs(n).long()),
        InvalidTypeError,
        r"params must be float32, got int64",
        id="int64 params",
    ),
]


@SCRIPTED
@BLOCKS
@pytest.mark.parametrize(("mistake", "kind", "message"), MISTAKES)
def test_stream_goes_on_as_if_the_mistake_had_not_been_made(
    mistake: Callable[[int], tuple[Tensor, Tensor | None]],
    kind: type[NeutoneError],
    message: str,
    block: int,
    scripted: bool,
    streams: Streams,
    noise: Noise,
) -> None:
    audio, curves = coarse(noise(2, N_BLOCKS * block, seed=0)), 0.5 + 0.5 * noise(4, N_BLOCKS * block, seed=1)
    blocks = list(zip(audio.split(block, dim=1), curves.split(block, dim=1), strict=True))
    stream = streams(block, scripted)

    with torch.no_grad():
        undisturbed = [stream(x, params) for x, params in blocks]
        stream.reset()
        disturbed = []
        for x, params in blocks:
            with raises(scripted, kind, message):
                stream(*mistake(block))
            disturbed.append(stream(x, params))

    assert torch.equal(torch.cat(disturbed, dim=1), torch.cat(undisturbed, dim=1))


@SCRIPTED
@pytest.mark.parametrize(("mistake", "kind", "message"), MISTAKES)
def test_model_itself_goes_on_as_if_the_mistake_had_not_been_made(
    mistake: Callable[[int], tuple[Tensor, Tensor | None]],
    kind: type[NeutoneError],
    message: str,
    scripted: bool,
    streams: Streams,
    noise: Noise,
) -> None:
    audio = coarse(noise(2, N_BLOCKS * 64, seed=0))
    model = streams(64, scripted).w2w_base
    wrong_size = "blocks of" in message

    outputs = []
    with torch.no_grad():
        for block in audio.split(64, dim=1):
            with raises(scripted, InvalidArgumentError if wrong_size else kind, "blocks of" if wrong_size else message):
                model(*mistake(64))
            outputs.append(model(block))

    assert torch.equal(torch.cat(outputs, dim=1), hosted(audio))


@SCRIPTED
def test_model_itself_says_when_it_gets_mono_for_stereo(scripted: bool, streams: Streams) -> None:
    with raises(
        scripted, InvalidAudioError, r"audio must have shape \(2, samples\), as is_input_mono\(\) says, got \[1, 64\]"
    ):
        streams(64, scripted).w2w_base(torch.zeros(1, 64))


@SCRIPTED
@pytest.mark.parametrize(("mistake", "kind", "message"), MISTAKES)
def test_error_of_a_script_has_the_text_of_the_error_in_python(
    mistake: Callable[[int], tuple[Tensor, Tensor | None]],
    kind: type[NeutoneError],
    message: str,
    scripted: bool,
    streams: Streams,
) -> None:
    with pytest.raises(kind, match=message) as in_python:
        streams(48, False)(*mistake(48))

    with raises(scripted, kind, message) as here:
        streams(48, scripted)(*mistake(48))

    assert f"{kind.__name__}: {in_python.value}" in f"{type(here.value).__name__}: {here.value}"


@SCRIPTED
@BLOCKS
def test_a_refused_setting_or_clip_does_not_disturb_the_stream(
    block: int, scripted: bool, streams: Streams, noise: Noise
) -> None:
    audio = coarse(noise(2, N_BLOCKS * block, seed=0))
    stream = streams(block, scripted)

    outputs = []
    with torch.no_grad():
        for x in audio.split(block, dim=1):
            with raises(scripted, InvalidArgumentError, r"above 0, got 0 Hz and 64 samples"):
                stream.set_daw_sample_rate_and_buffer_size(0, 64)
            with raises(scripted, InvalidArgumentError, r"works on blocks of \[64, 128\] .* got 100"):
                stream.set_daw_sample_rate_and_buffer_size(RATE_HZ, 64, RATE_HZ, 100)
            with raises(scripted, InvalidTypeError, r"audio must be float32"):
                stream.forward_offline(audio.double())
            with raises(scripted, InvalidAudioError, r"params must have shape"):
                stream.forward_offline(audio, torch.zeros(4, 5))
            with raises(scripted, InvalidAudioError, r"1 or 2 channels"):
                stream.forward_bt(torch.zeros(3, block))
            outputs.append(stream(x))

    assert torch.equal(torch.cat(outputs, dim=1), late(hosted(audio), stream.calc_buffering_delay_samples()))


def transposed(x: Tensor) -> Tensor:
    return x.t().contiguous().t()


def strided(x: Tensor) -> Tensor:
    return x.repeat_interleave(3, dim=1)[:, ::3]


def offset(x: Tensor) -> Tensor:
    return nn.functional.pad(x, (5, 7, 1, 2))[1:-2, 5:-7]


def reversed_by_flip(x: Tensor) -> Tensor:
    return x.flip(1).contiguous().flip(1)


def interleaved(x: Tensor) -> Tensor:
    return torch.stack([x, -x], dim=2)[:, :, 0]


def negated_lazily(x: Tensor) -> Tensor:
    return torch.complex(x, -x).conj().imag


@SCRIPTED
@pytest.mark.parametrize("block", [64, 256, 48])
@pytest.mark.parametrize("view", [transposed, strided, offset, reversed_by_flip, interleaved, negated_lazily])
def test_views_play_like_contiguous_copies(
    view: Callable[[Tensor], Tensor], block: int, scripted: bool, streams: Streams, noise: Noise
) -> None:
    audio, curves = coarse(noise(2, 1536, seed=0)), 0.5 + 0.5 * noise(4, 1536, seed=1)
    blocks = list(zip(audio.split(block, dim=1), curves.split(block, dim=1), strict=True))
    stream = streams(block, scripted)

    with torch.no_grad():
        expected = [stream(x, params) for x, params in blocks]
        stream.reset()
        actual = [stream(view(x), view(params)) for x, params in blocks]

    assert torch.equal(torch.cat(actual, dim=1), torch.cat(expected, dim=1))


@SCRIPTED
@pytest.mark.parametrize("block", [64, 256, 48])
def test_expanded_views_play_like_contiguous_copies(block: int, scripted: bool, streams: Streams, noise: Noise) -> None:
    audio, knob = coarse(noise(1, 1536, seed=0)), noise(4, 1, seed=1).abs()
    stream = streams(block, scripted)

    with torch.no_grad():
        expected = [stream(x.repeat(2, 1), knob.repeat(1, block)) for x in audio.split(block, dim=1)]
        stream.reset()
        actual = [stream(x.expand(2, -1), knob.expand(4, block)) for x in audio.split(block, dim=1)]

    assert torch.equal(torch.cat(actual, dim=1), torch.cat(expected, dim=1))


@SCRIPTED
def test_views_play_like_contiguous_copies_in_the_model_itself(scripted: bool, streams: Streams, noise: Noise) -> None:
    audio, curves = coarse(noise(2, 64, seed=0)), 0.5 + 0.5 * noise(4, 64, seed=1)
    model = streams(64, scripted).w2w_base

    with torch.no_grad():
        expected = model(audio, curves)
        model.reset()
        actual = model(transposed(audio), strided(curves))

    assert torch.equal(actual, expected)
