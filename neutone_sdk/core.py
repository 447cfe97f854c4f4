"""What every wrapped model has: facts about itself, and parameters."""

import time
from abc import ABC
from typing import Any

import torch
from torch import Tensor, nn

from neutone_sdk._version import __version__
from neutone_sdk.constants import MAX_N_PARAMS
from neutone_sdk.errors import InvalidParameterError, InvalidTypeError
from neutone_sdk.facts import FactGetters, learn_facts
from neutone_sdk.model_card import ModelCard, missing_getters, required_unless_carded
from neutone_sdk.parameter import (
    SMOOTHING_KINDS,
    CategoricalNeutoneParameter,
    ContinuousNeutoneParameter,
    NeutoneParameter,
    check_unique_names,
)
from neutone_sdk.scripting import scriptable_twin
from neutone_sdk.validation import check_type


class NeutoneModel(ABC, nn.Module):
    """A model with the facts that hosts show of it. Subclass :class:`WaveformToWaveformBase` rather than this.

    The facts come from getters that the subclass defines, or from a :class:`ModelCard`: the class attribute ``card``,
    or ``card=`` of the constructor. Getters other than ``get_neutone_parameters`` are asked at export or first use, so
    they may read attributes that the subclass sets after ``super().__init__``. They are asked in Python, and their
    answers are written into the exported file: they need not be scriptable.

    Args:
        model: The wrapped model; put in eval mode, and reachable as ``self.model`` from then on.
        use_debug_mode: Accepted for older wrappers; arguments are always checked.
        card: Static facts, instead of getters.

    Raises:
        InvalidTypeError: ``model`` is no module, ``card`` is no card or not given by name, or a getter is missing and
            there is no card.
        InvalidParameterError: There are too many parameters, one is of the wrong kind, or two have one name.
    """

    card: ModelCard | None = None

    sdk_metadata_json: str
    neutone_parameter_names: list[str]
    neutone_parameter_descriptions: list[str]
    neutone_parameter_types: list[str]
    neutone_parameter_used: list[bool]
    sdk_default_param_values: Tensor
    sdk_param_ranges: Tensor
    sdk_smoothed_params: list[int]
    sdk_smoothing_ms: Tensor

    def __init__(self, model: nn.Module, use_debug_mode: bool = True, *, card: ModelCard | None = None) -> None:
        super().__init__()
        if isinstance(use_debug_mode, ModelCard):
            msg = (
                f"the second argument is use_debug_mode; give the card by name: {type(self).__name__}(model, card=...)"
            )
            raise InvalidTypeError(msg)
        if not isinstance(model, nn.Module):
            msg = f"model must be a torch.nn.Module, got {type(model).__name__}"
            raise InvalidTypeError(msg)
        self.model = model.eval()
        self.use_debug_mode = use_debug_mode
        self.MAX_N_PARAMS = MAX_N_PARAMS
        self.SDK_VERSION = __version__
        self.CURRENT_TIME = time.time()
        stated = self.card if card is None else card
        if stated is not None:
            check_type(stated, ModelCard, "card must be")
            self.card = stated
        missing = missing_getters(type(self))
        if self.card is None and missing:
            msg = (
                f"{type(self).__name__} must define {', '.join(missing)}; or state such facts in one place: "
                "card = ModelCard(name=..., authors=[...], short_description=...)"
            )
            raise InvalidTypeError(msg)
        self._sdk_take_parameters(self.get_neutone_parameters())
        self.sdk_has_facts = False

    def _sdk_take_parameters(self, parameters: list[NeutoneParameter]) -> None:
        if not isinstance(parameters, (list, tuple)):
            msg = f"{type(self).__name__}.get_neutone_parameters() must return a list, got {parameters!r}"
            raise InvalidTypeError(msg)
        parameters = [_as_knob_if_plain(parameter) for parameter in parameters]
        _check_parameters(parameters)
        defaults = torch.zeros(MAX_N_PARAMS, 1)
        ranges = torch.zeros(len(parameters), 3)  # minimum, maximum, is_categorical
        smoothed: list[int] = []
        smoothing: list[list[float]] = []  # kind, milliseconds
        for row, parameter in enumerate(parameters):
            if isinstance(parameter, CategoricalNeutoneParameter):
                defaults[row] = parameter.default_value_0to1
                ranges[row] = torch.tensor([0.0, parameter.n_values - 1.0, 1.0])
            elif isinstance(parameter, ContinuousNeutoneParameter):
                defaults[row] = parameter.default_value_0to1
                ranges[row] = torch.tensor([parameter.min_value, parameter.max_value, 0.0])
                if parameter.smoothing_ms is not None:
                    smoothed.append(row)
                    smoothing.append([float(SMOOTHING_KINDS[parameter.smoothing]), parameter.smoothing_ms])
        self.register_buffer("sdk_default_param_values", defaults, persistent=False)
        self.register_buffer("sdk_param_ranges", ranges, persistent=False)
        self.sdk_smoothed_params = smoothed
        # No buffer: .float() must not touch it.
        self.sdk_smoothing_ms = torch.tensor(smoothing, dtype=torch.float64).reshape(-1, 2)
        self.n_neutone_parameters = len(parameters)
        self.neutone_parameter_names = [parameter.name for parameter in parameters]
        self.neutone_parameter_descriptions = [parameter.description for parameter in parameters]
        self.neutone_parameter_types = [parameter.type.value for parameter in parameters]
        self.neutone_parameter_used = [parameter.used for parameter in parameters]
        self.sdk_fact_parameters = {
            f"p{position}": parameter.to_metadata() for position, parameter in enumerate(parameters, start=1)
        }

    def _sdk_card(self) -> ModelCard:
        if self.card is None:
            msg = f"{type(self).__name__} has neither this getter nor a card"
            raise InvalidTypeError(msg)
        return self.card

    @required_unless_carded
    def get_model_name(self) -> str:
        """Return the name that hosts show, at most 30 characters."""
        return self._sdk_card().name

    @required_unless_carded
    def get_model_authors(self) -> list[str]:
        """Return who made the model, at most 5."""
        return list(self._sdk_card().authors)

    @required_unless_carded
    def get_model_short_description(self) -> str:
        """Return what the model does, for musicians, at most 150 characters."""
        return self._sdk_card().short_description

    @required_unless_carded
    def get_model_long_description(self) -> str:
        """Return what the model does and how to use it, at most 500 characters."""
        return self._sdk_card().long_description

    @required_unless_carded
    def get_technical_description(self) -> str:
        """Return how the model works, for researchers, at most 500 characters."""
        return self._sdk_card().technical_description

    @required_unless_carded
    def get_tags(self) -> list[str]:
        """Return words to find the model by, at most 7 of at most 15 characters."""
        return list(self._sdk_card().tags)

    @required_unless_carded
    def get_model_version(self) -> str:
        """Return the version of the model, for instance ``"1.0.0"``."""
        return self._sdk_card().version

    @required_unless_carded
    def is_experimental(self) -> bool:
        """Return whether hosts mark the model as experimental."""
        return self._sdk_card().is_experimental

    def get_technical_links(self) -> dict[str, str]:
        """Return at most 3 links, from a caption (Paper, Code, ...) to an address."""
        return {} if self.card is None else dict(self.card.technical_links)

    def get_citation(self) -> str:
        """Return how to cite the model, at most 300 characters."""
        return "" if self.card is None else self.card.citation

    def get_neutone_parameters(self) -> list[NeutoneParameter]:
        """Return the parameters, at most 4, in the order in which hosts show them."""
        return [] if self.card is None else list(self.card.parameters)

    def get_wet_default_value(self) -> float:
        """Return how much of the model's output a new plugin instance plays, 0..1."""
        return 1.0 if self.card is None else self.card.wet_default

    def get_dry_default_value(self) -> float:
        """Return how much of the input a new plugin instance plays, 0..1."""
        return 0.0 if self.card is None else self.card.dry_default

    def get_input_gain_default_value(self) -> float:
        """Return the gain before the model, 0..1 for -30..+30 dB."""
        return 0.5 if self.card is None else self.card.input_gain_default

    def get_output_gain_default_value(self) -> float:
        """Return the gain behind the model, 0..1 for -30..+30 dB."""
        return 0.5 if self.card is None else self.card.output_gain_default

    def prepare_for_inference(self) -> None:
        """Put everything in eval mode. Called before a model is exported; overrides must call this one too."""
        self.eval()
        self.sdk_learn_facts()

    def sdk_learn_facts(self) -> None:
        """Ask every getter and keep the answers where TorchScript finds them.

        Raises:
            InvalidTypeError: A getter returns something of another type than it promises.
            InvalidArgumentError: A getter returns something outside what is allowed.
        """
        learn_facts(self)
        self.sdk_has_facts = True

    def to_metadata(self) -> dict[str, Any]:
        """Return everything that ``metadata.json`` says of the model."""
        self.sdk_learn_facts()
        return FactGetters.to_metadata(self)  # type: ignore[arg-type]  # the tables that it reads are there

    def get_metadata_json(self) -> str:
        """Return the metadata as JSON."""
        self.sdk_learn_facts()
        return self.sdk_metadata_json

    def __prepare_scriptable__(self) -> "NeutoneModel":
        """Called by ``torch.jit.script``: hand it a twin that it can compile."""
        self.sdk_learn_facts()
        return scriptable_twin(self)

    @torch.jit.export
    def get_default_param_values(self) -> Tensor:
        """Return the knobs' defaults, 0..1, ``(4, 1)``; rows without a parameter are 0."""
        return self.sdk_default_param_values.clone()

    @torch.jit.export
    def get_default_param_names(self) -> list[str]:
        """Return the parameters' names."""
        return self.neutone_parameter_names

    @torch.jit.export
    def get_default_param_descriptions(self) -> list[str]:
        """Return the parameters' descriptions."""
        return self.neutone_parameter_descriptions

    @torch.jit.export
    def get_default_param_types(self) -> list[str]:
        """Return the parameters' kinds: ``"continuous"`` or ``"categorical"``."""
        return self.neutone_parameter_types

    @torch.jit.export
    def get_default_param_used(self) -> list[bool]:
        """Return which parameters hosts show."""
        return self.neutone_parameter_used


def _as_knob_if_plain(parameter: NeutoneParameter) -> NeutoneParameter:
    """Before parameters had kinds, a plain ``NeutoneParameter`` was what a continuous one from 0 to 1 is now."""
    if type(parameter) is not NeutoneParameter:
        return parameter
    return ContinuousNeutoneParameter(
        parameter.name,
        parameter.description,
        parameter.default_value,  # type: ignore[arg-type]  # checked there
        used=parameter.used,
    )


def _check_parameters(parameters: list[NeutoneParameter]) -> None:
    if len(parameters) > MAX_N_PARAMS:
        names = [parameter.name for parameter in parameters]
        msg = f"a model can have at most {MAX_N_PARAMS} parameters, got {len(parameters)}: {names}; drop some"
        raise InvalidParameterError(msg)
    for parameter in parameters:
        if not isinstance(parameter, (ContinuousNeutoneParameter, CategoricalNeutoneParameter)):
            msg = (
                f"a real-time model takes continuous and categorical parameters only, got {parameter!r}; "
                "text and tokens are for models that render whole clips"
            )
            raise InvalidParameterError(msg)
    check_unique_names(parameters)
