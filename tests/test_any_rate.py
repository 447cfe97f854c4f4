"""The queue where host and model have different rates: pitch, delay, cuts, knobs, channels, settings that change."""

import io
import subprocess
import sys
from collections.abc import Sequence
from itertools import permutations
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from neutone_sdk import (
    ModelCard,
    SampleQueueWrapper,
)
from neutone_sdk.errors import InvalidArgumentError, InvalidAudioError

from .conftest import Noise
from .signals import center_of, pulse, sine, snr_db
from .wrappers import MODEL_BLOCK, Delaying, Model, PassThrough, card, delay_of, player, queue, resampling_card

RATES_HZ = (8000, 16000, 22050, 32000, 44100, 48000, 88200, 96000, 176400, 192000)
PAIRS = [*permutations(RATES_HZ, 2), (44100, 47999), (47999, 44100), (384000, 44100), (384000, 8000)]
FEW_PAIRS = [
    (44100, 48000),
    (48000, 44100),
    (48000, 16000),
    (22050, 48000),
    (44100, 47999),
    (384000, 44100),
    (8000, 192000),
]
HOST_BLOCKS = ([512], [1], [64], [97], [128], [441], [1000], [2048], [7, 300, 1, 64])
FEW_HOST_BLOCKS = ([512], [97], [7, 300, 1, 64])


class DelayingMono(Delaying):
    """Delays by 37 samples of its own and says so."""

    def __init__(self, model: nn.Module, card: ModelCard) -> None:
        super().__init__(model, card)
        self.past = torch.zeros(1, 37)


@pytest.fixture(scope="module", params=[PassThrough, Delaying], ids=["pass-through", "delaying"])
def playing(request: pytest.FixtureRequest) -> Model:
    """One for all pairs: to script it for each takes longer than to play it."""
    facts = card(native_sample_rates=sorted({hz for _, hz in PAIRS}), native_buffer_sizes=[MODEL_BLOCK])
    return player(request.param(nn.Identity(), card=facts))


@pytest.mark.parametrize(("host_hz", "model_hz"), FEW_PAIRS)
def test_every_cut_is_the_same(host_hz: int, model_hz: int, playing: Model) -> None:
    plays_cleanly_and_every_cut_the_same(host_hz, model_hz, playing, HOST_BLOCKS)


@pytest.mark.parametrize(("host_hz", "model_hz"), PAIRS)
def test_every_rate_is_clean(host_hz: int, model_hz: int, playing: Model) -> None:
    plays_cleanly_and_every_cut_the_same(host_hz, model_hz, playing, FEW_HOST_BLOCKS)


def plays_cleanly_and_every_cut_the_same(host_hz: int, model_hz: int, play: Model, cuts: Sequence[list[int]]) -> None:
    lower = min(host_hz, model_hz)
    low_hz, high_hz = 997.0 * lower / 44100, min(10_000.0, 0.42 * lower)
    edge = 100 * max(1, host_hz // model_hz)
    n_samples = 2048 + 2 * edge + int((2 * MODEL_BLOCK + 150) / model_hz * host_hz) + host_hz * 2500 // lower
    n_samples += 2048 - n_samples % 2048
    audio = torch.cat([sine(low_hz, host_hz, n_samples), sine(high_hz, host_hz, n_samples)])
    reference = torch.empty(0)
    with torch.inference_mode():
        for blocks in cuts:
            if len(blocks) == 1:
                play.wrapper.set_daw_sample_rate_and_buffer_size(host_hz, blocks[0], model_hz)
            else:
                play.wrapper.set_daw_sample_rate_and_max_buffer_size(host_hz, max(blocks), model_hz)
            in_time = play(audio, blocks)[:, delay_of(play.wrapper) :]
            if reference.numel() == 0:
                reference = in_time
            n_common = min(in_time.size(1), reference.size(1))
            assert torch.equal(in_time[:, :n_common], reference[:, :n_common])

    low, high = reference[:, edge:].double().numpy()
    assert snr_db(low, low_hz, host_hz) >= 130.0
    assert snr_db(high, high_hz, host_hz) >= 115.0


DELAY_TOLERANCE = 0.02  # samples of the host; the sampled filter's centre of gravity, rounded to float32


@pytest.mark.parametrize("model_block", [1, 512, 1000, 2048])
@pytest.mark.parametrize(("host_hz", "model_hz"), FEW_PAIRS)
def test_the_delay_reported_is_that_of_a_pulse(host_hz: int, model_hz: int, model_block: int) -> None:
    wrapper = DelayingMono(nn.Identity(), card=resampling_card(model_hz, block=model_block))
    play = player(wrapper)
    for host_block in (1, 64, 441, 2048):
        play.wrapper.set_daw_sample_rate_and_buffer_size(host_hz, host_block)
        delay = delay_of(play.wrapper)
        at = 400 * max(1, host_hz // model_hz)
        n_samples = delay + 2 * at + host_block
        n_samples += host_block - n_samples % host_block
        with torch.inference_mode():
            played = play(pulse(at, n_samples, 0.2 * min(host_hz, model_hz) / host_hz), [host_block])
        assert abs(center_of(played[0].double().numpy()) - at - delay) <= DELAY_TOLERANCE


@pytest.mark.parametrize(("host_hz", "model_hz"), FEW_PAIRS)
@pytest.mark.parametrize("model_block", [1, 300])
def test_no_smaller_delay_is_possible(host_hz: int, model_hz: int, model_block: int) -> None:
    wrapper = SampleQueueWrapper(PassThrough(nn.Identity(), card=resampling_card(model_hz, block=model_block)))
    wrapper.set_daw_sample_rate_and_buffer_size(host_hz, 64)
    wrapper.delay_samples -= 1
    n_callbacks = model_block * wrapper.stream.down + 1  # after so many everything repeats
    with pytest.raises(RuntimeError, match="the host asks for 64 frames, the stream holds 63"):  # noqa: PT012
        for _ in range(n_callbacks):
            wrapper(torch.zeros(1, 64))


@pytest.mark.parametrize("scripted", [False, True])
def test_a_block_that_does_not_fit_raises_and_the_stream_goes_on(noise: Noise, scripted: bool) -> None:
    facts = resampling_card(44100, mono=False)
    model, other = (queue(PassThrough(nn.Identity(), card=facts), scripted, 100) for _ in range(2))
    for each in (model, other):
        each.set_daw_sample_rate_and_buffer_size(48000, 100)
    for seed in range(12):
        audio = noise(2, 100, seed)
        with pytest.raises((InvalidAudioError, torch.jit.Error), match="set up for blocks of 100 samples, got 99"):
            model(audio[:, :99])
        assert torch.equal(model(audio), other(audio))


@pytest.mark.parametrize("scripted", [False, True])
def test_the_model_gets_its_own_rate_and_block(scripted: bool) -> None:
    class Recording(PassThrough):
        def __init__(self, model: nn.Module, card: ModelCard) -> None:
            super().__init__(model, card=card)
            self.told = [0, 0]
            self.sizes = [0]

        def set_model_sample_rate_and_buffer_size(self, sample_rate: int, n_samples: int) -> bool:
            self.told = [sample_rate, n_samples]
            return True

        def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
            self.sizes.append(x.size(1))
            return x

    model = queue(Recording(nn.Identity(), card=card(native_sample_rates=[16000], native_buffer_sizes=[960])), scripted)
    model.set_daw_sample_rate_and_buffer_size(44100, 512)
    assert model.w2w_base.told == [16000, 960]
    for _ in range(20):
        model(torch.zeros(2, 512))
    assert set(model.w2w_base.sizes[1:]) == {960}
    assert len(model.w2w_base.sizes) - 1 == 20 * 512 * 160 // 441 // 960
    assert model.is_resampling()


def test_a_model_for_any_block_gets_the_hosts_rounded_up() -> None:
    model = SampleQueueWrapper(PassThrough(nn.Identity(), card=card(native_sample_rates=[48000])))
    model.set_daw_sample_rate_and_buffer_size(44100, 441)
    assert (model.model_bs, model.calc_buffering_delay_samples()) == (480, model.calc_resampling_delay_samples())
    model.set_daw_sample_rate_and_buffer_size(44100, 512)
    assert model.model_bs == 558


@pytest.mark.parametrize("model_block", [None, 64, 512])
@pytest.mark.parametrize("rates", [[44000, 50000], [50000, 44000]])
def test_of_two_rates_equally_near_the_one_with_the_lower_latency_wins(
    rates: list[int], model_block: int | None
) -> None:
    facts = card(native_sample_rates=rates, native_buffer_sizes=[64, 512])
    model = SampleQueueWrapper(PassThrough(nn.Identity(), card=facts))
    delays = {}
    for rate in rates:
        model.set_daw_sample_rate_and_buffer_size(47000, 128, rate, model_block)
        delays[rate] = delay_of(model)
    model.set_daw_sample_rate_and_buffer_size(47000, 128, None, model_block)
    assert delays[44000] != delays[50000]
    assert delay_of(model) == min(delays.values())


@pytest.mark.parametrize("scripted", [False, True])
def test_equal_rates_are_a_straight_wire_again(noise: Noise, scripted: bool) -> None:
    model = queue(PassThrough(nn.Identity(), card=card(native_sample_rates=[44100, 48000])), scripted, 100)
    audio = noise(2, 100, 0)
    model.set_daw_sample_rate_and_buffer_size(32000, 100)
    model(audio)
    model.set_daw_sample_rate_and_buffer_size(44100, 100)
    assert torch.equal(model(audio), audio)
    assert not model.is_resampling()
    assert delay_of(model) == 0


@pytest.mark.parametrize("scripted", [False, True])
@pytest.mark.parametrize("setting", [(48000, 64), (96000, 100), (44100, 512), (8000, 64)])
def test_new_settings_and_resets_start_afresh(noise: Noise, scripted: bool, setting: tuple[int, int]) -> None:
    facts = card(native_sample_rates=[44100], native_buffer_sizes=[512])
    audio = noise(2, 40 * setting[1], 1)
    fresh = queue(PassThrough(nn.Identity(), card=facts), scripted)
    fresh.set_daw_sample_rate_and_buffer_size(*setting)
    expected = torch.cat([fresh(block) for block in audio.split(setting[1], dim=1)], dim=1)

    model = queue(PassThrough(nn.Identity(), card=facts), scripted)
    model.set_daw_sample_rate_and_buffer_size(32000, 200)
    model(noise(2, 200, 2))
    model.set_daw_sample_rate_and_buffer_size(*setting)
    for _ in range(2):
        played = torch.cat([model(block) for block in audio.split(setting[1], dim=1)], dim=1)
        assert torch.equal(played, expected)
        model.reset()


def test_two_copies_of_one_file_at_different_settings(noise: Noise) -> None:
    buffer = io.BytesIO()
    facts = card(native_sample_rates=[44100], native_buffer_sizes=[512])
    torch.jit.save(torch.jit.script(SampleQueueWrapper(PassThrough(nn.Identity(), card=facts))), buffer)

    def load(rate_hz: int, size: int) -> Model:
        buffer.seek(0)
        model = torch.jit.load(buffer)
        model.set_daw_sample_rate_and_buffer_size(rate_hz, size)
        return model

    audio = noise(2, 6000, 3)
    alone = []
    for setting in ((48000, 100), (96000, 100)):
        model = load(*setting)
        alone.append(torch.cat([model(block) for block in audio.split(100, dim=1)], dim=1))

    one, other = load(48000, 100), load(96000, 100)
    pairs = [(one(block), other(block)) for block in audio.split(100, dim=1)]

    for blocks, expected in zip(zip(*pairs, strict=True), alone, strict=True):
        assert torch.equal(torch.cat(blocks, dim=1), expected)


@pytest.mark.parametrize("host_channels", [1, 2])
@pytest.mark.parametrize("in_mono", [False, True])
@pytest.mark.parametrize("out_mono", [False, True])
def test_channels_fit_at_any_rate(noise: Noise, host_channels: int, in_mono: bool, out_mono: bool) -> None:
    facts = card(native_sample_rates=[44100], is_input_mono=in_mono, is_output_mono=out_mono)
    model = queue(PassThrough(nn.Identity(), card=facts), scripted=True)
    model.set_daw_sample_rate_and_buffer_size(48000, 480)
    audio = noise(1, 480 * 20, 4).repeat(host_channels, 1)  # both channels alike: no matter how they are mixed
    played = torch.cat([model(block) for block in audio.split(480, dim=1)], dim=1)
    assert played.shape == audio.shape
    mono = queue(PassThrough(nn.Identity(), card=card(native_sample_rates=[44100])), scripted=True)
    mono.set_daw_sample_rate_and_buffer_size(48000, 480)
    expected = torch.cat([mono(block) for block in audio[:1].split(480, dim=1)], dim=1)
    for channel in played:
        assert torch.equal(channel[None], expected)


@pytest.mark.parametrize("scripted", [False, True])
@pytest.mark.parametrize(("host_hz", "model_hz"), [(44100, 48000), (48000, 16000)])
@pytest.mark.parametrize("n_samples", [1, 300, 10_001])
def test_offline_is_real_time_without_the_delay(
    noise: Noise, scripted: bool, host_hz: int, model_hz: int, n_samples: int
) -> None:
    model = queue(Delaying(nn.Identity(), card=resampling_card(model_hz, mono=False)), scripted)
    model.set_daw_sample_rate_and_buffer_size(host_hz, 300)
    audio = noise(2, n_samples, 5)
    offline = model.forward_offline(audio)
    delay = delay_of(model)
    n_blocks = -(-(n_samples + delay) // 300)
    padded = nn.functional.pad(audio, (0, n_blocks * 300 - n_samples))
    played = torch.cat([model(block) for block in padded.split(300, dim=1)], dim=1)
    assert torch.equal(offline, played[:, delay : delay + n_samples])


@pytest.mark.parametrize("scripted", [False, True])
def test_everything_that_is_ready_is_the_same_stream_without_buffering(noise: Noise, scripted: bool) -> None:
    model = queue(Delaying(nn.Identity(), card=resampling_card(48000, mono=False)), scripted)
    model.set_daw_sample_rate_and_buffer_size(44100, 200)
    audio = noise(2, 200 * 60, 6)
    blocks = [model.forward_bt(block) for block in audio.split(200, dim=1)]
    ready = torch.cat([block for block in blocks if block is not None], dim=1)
    model.reset()
    played = torch.cat([model(block) for block in audio.split(200, dim=1)], dim=1)
    buffering = model.calc_buffering_delay_samples()
    n_common = played.size(1) - buffering
    assert ready.size(1) >= n_common
    assert torch.equal(ready[:, :n_common], played[:, buffering:])


COLLECTED_BLOCKS = (1, 64, 512)


@pytest.fixture(scope="module")
def at_any_rate() -> Model:
    """Set up anew by each test: to script one for each pair takes longer than to play it."""
    rates = sorted({model_hz for _, model_hz in FEW_PAIRS})
    facts = card(
        native_sample_rates=rates, native_buffer_sizes=COLLECTED_BLOCKS, is_input_mono=True, is_output_mono=True
    )
    return queue(PassThrough(nn.Identity(), card=facts), scripted=True)


@pytest.mark.parametrize("model_block", COLLECTED_BLOCKS)
@pytest.mark.parametrize("host_block", [1, 16, 64, 441, 2048])
@pytest.mark.parametrize(("host_hz", "model_hz"), FEW_PAIRS)
def test_nothing_is_lost_whatever_blocks_are_collected_at_once(
    noise: Noise, at_any_rate: Model, host_hz: int, model_hz: int, host_block: int, model_block: int
) -> None:
    model = at_any_rate
    model.set_daw_sample_rate_and_buffer_size(host_hz, host_block, model_hz, model_block)
    n_samples = model.calc_buffering_delay_samples() + 2 * host_block
    audio = noise(1, n_samples - n_samples % host_block, 6)
    blocks = [model.forward_bt(block) for block in audio.split(host_block, dim=1)]
    ready = torch.cat([block for block in blocks if block is not None], dim=1)
    offline = model.forward_offline(audio)[:, : ready.size(1)]
    # Near the end of the clip the one has looked into silence, the other waits.
    assert torch.equal(ready[:, : offline.size(1)], offline)
    assert ready.size(1) >= audio.size(1) - model.calc_buffering_delay_samples()


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_what_is_not_finite_is_gone_after_the_filters_length(noise: Noise, bad: float) -> None:
    model = queue(PassThrough(nn.Identity(), card=resampling_card(48000, mono=False, block=64)), scripted=True)
    model.set_daw_sample_rate_and_buffer_size(44100, 64)
    audio = noise(2, 64 * 40, 7)
    expected = torch.cat([model(block) for block in audio.split(64, dim=1)], dim=1)
    model.reset()
    audio[0, 640] = bad
    played = torch.cat([model(block) for block in audio.split(64, dim=1)], dim=1)
    touched = (played != expected).nonzero()[:, 1] - delay_of(model) - 640
    assert not played.isfinite().all()
    assert -90 <= touched.min() <= touched.max() <= 90


@pytest.mark.parametrize("scripted", [False, True])
@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ((768_001, 64), r"rates must be in 1\.\.768000 Hz, got 768001 and 44100"),
        ((100, 64), "one rate may be at most 256 times the other, got 100 and 44100"),
        ((0, 64), "rate and block size must be above 0, got 0 Hz"),
        ((48_000, 0), "rate and block size must be above 0, got 48000 Hz and 0"),
        ((48_000, 64, 48_000), "the model works at"),
    ],
)
def test_settings_that_make_no_sense_are_refused_and_change_nothing(
    noise: Noise, scripted: bool, setting: tuple[int, ...], message: str
) -> None:
    model = queue(PassThrough(nn.Identity(), card=resampling_card(44100, mono=False)), scripted)
    model.set_daw_sample_rate_and_buffer_size(48000, 100)
    audio = noise(2, 2000, 8)
    expected = torch.cat([model(block) for block in audio.split(100, dim=1)], dim=1)
    model.reset()
    played = [model(block) for block in audio[:, :1000].split(100, dim=1)]
    with pytest.raises((InvalidArgumentError, torch.jit.Error), match=message):
        model.set_daw_sample_rate_and_buffer_size(*setting)
    played += [model(block) for block in audio[:, 1000:].split(100, dim=1)]
    assert torch.equal(torch.cat(played, dim=1), expected)


LONG_CLIP = """
import resource, sys, torch
from torch import nn
sys.path.insert(0, sys.argv[1])
from tests.wrappers import PassThrough, card
from neutone_sdk import SampleQueueWrapper
facts = card(native_sample_rates=[44100], native_buffer_sizes=[2048], is_input_mono=True, is_output_mono=True)
model = torch.jit.script(SampleQueueWrapper(PassThrough(nn.Identity(), card=facts)))
model.set_daw_sample_rate_and_buffer_size(48000, 2048)
model.forward_offline(torch.zeros(1, 100_000))
clip = torch.zeros(1, 20_000_000)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
out = model.forward_offline(clip)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before - out.numel() * 4 // 1024)
"""


def test_a_long_clip_takes_no_more_memory_than_itself() -> None:
    command = [sys.executable, "-W", "ignore", "-c", LONG_CLIP, str(Path(__file__).parents[1])]
    result = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
    assert int(result.stdout) < 20_000  # KiB; the clip itself has 78 125
