"""What flows between a host and a model: audio and knobs to the model, audio back, at equal or different rates."""

import torch
from torch import Tensor, nn

from neutone_sdk.streaming.queue import new_ring
from neutone_sdk.streaming.resampler import check_rates
from neutone_sdk.streaming.schedule import (
    best_model_block,
    buffering_steps,
    ceil_div,
    first_output_step,
    knob_capacity,
    n_ready,
    reduced_ratio,
    resampling_steps,
    ring_capacity_frames,
)


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
        state_in = torch.ops.neutone.new_resampler(daw_sr, rate, "standard", 1)[2]
        state_out = torch.ops.neutone.new_resampler(rate, daw_sr, "standard", 1)[2]
        up, down = int(state_in[0]), int(state_in[1])
        resampling = resampling_steps(up, down, int(state_in[2]), int(state_out[2]))
        block = best_model_block(daw_bs, up, down, native_sizes) if model_bs is None else model_bs
        delay = ceil_div(resampling + buffering_steps(constant_block, block, up, down), up)
        if least_delay < 0 or delay < least_delay:
            best, least_delay = rate, delay
    return best


class HostStream(nn.Module):
    """Two rings of audio at the model's rate, one to it and one back, and one of knobs at the host's.

    Where the host has another rate, a resampler sits at its end of each of the former. Scriptable. A stream has to be
    set up, then started with a delay; from then on every `push` of ``n`` samples is followed by `take_block` and
    `put_block` as long as `has_block`, and then `pop`; where no block gets full, `exchange` does it all.

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
    nothing: Tensor
    no_output: Tensor
    knob_samples: Tensor
    knob_cursors: Tensor
    in_samples: Tensor
    in_cursors: Tensor
    in_table: Tensor
    in_history: Tensor
    in_state: Tensor
    out_samples: Tensor
    out_cursors: Tensor
    out_table: Tensor
    out_history: Tensor
    out_state: Tensor

    def __init__(
        self, n_in_channels: int, n_out_channels: int, param_ranges: Tensor, default_params: Tensor, mean_params: bool
    ) -> None:
        super().__init__()
        self.n_in_channels = n_in_channels
        self.n_out_channels = n_out_channels
        self.n_params = default_params.size(0)
        self.mean_params = mean_params
        self.register_buffer("param_ranges", param_ranges, persistent=False)
        self.register_buffer("default_params", default_params, persistent=False)
        self.register_buffer("nothing", torch.empty(0), persistent=False)
        self.register_buffer("no_output", torch.empty(0, 0), persistent=False)
        for ring in ("in", "out", "knob"):
            for part in ("samples", "cursors"):
                self.register_buffer(f"{ring}_{part}", self.nothing, persistent=False)
        for side in ("in", "out"):
            for part in ("table", "history", "state"):
                self.register_buffer(f"{side}_{part}", self.nothing, persistent=False)
        self.model_block = 1
        self.is_resampling = False
        # A sample of the host is `up` steps long, one of the model `down`.
        self.up = 1
        self.down = 1
        self.resampling_steps = 0
        self.look_ahead = 0  # samples of the host that the resampler to the model looks ahead
        # Steps by which the model's next frame lies behind the oldest value of the knobs.
        self.knob_part = 0
        # Steps by which the last frame of the model's next block, and the next sample of the host, are ahead of what has
        # come in.
        self.block_lead = 0
        self.out_lead = 0
        self.is_fresh = True  # nothing has come in since the start

    def set_up(self, daw_sr: int, daw_bs: int, model_sr: int, model_bs: int) -> None:
        """Prepare for blocks of at most ``daw_bs`` samples at ``daw_sr`` Hz, and ``model_bs`` at ``model_sr`` Hz.

        Should memory run out, nothing has changed.
        """
        up, down = reduced_ratio(daw_sr, model_sr)
        resampling = 0
        look_ahead = 0
        to_model = [self.nothing] * 3
        to_host = [self.nothing] * 3
        if daw_sr != model_sr:
            to_model = list(torch.ops.neutone.new_resampler(daw_sr, model_sr, "standard", self.n_in_channels))
            to_host = list(torch.ops.neutone.new_resampler(model_sr, daw_sr, "standard", self.n_out_channels))
            look_ahead = int(to_model[2][2])
            resampling = resampling_steps(up, down, look_ahead, int(to_host[2][2]))
        in_ring = new_ring(self.n_in_channels, ring_capacity_frames(daw_bs, model_bs, up, down))
        knob_ring = new_ring(self.n_params, knob_capacity(daw_bs, model_bs, up, down, look_ahead))
        # `forward_bt` waits for nothing: what the resampler to the host looks ahead piles up in the ring.
        waiting = ceil_div(resampling, down) + 1
        out_ring = new_ring(self.n_out_channels, ring_capacity_frames(daw_bs, model_bs + waiting, up, down))

        self.is_resampling = daw_sr != model_sr
        self.up, self.down = up, down
        self.resampling_steps = resampling
        self.look_ahead = look_ahead
        self.model_block = model_bs
        self.in_table, self.in_history, self.in_state = to_model[0], to_model[1], to_model[2]
        self.out_table, self.out_history, self.out_state = to_host[0], to_host[1], to_host[2]
        self.knob_samples, self.knob_cursors = knob_ring
        self.in_samples, self.in_cursors = in_ring
        self.out_samples, self.out_cursors = out_ring

    def least_delay(self, host_block: int, model_delay: int) -> int:
        """Return the least delay of everything together, in samples of the host.

        Args:
            host_block: Samples of every block of the host, or 1 if they change.
            model_delay: Of the model, in its own samples.
        """
        waiting = buffering_steps(host_block, self.model_block, self.up, self.down)
        return ceil_div(self.resampling_steps + model_delay * self.down + waiting, self.up)

    def start(self, total_delay: int, model_delay: int) -> None:
        """Start from silence, with a delay of ``total_delay`` samples of the host, ``model_delay`` the model's own."""
        first_frame = self.down - 1
        self.block_lead = first_frame + (self.model_block - 1) * self.down
        self.out_lead = first_output_step(total_delay, self.up, self.down, self.resampling_steps, model_delay)
        self.is_fresh = True
        n_silent = max(0, ceil_div(-self.out_lead, self.down))
        if self.is_resampling:
            torch.ops.neutone.resampler_start(first_frame, 0, self.in_table, self.in_history, self.in_state)
            torch.ops.neutone.resampler_start(self.out_lead, n_silent, self.out_table, self.out_history, self.out_state)
        # Frame i lies at (i + 1) * down / up - look_ahead of the host's samples; `push` puts that many values in front.
        self.knob_part = self.down if self.is_resampling else 0
        torch.ops.neutone.ring_clear(self.knob_samples, self.knob_cursors)
        torch.ops.neutone.ring_write(self.default_params, self.knob_samples, self.knob_cursors)
        torch.ops.neutone.ring_skip(1, self.knob_samples, self.knob_cursors)  # it stays as the value before the first
        torch.ops.neutone.ring_clear(self.in_samples, self.in_cursors)
        torch.ops.neutone.ring_clear(self.out_samples, self.out_cursors)
        silence = torch.zeros(self.n_out_channels, n_silent)
        torch.ops.neutone.ring_write(silence, self.out_samples, self.out_cursors)

    def push(self, x: Tensor, params: Tensor) -> None:
        """Take in a block of the host: ``(1 or 2, n)``, with ``(n_params, 1)`` or ``(n_params, n)``."""
        if self.is_resampling:
            # Before the stream there was silence, but no other position of the knobs.
            n_before = self.look_ahead if self.is_fresh else 0
            torch.ops.neutone.stream_write_resampled(
                x, params, n_before, self.in_table, self.in_history, self.in_state,
                self.in_samples, self.in_cursors, self.knob_samples, self.knob_cursors,
            )  # fmt: skip
            self.is_fresh = False
        else:
            torch.ops.neutone.stream_write(
                x, params, 0, self.in_samples, self.in_cursors, self.knob_samples, self.knob_cursors
            )
        self.block_lead -= x.size(1) * self.up

    def exchange(self, x: Tensor, params: Tensor, least: int, most: int) -> Tensor:
        """Do as `push` and `pop` together where that fills no block of the model: quicker than both.

        Not before the first `push` since the start.

        Returns:
            Output of ``x``'s shape; without frames, and nothing has changed, where a block would be full, or ``x`` and
            ``params`` are not a block of ``least`` to ``most`` samples.
        """
        most = min(most, self.block_lead // self.up)
        if most < least:
            return self.no_output
        if self.is_resampling:
            y = torch.ops.neutone.stream_exchange_resampled(
                x, params, least, most, self.in_table, self.in_history, self.in_state,
                self.in_samples, self.in_cursors, self.knob_samples, self.knob_cursors,
                self.out_table, self.out_history, self.out_state, self.out_samples, self.out_cursors,
            )  # fmt: skip
        else:
            y = torch.ops.neutone.stream_exchange(
                x, params, least, most, self.in_samples, self.in_cursors, self.knob_samples, self.knob_cursors,
                self.out_samples, self.out_cursors,
            )  # fmt: skip
        n_steps = y.size(1) * self.up
        self.block_lead -= n_steps
        self.out_lead += n_steps
        return y

    def has_block(self) -> bool:
        """Return whether a block of the model is full."""
        return self.block_lead < 0

    def take_block(self) -> tuple[Tensor, Tensor]:
        """Return the model's next block, fresh: audio ``(n_in_channels, b)``, knobs ``(n_params, b)`` or means."""
        self.block_lead += self.model_block * self.down
        audio, params = torch.ops.neutone.stream_read(
            self.in_samples, self.in_cursors, self.knob_samples, self.knob_cursors, self.param_ranges,
            self.model_block, self.up, self.down, self.knob_part, self.mean_params,
        )  # fmt: skip
        self.knob_part = (self.knob_part + self.model_block * self.down) % self.up
        return audio, params

    def put_block(self, y: Tensor) -> None:
        """Take what the model made of a block: ``(n_out_channels, model_bs)``."""
        torch.ops.neutone.ring_write(y, self.out_samples, self.out_cursors)
        self.out_lead -= y.size(1) * self.down

    def n_ready(self) -> int:
        """Return how many samples of the host can be popped."""
        return n_ready(self.out_lead, self.up)

    def pop(self, n_samples: int, n_channels: int) -> Tensor:
        """Return the next ``n_samples`` of output, at most `n_ready`, with the channels that the host wants, fresh."""
        self.out_lead += n_samples * self.up
        if self.is_resampling:
            return torch.ops.neutone.stream_pop_resampled(
                self.out_samples, self.out_cursors, self.out_table, self.out_history, self.out_state,
                n_samples, n_channels,
            )  # fmt: skip
        return torch.ops.neutone.stream_pop(self.out_samples, self.out_cursors, n_samples, n_channels)
