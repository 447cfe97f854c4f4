"""The base class of real-time models: audio in, audio out, block by block."""

from abc import abstractmethod

import torch
from torch import Tensor, nn

from neutone_sdk.constants import DEFAULT_DAW_SR
from neutone_sdk.core import NeutoneModel
from neutone_sdk.errors import InvalidArgumentError, ModelOutputError
from neutone_sdk.facts import FactGetters
from neutone_sdk.model_card import ModelCard, required_unless_carded
from neutone_sdk.parameter import NamedValues
from neutone_sdk.scripting import exported_methods
from neutone_sdk.streaming.queue import new_ring
from neutone_sdk.streaming.schedule import power_of_two_above
from neutone_sdk.streaming_blocks import derived_delay_samples, play_streams
from neutone_sdk.validation import check_params, dtype_name, remedy_for_output, validate_waveform


class WaveformToWaveformBase(NeutoneModel):
    """Wrap a model that turns audio into audio. Define ``do_forward_pass``, and getters or a card.

    Arguments and errors as in :class:`NeutoneModel`.

    Shape:
        - input: ``(1 or 2, n)`` as ``is_input_mono`` says, float32; never written to.
        - params: None for the defaults, ``(4, 1)`` or ``(4, n)``, float32, 0..1.
        - output: ``(1 or 2, n)`` as ``is_output_mono`` says, float32.
    """

    sdk_past_audio: Tensor
    sdk_past_audio_cursors: Tensor
    sdk_past_params: Tensor
    sdk_past_params_cursors: Tensor
    sdk_last_params: Tensor
    sdk_smoothing: Tensor
    sdk_smoothing_state: Tensor
    sdk_fact_count_lists: dict[str, list[int]]
    sdk_fact_counts: dict[str, int]
    sdk_fact_flags: dict[str, bool]

    def __init__(self, model: nn.Module, use_debug_mode: bool = True, *, card: ModelCard | None = None) -> None:
        super().__init__(model, use_debug_mode, card=card)
        self.realtime = True
        self.sdk_preserved_attributes = [
            "model",
            "realtime",
            *exported_methods(type(self)),
            *exported_methods(FactGetters),
        ]
        # What follows depends on getters, see sdk_learn_facts.
        self.sdk_in_channels = 0
        self.sdk_out_channels = 0
        self.sdk_look_behind = 0
        self.sdk_look_ahead = 0
        n_smoothed = len(self.sdk_smoothed_params)
        self.sdk_last_params = torch.zeros(self.MAX_N_PARAMS)
        self.sdk_smoothing = torch.zeros(n_smoothed, 2, dtype=torch.float64)
        self.sdk_smoothing_state = torch.zeros(n_smoothed, 4, dtype=torch.float64)
        self._sdk_tune_smoothing(DEFAULT_DAW_SR)
        self._sdk_make_history()
        self.sdk_delay_samples = 0
        # The mean needs neither a copy of the curves nor the wrapper's code; but those of the middle of a block do.
        self.sdk_aggregates_by_mean = type(self).aggregate_params is WaveformToWaveformBase.aggregate_params
        self.sdk_takes_means = self.sdk_aggregates_by_mean

    @required_unless_carded
    def is_input_mono(self) -> bool:
        """Return whether the model hears one channel; otherwise two."""
        return self._sdk_card().is_input_mono

    @required_unless_carded
    def is_output_mono(self) -> bool:
        """Return whether the model returns one channel; otherwise two."""
        return self._sdk_card().is_output_mono

    @required_unless_carded
    def get_native_sample_rates(self) -> list[int]:
        """Return the rates in Hz that the model works at; empty for any."""
        return list(self._sdk_card().native_sample_rates)

    @required_unless_carded
    def get_native_buffer_sizes(self) -> list[int]:
        """Return the block sizes in samples that the model works on; empty for any."""
        return list(self._sdk_card().native_buffer_sizes)

    @abstractmethod
    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        """Run the model on one block.

        Args:
            x: Audio ``(1 or 2, look_behind + n + look_ahead)``, where ``n`` is a native buffer size, and the other two
                are 0 unless ``get_look_behind_samples`` and ``get_look_ahead_samples`` say otherwise. The model may
                overwrite it.
            params: From a parameter's name to its value, ``(1,)``, in the parameter's own range; ``(n,)``, one value a
                sample, if it is smoothed; all of the curve if ``aggregate_params`` returns its input. The model may
                overwrite them.

        Returns:
            Audio ``(1 or 2, n)``, float32, of the samples between look-behind and look-ahead.
        """

    def get_look_behind_samples(self) -> int:
        """Return how many samples of the past come before each block. They cost time in every pass: prefer caches."""
        return 0 if self.card is None else self.card.look_behind_samples

    def get_look_ahead_samples(self) -> int:
        """Return how many samples of the future come behind each block. The output is late by as many, and says so."""
        return 0 if self.card is None else self.card.look_ahead_samples

    def set_model_sample_rate_and_buffer_size(self, sample_rate: int, n_samples: int) -> bool:  # noqa: ARG002
        """Tune the model to a rate in Hz and a block size in samples; return whether it did."""
        return False

    def reset_model(self) -> bool:
        """Forget all audio heard so far; return whether the model can."""
        return False

    def aggregate_params(self, params: Tensor) -> Tensor:
        """Turn the knobs' curves over a block, ``(4, n)`` of 0..1, into ``(4, 1)``; return ``params`` to keep curves.

        With a look-behind or look-ahead an override gets ``(4, look_behind + n + look_ahead)``, aligned with the audio.
        ``torch.ops.neutone.aggregate_params(params, how)`` knows ``"mean"``, which is the default, ``"last"``,
        ``"min"`` and ``"max"``.
        """
        return torch.ops.neutone.aggregate_params(params, "mean")

    @torch.jit.export
    def calc_model_delay_samples(self) -> int:
        """Return by how many samples, at the model's rate, the model makes its output late, besides a look-ahead.

        By default that is what the card says, or else what the layers of ``self.model`` say of themselves, see
        `neutone_sdk.streaming_blocks.derived_delay_samples`: 0 for a model whose layers say nothing.
        """
        if not torch.jit.is_scripting():  # type: ignore[attr-defined]
            self._sdk_learn_delay()
        return self.sdk_delay_samples

    @torch.jit.export
    def is_resampling(self) -> bool:
        """Return False: the model by itself runs at its own rate."""
        return False

    def sdk_learn_facts(self) -> None:
        """Ask every getter; channels and look-behind follow from the answers."""
        super().sdk_learn_facts()
        in_n_ch = 1 if self.sdk_fact_flags["is_input_mono"] else 2
        look_behind = self.sdk_fact_counts["look_behind_samples"]
        look_ahead = self.sdk_fact_counts["look_ahead_samples"]
        if (in_n_ch, look_behind, look_ahead) != (self.sdk_in_channels, self.sdk_look_behind, self.sdk_look_ahead):
            self.sdk_in_channels = in_n_ch
            self.sdk_look_behind = look_behind
            self.sdk_look_ahead = look_ahead
            self._sdk_make_history()
        self.sdk_takes_means = self.sdk_aggregates_by_mean and look_ahead == 0
        self.sdk_out_channels = 1 if self.sdk_fact_flags["is_output_mono"] else 2
        self._sdk_learn_delay()

    def _sdk_learn_delay(self) -> None:
        stated = None if self.card is None else self.card.delay_samples
        is_default = type(self).calc_model_delay_samples is WaveformToWaveformBase.calc_model_delay_samples
        self.sdk_delay_samples = derived_delay_samples(self.model, warns=is_default) if stated is None else stated

    def prepare_for_inference(self) -> None:
        """Put everything in eval mode, and blocks of this package in cached mode. Called before a model is exported.

        Overrides must call this one too. A model that gets samples of the past or the future beside each block, or
        that has a layer which shortens what it gets, works on windows: its blocks stay as they are.
        """
        if self.get_look_behind_samples() + self.get_look_ahead_samples() == 0:
            play_streams(self)
        super().prepare_for_inference()

    def forward(self, x: Tensor, params: Tensor | None = None) -> Tensor:
        """Run one block at the model's own rate and size; see the class for shapes.

        Raises:
            InvalidAudioError: Audio or params have the wrong shape.
            InvalidTypeError: Audio or params are not float32.
            ModelOutputError: The model returned something other than audio of the right shape.
        """
        if not torch.jit.is_scripting() and not self.sdk_has_facts:  # type: ignore[attr-defined]
            self.sdk_learn_facts()
        validate_waveform(x, self.sdk_in_channels == 1)
        n_samples = x.size(1)
        sizes = self.sdk_fact_count_lists["native_buffer_sizes"]
        if len(sizes) > 0 and n_samples not in sizes:
            raise InvalidArgumentError(f"the model works on blocks of {sizes} samples, got {n_samples}")
        if params is None:
            params = self.sdk_default_param_values
        check_params(params, self.MAX_N_PARAMS, n_samples)
        return self.sdk_run_block(torch.ops.neutone.fit_channels(x, self.sdk_in_channels, 0, n_samples), params)

    def sdk_run_block(self, x: Tensor, params: Tensor) -> Tensor:
        """Run one block that nobody else needs any more: unlike `forward`, hands the model ``x`` itself."""
        n_samples = x.size(1)
        if self.sdk_n_past > 0:
            x = self._sdk_with_past(x, self.sdk_past_audio, self.sdk_past_audio_cursors)
        values = self._sdk_param_values(params, n_samples)
        named: dict[str, Tensor] = {}
        names = self.neutone_parameter_names
        for i in range(self.n_neutone_parameters):
            named[names[i]] = values[i]
        if not torch.jit.is_scripting():  # type: ignore[attr-defined]
            named = NamedValues(named)
        y = self.do_forward_pass(x, named)
        if not torch.jit.is_scripting():  # type: ignore[attr-defined]
            _check_is_tensor(y, "do_forward_pass")
        # Not y.dim(): torch's compiler takes the output of a Conv1d for 3-D, also where the input had no batch axis.
        shape: list[int] = y.shape  # type: ignore[assignment]
        if not torch.jit.is_scripting():  # type: ignore[attr-defined]
            shape = list(shape)
        if shape != [self.sdk_out_channels, n_samples] or y.dtype != torch.float32:
            raise ModelOutputError(
                f"do_forward_pass must return float32 audio of shape ({self.sdk_out_channels}, {n_samples}), got "
                + dtype_name(y)
                + f" of shape {list(y.shape)}; "
                + remedy_for_output(list(y.shape), self.sdk_out_channels, n_samples, self.sdk_look_behind, x.size(1))
            )
        return y

    def _sdk_param_values(self, params: Tensor, n_samples: int) -> list[Tensor]:
        """Return what the model gets of its parameters, fresh, in their ranges."""
        if self.sdk_takes_means:
            means = torch.ops.neutone.denormalize_mean_params(params, self.sdk_param_ranges, self.sdk_last_params)
            values: list[Tensor] = means.unbind(0)
        else:
            params = torch.ops.neutone.clean_params(params, n_samples, self.sdk_last_params)
            if self.sdk_n_past > 0:
                params = self._sdk_with_past(params, self.sdk_past_params, self.sdk_past_params_cursors)
            if self.sdk_aggregates_by_mean:
                params = params[:, self.sdk_look_behind : self.sdk_look_behind + n_samples]
            params = self.aggregate_params(params)
            if not torch.jit.is_scripting():  # type: ignore[attr-defined]
                _check_is_tensor(params, "aggregate_params")
            if params.dim() != 2 or params.size(0) < self.n_neutone_parameters or params.dtype != torch.float32:
                raise ModelOutputError(
                    f"aggregate_params must return float32 of shape ({self.MAX_N_PARAMS}, 1) or "
                    f"({self.MAX_N_PARAMS}, n), got {dtype_name(params)} of shape {list(params.shape)}"
                )
            values = torch.ops.neutone.denormalize_params(params, self.sdk_param_ranges)
            if params.size(1) != 1 or (n_samples == 1 and not self.sdk_aggregates_by_mean):  # curves stay as they are
                return values
        if len(self.sdk_smoothed_params) > 0:
            latest = torch.stack([values[i] for i in self.sdk_smoothed_params])
            curves = torch.ops.neutone.smooth_params(latest, self.sdk_smoothing, n_samples, self.sdk_smoothing_state)
            values = list(values)  # in Python it is a tuple
            for row, i in enumerate(self.sdk_smoothed_params):
                values[i] = curves[row]
        return values

    @torch.jit.export
    def set_sample_rate_and_buffer_size(self, sample_rate: int, n_samples: int) -> bool:
        """Tell the model its rate in Hz and its block size in samples; return whether it adapted to them.

        Raises:
            InvalidTypeError: They are not integers.
            InvalidArgumentError: They are not native to the model.
        """
        self.sdk_check_setting(sample_rate, n_samples)
        self._sdk_tune_smoothing(sample_rate)
        return self.set_model_sample_rate_and_buffer_size(sample_rate, n_samples)

    def sdk_check_setting(self, sample_rate: int, n_samples: int) -> None:
        """Raise as `set_sample_rate_and_buffer_size` does, before any of the wrapper's own code runs."""
        if not torch.jit.is_scripting() and not self.sdk_has_facts:  # type: ignore[attr-defined]
            self.sdk_learn_facts()
        rates = self.sdk_fact_count_lists["native_sample_rates"]
        sizes = self.sdk_fact_count_lists["native_buffer_sizes"]
        if sample_rate < 1 or (len(rates) > 0 and sample_rate not in rates):
            raise InvalidArgumentError(f"the model works at {rates} Hz (empty for any), got {sample_rate}")
        if n_samples < 1 or (len(sizes) > 0 and n_samples not in sizes):
            raise InvalidArgumentError(f"the model works on blocks of {sizes} samples (empty for any), got {n_samples}")

    @torch.jit.export
    def set_daw_sample_rate_and_buffer_size(
        self, daw_sr: int, daw_bs: int, model_sr: int | None = None, model_bs: int | None = None
    ) -> None:
        """Do as `set_sample_rate_and_buffer_size`, for hosts that drive the model without a queue."""
        rate = daw_sr if model_sr is None else model_sr
        size = daw_bs if model_bs is None else model_bs
        self.set_sample_rate_and_buffer_size(rate, size)

    @torch.jit.export
    def reset(self) -> bool:
        """Forget all audio heard so far; return whether the model could."""
        self._sdk_forget()
        return self.reset_model()

    @torch.jit.export
    def get_preserved_attributes(self) -> list[str]:
        """Return what has to survive ``torch.jit.freeze``."""
        return self.sdk_preserved_attributes

    def _sdk_tune_smoothing(self, sample_rate: int) -> None:
        # Written to, here and below, and not assigned: a frozen file may not assign.
        rate = torch.tensor([1.0, sample_rate / 1000.0], dtype=torch.float64)
        self.sdk_smoothing.copy_(self.sdk_smoothing_ms * rate)

    def _sdk_make_history(self) -> None:
        """Make room for look-behind and look-ahead: rings that always hold the latest frames of both."""
        self.sdk_n_past = self.sdk_look_behind + self.sdk_look_ahead
        capacity = power_of_two_above(self.sdk_n_past)
        for name, n_channels in (
            ("sdk_past_audio", max(self.sdk_in_channels, 1)),
            ("sdk_past_params", self.MAX_N_PARAMS),
        ):
            samples, cursors = new_ring(n_channels, capacity)
            self.register_buffer(name, samples, persistent=False)
            self.register_buffer(f"{name}_cursors", cursors, persistent=False)
        self._sdk_forget()

    def _sdk_forget(self) -> None:
        self.sdk_last_params.copy_(self.sdk_default_param_values[:, 0])
        self.sdk_smoothing_state.zero_()
        n_past = self.sdk_n_past
        if n_past > 0:
            torch.ops.neutone.ring_clear(self.sdk_past_audio, self.sdk_past_audio_cursors)
            torch.ops.neutone.ring_clear(self.sdk_past_params, self.sdk_past_params_cursors)
            silence = torch.zeros(self.sdk_in_channels, n_past)
            torch.ops.neutone.ring_write(silence, self.sdk_past_audio, self.sdk_past_audio_cursors)
            defaults = self.sdk_default_param_values.expand(self.MAX_N_PARAMS, n_past)
            torch.ops.neutone.ring_write(defaults, self.sdk_past_params, self.sdk_past_params_cursors)

    def _sdk_with_past(self, frames: Tensor, past: Tensor, cursors: Tensor) -> Tensor:
        """Put the latest frames before a block, of which a look-ahead is the end, and remember those of the block."""
        n_past = self.sdk_n_past
        whole = torch.empty(frames.size(0), n_past + frames.size(1))
        torch.ops.neutone.ring_peek(whole[:, :n_past], past, cursors)
        whole[:, n_past:] = frames
        torch.ops.neutone.ring_push(frames, n_past, past, cursors)
        return whole


def _check_is_tensor(value: object, method: str) -> None:
    """In Python only: TorchScript does not compile a method that returns something else."""
    if not isinstance(value, Tensor):
        msg = f"{method} must return a tensor, got {type(value).__name__}"
        raise ModelOutputError(msg)
