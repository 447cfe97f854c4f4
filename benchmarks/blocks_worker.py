"""Time streaming model blocks of the library that is named; print JSON. Started by ``benchmarks/blocks.py``.

Runs on this package and on 1.x alike, so it uses the interface that both have.
"""

import json
import sys
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn

ROUND_SECONDS = 0.003  # so short that another process seldom falls into one
N_ROUNDS = 20

# Channels in and out, taps, dilation.
Shape = tuple[int, int, int, int]
CONVOLUTIONS: list[Shape] = [
    (1, 16, 13, 1),
    (16, 16, 13, 1),
    (16, 16, 13, 16),
    (16, 16, 13, 256),
    (64, 64, 13, 1),
    (16, 1, 13, 16),
]
N_BLOCKS, N_CHANNELS, N_TAPS, DIL_GROWTH = 10, 16, 13, 2
N_HIDDEN = 32


def sdk_convolution(in_ch: int, out_ch: int, n_taps: int, dilation: int) -> nn.Module:
    """Return a causal layer of this package or of 1.x."""
    from neutone_sdk.conv import Conv1dGeneral  # noqa: PLC0415  # the environment of another library lacks it

    # That of 1.x logs, which TorchScript cannot; the figure does not need it.
    Conv1dGeneral.get_delay_samples = torch.jit.unused(Conv1dGeneral.get_delay_samples)  # type: ignore[method-assign]
    layer = Conv1dGeneral(in_ch, out_ch, n_taps, dilation=dilation, causal=True)
    layer.prepare_for_inference()
    return layer


def cached_conv_convolution(in_ch: int, out_ch: int, n_taps: int, dilation: int) -> nn.Module:
    """Return a causal layer of cached-conv."""
    import cached_conv  # noqa: PLC0415  # only its environment has it

    cached_conv.use_cached_conv(True)
    padding = cached_conv.get_padding(n_taps, dilation=dilation, mode="causal")
    return cached_conv.Conv1d(in_ch, out_ch, n_taps, dilation=dilation, padding=padding)


class Block(nn.Module):
    """A block of a causal TCN, as users of a library without one build it."""

    def __init__(self, convolution: nn.Module, in_ch: int, out_ch: int) -> None:
        super().__init__()
        self.convolution = convolution
        self.act = nn.PReLU()
        self.res = nn.Conv1d(in_ch, out_ch, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return the next block of the stream."""
        return self.act(self.convolution(x)) + self.res(x)


def hand_built_tcn(convolution: Callable[[int, int, int, int], nn.Module]) -> nn.Module:
    """Return a causal TCN of a library's convolutions."""
    channels = [1, *[N_CHANNELS] * (N_BLOCKS - 1), 1]
    return nn.Sequential(
        *(
            Block(convolution(channels[n], channels[n + 1], N_TAPS, DIL_GROWTH**n), channels[n], channels[n + 1])
            for n in range(N_BLOCKS)
        )
    )


def our_tcn() -> nn.Module:
    """Return this package's."""
    from neutone_sdk.tcn_1d import TCN1D  # noqa: PLC0415  # that of 1.x knows no streams

    tcn = TCN1D(n_blocks=N_BLOCKS, kernel_size=N_TAPS, n_channels=N_CHANNELS, dil_growth=DIL_GROWTH, causal=True)
    tcn.prepare_for_inference()
    return tcn


class Modulated(nn.Module):
    """A gated network with a condition, which 1.x runs on each block as on a clip: it has no streams of it."""

    def __init__(self) -> None:
        super().__init__()
        from neutone_sdk.gcn_1d import GCN1D  # noqa: PLC0415  # the environment of another library lacks it

        self.gcn = GCN1D(n_blocks=4, n_channels=N_CHANNELS, kernel_size=N_TAPS, cond_dim=1)
        self.cond = nn.Parameter(torch.rand(1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Return the next block of the stream."""
        return self.gcn(x, self.cond)


class HandBuiltLSTM(nn.Module):
    """A recurrent layer with a state, as users of a library without one build it."""

    hidden: Tensor
    cell: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(1, N_HIDDEN)
        self.register_buffer("hidden", torch.zeros(1, 1, N_HIDDEN))
        self.register_buffer("cell", torch.zeros(1, 1, N_HIDDEN))

    def forward(self, x: Tensor) -> Tensor:
        """Return the next block of the stream."""
        y, (hidden, cell) = self.lstm(x.permute(2, 0, 1), (self.hidden, self.cell))
        self.hidden.copy_(hidden)
        self.cell.copy_(cell)
        return y.permute(1, 2, 0)


def stateful_blocks(library: str) -> dict[str, nn.Module]:
    """Return the blocks with a state besides that of convolutions, as far as the library allows."""
    if library == "cached-conv":
        return {f"LSTM, {N_HIDDEN} hidden": HandBuiltLSTM()}
    gcn = Modulated()
    if library != "ours":
        return {f"GCN, 4 blocks, {N_CHANNELS} channels": gcn, f"LSTM, {N_HIDDEN} hidden": HandBuiltLSTM()}
    from neutone_sdk.recurrent import CachedLSTM  # noqa: PLC0415  # 1.x has none

    gcn.gcn.prepare_for_inference()
    lstm = CachedLSTM(1, N_HIDDEN)
    lstm.prepare_for_inference()
    return {f"GCN, 4 blocks, {N_CHANNELS} channels": gcn, f"LSTM, {N_HIDDEN} hidden": lstm}


class Loop(nn.Module):
    """Call a layer from TorchScript, so that Python's cost of a call is not in the figure."""

    def __init__(self, layer: nn.Module, kept: Tensor) -> None:
        super().__init__()
        self.layer = layer
        self.kept = kept

    def forward(self, n_calls: int, x: Tensor) -> Tensor:
        """Keep every output, or the compiler would leave out most of the work."""
        for _ in range(n_calls):
            self.kept.copy_(self.layer(x))
        return self.kept


def microseconds(layer: nn.Module, n_channels: int, n_samples: int) -> float:
    """Return the quickest round's mean per block: another process can only slow one down."""
    layer.eval()
    x = torch.rand(1, n_channels, n_samples) - 0.5
    with torch.inference_mode():
        loop = torch.jit.script(Loop(layer, layer(x).clone()))
        for _ in range(5):  # until the compiler has settled
            loop(3, x)
        start = time.perf_counter()
        loop(3, x)
        n_calls = max(1, int(ROUND_SECONDS * 3 / (time.perf_counter() - start)))
        best = float("inf")
        for _ in range(N_ROUNDS):
            start = time.perf_counter()
            loop(n_calls, x)
            best = min(best, (time.perf_counter() - start) / n_calls)
    return best * 1e6


def main() -> None:
    """Measure all layers of one library."""
    library, *sizes = sys.argv[1:]
    torch.set_num_threads(1)
    torch.manual_seed(0)
    convolution = cached_conv_convolution if library == "cached-conv" else sdk_convolution
    durations: dict[str, dict[str, float]] = {}
    for in_ch, out_ch, n_taps, dilation in CONVOLUTIONS:
        layer = convolution(in_ch, out_ch, n_taps, dilation)
        name = f"conv {in_ch} -> {out_ch}, {n_taps} taps, dilation {dilation}"
        durations[name] = {size: microseconds(layer, in_ch, int(size)) for size in sizes}
    tcn = our_tcn() if library == "ours" else hand_built_tcn(convolution)
    name = f"TCN, {N_BLOCKS} blocks, {N_CHANNELS} channels"
    durations[name] = {size: microseconds(tcn, 1, int(size)) for size in sizes}
    for size in sizes:  # a network of 1.x is bound to the size of its first block
        for name, block in stateful_blocks(library).items():
            durations.setdefault(name, {})[size] = microseconds(block, 1, int(size))
    print(json.dumps(durations))


if __name__ == "__main__":
    main()
