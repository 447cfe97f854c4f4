"""Fits a model to a host: any rate and block size against any other, mono and stereo, with the least constant delay."""

from typing import Final

import torch
from torch import Tensor, nn

from neutone_sdk.constants import DEFAULT_DAW_BS, DEFAULT_DAW_SR
from neutone_sdk.errors import InvalidArgumentError, InvalidAudioError, InvalidTypeError
from neutone_sdk.facts import FactGetters, copy_facts
from neutone_sdk.scripting import exported_methods, scriptable_twin
from neutone_sdk.streaming.host_stream import HostStream, rate_of_least_delay
from neutone_sdk.streaming.resampler import check_rates
from neutone_sdk.streaming.schedule import (
    best_model_block,
    ceil_div,
    nearest_rates,
    reduced_ratio,
    select_best_model_buffer_size,
    select_best_model_sr,
)
from neutone_sdk.validation import check_audio, check_params, check_type
from neutone_sdk.waveform import WaveformToWaveformBase


class SampleQueueWrapper(FactGetters, nn.Module):
    """Play a wrapped model in a host. This is what a ``.nm`` file holds.

    Audio waits in one ring until a block of the model is full, and in another until the host asks for it; where the
    model has another rate, it is resampled on the way in and on the way out. Parameters travel in the same frames as
    the audio they belong to. The model's blocks begin at fixed places of the stream, so how the host cuts it never
    changes the output, as long as the model's block stays the same.

    Args:
        w2w_base: The wrapped model.
        daw_sr: Rate of the host in Hz, 1..768000.
        model_sr: Rate to run the model at; by default the host's if it is native to the model, else the nearest native
            one, of several equally near the one with the lower latency. At most 256 times the host's or a 256th of it.
        daw_bs: Samples that the host brings in every callback.
        model_bs: Samples of the model's blocks; by default the best of its native sizes.
        use_debug_mode: Accepted for older code; arguments are always checked.

    Shape:
        - input: ``(1 or 2, daw_bs)``, float32, any strides; never written to.
        - params: None for the defaults, ``(4, 1)`` or ``(4, daw_bs)``, float32, 0..1.
        - output: same shape as the input, the caller's to keep.

    Raises:
        InvalidTypeError: ``w2w_base`` is no wrapper, or a rate or size is not an integer.
        InvalidArgumentError: A rate or size is not positive, or not one that the model works at.
    """

    MAX_BLOCK: Final = 16_777_216  # minutes of audio: more is a mistake, and could ask for more memory than there is

    default_params: Tensor

    def __init__(
        self,
        w2w_base: WaveformToWaveformBase,
        daw_sr: int = DEFAULT_DAW_SR,
        model_sr: int | None = None,
        daw_bs: int = DEFAULT_DAW_BS,
        model_bs: int | None = None,
        use_debug_mode: bool = True,
    ) -> None:
        super().__init__()
        if not isinstance(w2w_base, WaveformToWaveformBase):
            raise InvalidTypeError(
                f"w2w_base must be a WaveformToWaveformBase, got {type(w2w_base).__name__}; "
                "wrap the model first, and script the queue instead of the wrapper"
            )
        w2w_base.sdk_learn_facts()
        copy_facts(w2w_base, self)
        self.w2w_base = w2w_base
        self.use_debug_mode = use_debug_mode
        self.realtime = True
        self.sdk_preserved_attributes = ["w2w_base", "realtime", *exported_methods(type(self))]
        self.sdk_in_channels = w2w_base.sdk_in_channels
        self.n_params = w2w_base.MAX_N_PARAMS
        self.stream = HostStream(
            w2w_base.sdk_in_channels,
            w2w_base.sdk_out_channels,
            w2w_base.sdk_param_ranges,
            w2w_base.sdk_default_param_values,
            w2w_base.sdk_takes_means,
        )
        self.register_buffer("default_params", w2w_base.sdk_default_param_values, persistent=False)

        self.daw_sr = daw_sr
        self.model_sr = daw_sr
        self.daw_bs = daw_bs
        self.model_bs = daw_bs
        self.model_delay = 0  # in samples of the model
        self.delay_samples = 0  # of everything together
        self.constant_block = daw_bs  # samples of every block of the host, or 1 if they have 1..daw_bs
        self.is_direct = True  # every block of the host is one of the model's: nothing has to wait
        self.is_stale = False  # the model was left in the middle of something: reset it before it plays on
        self.set_daw_sample_rate_and_buffer_size(daw_sr, daw_bs, model_sr, model_bs)

    select_best_model_sr = staticmethod(select_best_model_sr)
    select_best_model_buffer_size = staticmethod(select_best_model_buffer_size)

    def forward(self, x: Tensor, params: Tensor | None = None) -> Tensor:
        """Play one callback of the host; see the class for shapes.

        Raises:
            InvalidAudioError: Audio or params have the wrong shape, or the block has the wrong size.
            InvalidTypeError: Audio or params are not float32.
            ModelOutputError: The model returned something other than audio of the right shape.
        """
        if params is None:
            params = self.default_params
        y = torch.ops.neutone.stream_exchange(x, params, True, self.stream.memory)
        if self.is_direct or y.size(0) == 0:  # not yet the output
            y = self._go_on(y, x, params, True)
        return y

    @torch.jit.export
    def forward_bt(self, x: Tensor, params: Tensor | None = None) -> Tensor | None:
        """Take in a block as `forward` does; return all output that is ready, or None if none is.

        The output has no delay but the model's own.
        """
        if params is None:
            params = self.default_params
        y = torch.ops.neutone.stream_exchange(x, params, False, self.stream.memory)
        if y.size(0) == 0:
            y = self._go_on(y, x, params, False)
        return None if y.size(1) == 0 else y

    def _go_on(self, y: Tensor, x: Tensor, params: Tensor, delayed: bool) -> Tensor:
        """Go on with a callback for which ``stream_exchange`` returned ``y``, which is not the output."""
        if y.size(0) == 0 and y.size(1) == 0:
            y = self._begin(x, params, delayed)
        return self._run_blocks(y, params, x.size(0), delayed and self.is_direct)

    def _begin(self, x: Tensor, params: Tensor, delayed: bool) -> Tensor:
        """Start the stream, unless there is something wrong with the block, and return what ``stream_exchange`` does.

        Before that nothing changes.
        """
        self._check_block(x, params)
        if self.is_stale:
            self.reset()
        self._start(delayed)
        y = torch.ops.neutone.stream_exchange(x, params, delayed, self.stream.memory)
        if list(y.shape) == [0, 0]:
            raise InvalidAudioError("the stream is set up for other blocks; set the buffer size again")
        return y

    def _start(self, delayed: bool) -> None:
        """Start the stream from silence, for `forward` or for `forward_bt`."""
        if not delayed:
            self.stream.start("undelayed", self.calc_model_delay_samples(), self.model_delay)
        elif self.is_direct:
            self.stream.start("direct", self.delay_samples, self.model_delay)
        else:
            self.stream.start("delayed", self.delay_samples, self.model_delay)

    def _run_blocks(self, full: Tensor, params: Tensor, n_channels: int, is_direct: bool) -> Tensor:
        """Run the model on all blocks that are full, and return the output.

        The one place where it is run: TorchScript copies the model to wherever it is called, and takes time to optimise
        all that before the first callback is over.

        Args:
            full: What ``stream_exchange`` returned: if ``is_direct``, the host's block with the model's channels; else
                ``(0, n)``, where so many blocks wait in the stream, or the output, where none does.
            params: Of that block.
            n_channels: Of the host.
            is_direct: Whether the host's blocks are the model's.
        """
        n_blocks = 1 if is_direct else full.size(1) if full.size(0) == 0 else 0
        y = full
        # Should the model raise, the stream stays busy, and the next callback starts it afresh.
        for _ in range(n_blocks):
            if is_direct:
                block, curves = full, params
            else:
                block, curves = torch.ops.neutone.stream_take(self.stream.memory)
            y = self.w2w_base.sdk_run_block(block, curves)
            if is_direct:
                y = torch.ops.neutone.fit_channels(y, n_channels, 0, self.model_bs)
            else:
                y = torch.ops.neutone.stream_put(y, self.stream.memory)
        return y

    @torch.jit.export
    def forward_offline(self, x: Tensor, params: Tensor | None = None) -> Tensor:
        """Play a whole clip from silence, without delay: output sample ``i`` belongs to input sample ``i``.

        Args:
            x: Audio ``(1 or 2, n)``, float32, any ``n >= 1``.
            params: None for the defaults, ``(4, 1)`` or ``(4, n)``, float32, 0..1.

        Returns:
            Audio of the same shape: what `forward` returns, less the delay.
        """
        check_audio(x)
        n_samples = x.size(1)
        if params is None:
            params = self.default_params
        check_params(params, self.n_params, n_samples)
        delay = self.delay_samples
        self.reset()
        self.is_stale = True  # until the last reset: should the model raise before, the next stream starts afresh
        if not self.is_direct:
            self._start(True)
        out = torch.empty_like(x, memory_format=torch.contiguous_format)
        block = torch.zeros(x.size(0), self.daw_bs)
        curves = params
        for start in range(0, n_samples + delay, self.daw_bs):
            n_in = max(0, min(self.daw_bs, n_samples - start))
            block[:, :n_in] = x[:, start : start + n_in]
            block[:, n_in:] = 0.0
            if params.size(1) > 1:
                last = max(0, min(start + self.daw_bs, n_samples) - 1)
                curves = params[:, last : last + 1].repeat(1, self.daw_bs)
                curves[:, :n_in] = params[:, start : start + n_in]
            if self.is_direct:
                y = torch.ops.neutone.fit_channels(block, self.sdk_in_channels, 0, self.daw_bs)
            else:
                y = torch.ops.neutone.stream_exchange(block, curves, True, self.stream.memory)
            y = self._run_blocks(y, curves, x.size(0), self.is_direct)
            first = max(0, delay - start)
            n_out = min(self.daw_bs, n_samples + delay - start) - first
            if n_out > 0:
                at = start + first - delay
                out[:, at : at + n_out] = y[:, first : first + n_out]
        self.reset()
        return out

    @torch.jit.export
    def set_daw_sample_rate_and_buffer_size(
        self, daw_sr: int, daw_bs: int, model_sr: int | None = None, model_bs: int | None = None
    ) -> int:
        """Prepare for a host that brings exactly ``daw_bs`` samples in every callback, and reset.

        Returns:
            Samples that a host has to keep room for if it collects the output of `forward_bt`.

        Raises:
            InvalidTypeError: A rate or size is not an integer. Nothing changes.
            InvalidArgumentError: A rate or size is outside its range, or not one that the model works at, or its delay
                is negative. Nothing changes.
            Exception: Whatever the model's own code raises. From ``set_model_sample_rate_and_buffer_size``: the old
                settings stay and the next callback starts afresh, but the model may be tuned to the new ones. From
                ``reset_model``: the new settings hold, but the model may not have forgotten what it heard. Call again.
        """
        return self._configure(daw_sr, daw_bs, model_sr, model_bs, daw_bs)

    @torch.jit.export
    def set_daw_sample_rate_and_max_buffer_size(
        self, daw_sr: int, max_daw_bs: int, model_sr: int | None = None, model_bs: int | None = None
    ) -> int:
        """Prepare for a host that brings 1 to ``max_daw_bs`` samples, another number in every callback, and reset.

        That takes a longer delay, which `calc_buffering_delay_samples` reports. Returns and raises as
        `set_daw_sample_rate_and_buffer_size` does.
        """
        return self._configure(daw_sr, max_daw_bs, model_sr, model_bs, 1)

    def _configure(
        self, daw_sr: int, daw_bs: int, model_sr: int | None, model_bs: int | None, constant_block: int
    ) -> int:
        if not torch.jit.is_scripting():  # type: ignore[attr-defined]
            _check_integers(daw_sr=daw_sr, daw_bs=daw_bs, model_sr=model_sr, model_bs=model_bs)
        model_sr, model_bs = self._choose(daw_sr, daw_bs, model_sr, model_bs, constant_block)
        self.w2w_base.sdk_check_setting(model_sr, model_bs)
        self.is_stale = True  # until the reset: should the model's own code raise before, the next stream starts afresh
        self.stream.stop()
        self.w2w_base.set_sample_rate_and_buffer_size(model_sr, model_bs)
        model_delay = self.w2w_base.calc_model_delay_samples()
        if not torch.jit.is_scripting():  # type: ignore[attr-defined]
            check_type(model_delay, int, "calc_model_delay_samples() must return")
        if model_delay < 0:
            raise InvalidArgumentError(f"calc_model_delay_samples() must return at least 0, got {model_delay}")
        self.stream.set_up(daw_sr, constant_block, daw_bs, model_sr, model_bs)
        self.daw_sr = daw_sr
        self.model_sr = model_sr
        self.daw_bs = daw_bs
        self.model_bs = model_bs
        self.model_delay = model_delay + self.get_look_ahead_samples()
        self.constant_block = constant_block
        self.delay_samples = self.stream.least_delay(constant_block, self.model_delay)
        self.is_direct = not self.is_resampling() and constant_block == daw_bs == model_bs
        self.reset()
        return 2 * daw_bs + ceil_div(model_bs * daw_sr, model_sr)

    def _choose(
        self, daw_sr: int, daw_bs: int, model_sr: int | None, model_bs: int | None, constant_block: int
    ) -> tuple[int, int]:
        """Return the model's rate and block; raise if the host's or the model's make no sense."""
        if daw_sr < 1 or daw_bs < 1:
            raise InvalidArgumentError(f"rate and block size must be above 0, got {daw_sr} Hz and {daw_bs} samples")
        sizes = self.get_native_buffer_sizes()
        if model_sr is None:
            rates = nearest_rates(daw_sr, self.get_native_sample_rates())
            model_sr = rate_of_least_delay(rates, daw_sr, daw_bs, constant_block, model_bs, sizes)
        check_rates(daw_sr, model_sr)
        up, down = reduced_ratio(daw_sr, model_sr)
        if model_bs is None:
            model_bs = best_model_block(daw_bs, up, down, sizes)
        largest = max(daw_bs, ceil_div(daw_bs * up, down), model_bs)
        if largest > self.MAX_BLOCK:
            raise InvalidArgumentError(
                f"a block may have at most {self.MAX_BLOCK} samples, also at the other rate, got {largest}"
            )
        return model_sr, model_bs

    @torch.jit.export
    def reset(self) -> None:
        """Forget all audio and start from silence; the settings stay.

        Raises:
            Exception: Whatever ``reset_model`` raises. The stream starts from silence all the same; the model may not
                have forgotten what it heard. Call again.
        """
        self.stream.stop()
        self.is_stale = False  # before the model's own code: what that raises is raised once, not in every callback
        self.w2w_base.reset()

    @torch.jit.export
    def calc_buffering_delay_samples(self) -> int:
        """Return by how many samples, at the host's rate, waiting for full blocks and resampling make the output late.

        With `calc_model_delay_samples` that is the delay of everything together, exactly.
        """
        return self.delay_samples - self.calc_model_delay_samples()

    @torch.jit.export
    def calc_resampling_delay_samples(self) -> int:
        """Return the part of `calc_buffering_delay_samples` that is there because the rates differ."""
        return min(ceil_div(self.stream.resampling_steps, self.stream.up), self.calc_buffering_delay_samples())

    @torch.jit.export
    def calc_model_delay_samples(self) -> int:
        """Return by how many samples, at the host's rate, the model makes the output late; rounded up."""
        return ceil_div(self.model_delay * self.daw_sr, self.model_sr)

    @torch.jit.export
    def is_resampling(self) -> bool:
        """Return whether the model runs at another rate than the host."""
        return self.model_sr != self.daw_sr

    @torch.jit.export
    def get_default_param_values(self) -> Tensor:
        """Return the knobs' defaults, 0..1, ``(4, 1)``; rows without a parameter are 0."""
        return self.default_params.clone()

    @torch.jit.export
    def get_preserved_attributes(self) -> list[str]:
        """Return what has to survive ``torch.jit.freeze``."""
        return self.sdk_preserved_attributes

    def prepare_for_inference(self) -> None:
        """Put everything in eval mode, as before export, and blocks in the model in cached mode."""
        self.w2w_base.prepare_for_inference()
        copy_facts(self.w2w_base, self)
        if self.w2w_base.calc_model_delay_samples() + self.get_look_ahead_samples() != self.model_delay:  # now a stream
            self._configure(self.daw_sr, self.daw_bs, self.model_sr, self.model_bs, self.constant_block)
        self.eval()

    def __prepare_scriptable__(self) -> "SampleQueueWrapper":
        """Called by ``torch.jit.script``: hand it a twin that it can compile."""
        return scriptable_twin(self)

    def _check_block(self, x: Tensor, params: Tensor) -> None:
        """Raise unless the block fits the stream, before anything changes."""
        check_audio(x)
        n_samples = x.size(1)
        if n_samples < self.constant_block or n_samples > self.daw_bs:
            allowed = f"{self.daw_bs}" if self.constant_block == self.daw_bs else f"1 to {self.daw_bs}"
            raise InvalidAudioError(
                f"the stream is set up for blocks of {allowed} samples, got {n_samples}; "
                "for blocks of changing size call set_daw_sample_rate_and_max_buffer_size first"
            )
        check_params(params, self.n_params, n_samples)


def _check_integers(**settings: int | None) -> None:
    for name, value in settings.items():
        if value is not None:
            check_type(value, int, f"{name} must be")
