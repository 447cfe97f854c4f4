"""Where latency comes from: what a model sees and what a host gets, and the delay for every size of host blocks."""

from typing import Final

import torch
from torch import Tensor, nn

from neutone_sdk import ModelCard, SampleQueueWrapper, WaveformToWaveformBase
from tools.pictures.svg import GREY, LINES, TINTS, Drawing

HOST_BLOCK: Final = 3
MODEL_BLOCK: Final = 4
N_CALLBACKS: Final = 5
LONG_BLOCK: Final = 2048
HOST_BLOCKS: Final = (64, 128, 256, 441, 512, 960, 1024, 2000, 2048, 4096)

_CELL: Final = 27
_GAP: Final = 36
_GROUP: Final = 62
_BAR: Final = 16
_LEFT: Final = 150
_SILENCE: Final = "#eeeeee"


class Watched(WaveformToWaveformBase):
    """Gives back what it gets, and remembers it."""

    def __init__(self, card: ModelCard) -> None:
        super().__init__(nn.Identity(), card=card)
        self.seen: list[list[int]] = []

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:  # noqa: ARG002
        """Return a block as it is."""
        self.seen.append([round(value) for value in x[0].tolist()])
        return x


def watched(rates: list[int], block: int) -> Watched:
    """Return a mono model that works at these rates in Hz, on blocks of one size."""
    card = ModelCard(
        name="watched",
        authors=["Nobody"],
        short_description="Gives back what it gets.",
        is_input_mono=True,
        is_output_mono=True,
        native_sample_rates=rates,
        native_buffer_sizes=[block],
    )
    return Watched(card)


def draw() -> str:
    """Return the picture."""
    drawing = Drawing(760, 640, "Latency of buffering: single samples, and by the size of the host's blocks")
    _draw_callbacks(drawing)
    _draw_sizes(drawing, top=330)
    return drawing.finished()


def _draw_callbacks(drawing: Drawing) -> None:
    """Draw what happens to numbered samples; sample 1 is the first, so that silence differs from all of them."""
    model = watched([], MODEL_BLOCK)
    queue = SampleQueueWrapper(model, daw_bs=HOST_BLOCK)
    delay = queue.calc_buffering_delay_samples()
    drawing.text(20, 28, f"A host with blocks of {HOST_BLOCK}, a model with blocks of {MODEL_BLOCK}", 16, weight="bold")
    for y, text in ((84, "the host brings"), (148, "the model runs on"), (212, "the host gets")):
        drawing.text(_LEFT - 20, y + 20, text, anchor="end")
    width = HOST_BLOCK * _CELL
    for callback in range(N_CALLBACKS):
        x = _LEFT + callback * (width + _GAP)
        drawing.text(x + width / 2, 66, f"callback {callback + 1}", 12, "middle", GREY)
        first = callback * HOST_BLOCK + 1
        given = list(range(first, first + HOST_BLOCK))
        model.seen.clear()
        got = [round(value) for value in queue(torch.tensor([given], dtype=torch.float32))[0].tolist()]
        _draw_samples(drawing, x, 84, given)
        for block in model.seen:
            _draw_samples(drawing, x + (width - len(block) * _CELL) / 2, 148, block)
        if not model.seen:
            drawing.text(x + width / 2, 168, "waits", 12, "middle", GREY)
        _draw_samples(drawing, x, 212, got)
    formula = f"delay = model block - gcd(host block, model block) = {MODEL_BLOCK} - 1 = {delay} samples of silence;"
    drawing.text(_LEFT, 272, formula)
    drawing.text(_LEFT, 292, "with one less, the first callback would lack a sample.")


def _draw_samples(drawing: Drawing, x: float, y: float, samples: list[int]) -> None:
    for place, sample in enumerate(samples):
        tint = TINTS[(sample - 1) // MODEL_BLOCK % len(TINTS)] if sample else _SILENCE
        drawing.box(x + place * _CELL, y, _CELL, 30, tint)
        drawing.text(x + (place + 0.5) * _CELL, y + 20, str(sample or "0"), anchor="middle")


def _draw_sizes(drawing: Drawing, top: float) -> None:
    """Draw the delay by the size of the host's blocks."""
    left, bottom, height = 90, top + 230, 160
    drawing.text(20, top + 14, f"Any host, a model with blocks of {LONG_BLOCK}", 16, weight="bold")
    drawing.text(left, top + 46, "delay, samples of the host", 12, colour=GREY)
    for delay in range(0, LONG_BLOCK + 1, LONG_BLOCK // 4):
        y = bottom - delay / LONG_BLOCK * height
        drawing.line([(left, y), (left + _GROUP * len(HOST_BLOCKS), y)], "#dddddd")
        drawing.text(left - 8, y + 4, str(delay), 11, "end", GREY)
    for number, (what, colour, delays) in enumerate(_series()):
        for group, delay in enumerate(delays):
            bar = delay / LONG_BLOCK * height
            drawing.box(left + _GROUP * group + 6 + _BAR * number, bottom - bar, _BAR, bar, colour, colour)
        drawing.box(left + 220 * number, bottom + 50, 10, 10, colour, colour)
        drawing.text(left + 220 * number + 16, bottom + 59, what, 12)
    for group, block in enumerate(HOST_BLOCKS):
        drawing.text(left + _GROUP * (group + 0.5), bottom + 18, str(block), 11, "middle", GREY)
    drawing.text(left + _GROUP * len(HOST_BLOCKS), bottom + 36, "host block, samples", 12, "end", GREY)


def _series() -> list[tuple[str, str, list[int]]]:
    """Return what there is to draw: what it is, its colour, and the delay for each size of the host's blocks."""
    same, other = SampleQueueWrapper(watched([], LONG_BLOCK)), SampleQueueWrapper(watched([48_000], LONG_BLOCK))
    fixed, changing, resampled = (list[int]() for _ in range(3))
    for block in HOST_BLOCKS:
        same.set_daw_sample_rate_and_buffer_size(48_000, block)
        fixed.append(same.calc_buffering_delay_samples())
        same.set_daw_sample_rate_and_max_buffer_size(48_000, block)
        changing.append(same.calc_buffering_delay_samples())
        other.set_daw_sample_rate_and_buffer_size(44_100, block)
        resampled.append(other.calc_buffering_delay_samples())
    whats = ("same rate, blocks of that size", "same rate, blocks up to that size", "host 44.1 kHz, model 48 kHz")
    return list(zip(whats, LINES, (fixed, changing, resampled), strict=True))
