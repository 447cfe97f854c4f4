"""What flows between a host and a model: audio and knobs to the model, audio back, at equal or different rates."""

import torch
from torch import Tensor, nn

from neutone_sdk.streaming.resampler import check_rates
from neutone_sdk.streaming.schedule import best_model_block, buffering_steps, ceil_div, reduced_ratio


def rate_of_least_delay(
    rates: list[int], daw_sr: int, daw_bs: int, constant_block: int, model_bs: int | None, native_sizes: list[int]
) -> int:
    """Return that of several rates of a model, at least one, at which a host gets its output the earliest.

    The model's own delay is left out: it may depend on the rate, and is asked after that has been chosen.

    Args:
        rates: In Hz. Where several are equal, the first wins.
        daw_sr: The host's, in Hz.
        daw_bs: Samples of the host's largest block.
        constant_block: The same if all blocks are equal, else 1.
        model_bs: Samples of the model's blocks, or None for the best of its sizes.
        native_sizes: Block sizes of the model.
    """
    best, least_delay = rates[0], -1
    if len(rates) == 1:
        return best
    for rate in rates:
        check_rates(daw_sr, rate)
        up, down = reduced_ratio(daw_sr, rate)
        resampling: int = torch.ops.neutone.stream_resampling_steps(daw_sr, rate)
        block = best_model_block(daw_bs, up, down, native_sizes) if model_bs is None else model_bs
        delay = ceil_div(resampling + buffering_steps(constant_block, block, up, down), up)
        if least_delay < 0 or delay < least_delay:
            best, least_delay = rate, delay
    return best


class HostStream(nn.Module):
    """Two rings of audio at the model's rate, one to it and one back, and one of knobs at the host's.

    Where the host has another rate, a resampler sits at its end of each of the former. All of it lies in one tensor,
    ``memory``, for the operators ``torch.ops.neutone.stream_*``. Scriptable. A stream has to be set up, then started
    with a delay; from then on every callback is a ``stream_exchange`` and, for as many blocks of the model as that says
    are full, `run`.

    Args:
        n_in_channels: Channels that the model hears.
        n_out_channels: Channels that the model returns.
        param_ranges: ``(n, 3)``, float32: minimum, maximum, and whether the parameter is categorical.
        default_params: ``(rows of knobs, 1)``, at least ``n`` rows: what stands for values that are not numbers as
            long as there was none before them.
        mean_params: The model wants the mean of each knob over its block, rather than curves.
    """

    param_ranges: Tensor
    default_params: Tensor
    memory: Tensor

    def __init__(
        self, n_in_channels: int, n_out_channels: int, param_ranges: Tensor, default_params: Tensor, mean_params: bool
    ) -> None:
        super().__init__()
        self.n_in_channels = n_in_channels
        self.n_out_channels = n_out_channels
        self.mean_params = mean_params
        self.register_buffer("param_ranges", param_ranges, persistent=False)
        self.register_buffer("default_params", default_params, persistent=False)
        self.daw_sr, self.least_daw_bs, self.most_daw_bs = 1, 1, 1
        self.model_sr, self.model_bs = 1, 1
        self.register_buffer("memory", self._made(1, 1, 1, 1, 1), persistent=False)
        # A sample of the host is `up` steps long, one of the model `down`.
        self.up = 1
        self.down = 1
        self.resampling_steps = 0

    def set_up(self, daw_sr: int, least_daw_bs: int, most_daw_bs: int, model_sr: int, model_bs: int) -> None:
        """Prepare for blocks of so many samples at ``daw_sr`` Hz, and ``model_bs`` at ``model_sr`` Hz.

        Should memory run out, nothing has changed.
        """
        resampling: int = torch.ops.neutone.stream_resampling_steps(daw_sr, model_sr)
        self.memory = self._made(daw_sr, least_daw_bs, most_daw_bs, model_sr, model_bs)
        self.daw_sr, self.least_daw_bs, self.most_daw_bs = daw_sr, least_daw_bs, most_daw_bs
        self.model_sr, self.model_bs = model_sr, model_bs
        self.up, self.down = reduced_ratio(daw_sr, model_sr)
        self.resampling_steps = resampling

    def _made(self, daw_sr: int, least_daw_bs: int, most_daw_bs: int, model_sr: int, model_bs: int) -> Tensor:
        memory: Tensor = torch.ops.neutone.new_stream(
            daw_sr, least_daw_bs, most_daw_bs, model_sr, model_bs, self.n_in_channels, self.n_out_channels,
            self.param_ranges, self.default_params, self.mean_params,
        )  # fmt: skip
        return memory

    @torch.jit.export
    def sdk_rebuild(self) -> None:
        """Make the operators' memory anew, which has another form in portable files."""
        self.memory = self._made(self.daw_sr, self.least_daw_bs, self.most_daw_bs, self.model_sr, self.model_bs)

    def least_delay(self, host_block: int, model_delay: int) -> int:
        """Return the least delay of everything together, in samples of the host.

        Args:
            host_block: Samples of every block of the host, or 1 if they change.
            model_delay: Of the model, in its own samples.
        """
        waiting = buffering_steps(host_block, self.model_bs, self.up, self.down)
        return ceil_div(self.resampling_steps + model_delay * self.down + waiting, self.up)

    def start(self, kind: str, total_delay: int, model_delay: int) -> None:
        """Start from silence, with a delay of ``total_delay`` samples of the host, ``model_delay`` the model's own.

        Args:
            kind: ``"delayed"``, ``"undelayed"`` or ``"direct"``: what ``stream_exchange`` returns of a block. As much
                as came in; all that is ready; or the block itself, because it is one or several of the model's.
            total_delay: Of everything together. An undelayed or direct stream has the model's own only.
            model_delay: In samples of the model.
        """
        torch.ops.neutone.stream_start(kind, total_delay, model_delay, self.memory)

    def stop(self) -> None:
        """Take in nothing until the next start."""
        torch.ops.neutone.stream_stop(self.memory)
