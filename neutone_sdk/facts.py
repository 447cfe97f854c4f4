"""Facts about a model: asked from its getters in Python, answered by the exported file.

A getter may be any Python; an exported file can only hold TorchScript. So the getters are asked once, and what they
say is kept in tables of one type each, which TorchScript can store. :class:`FactGetters` answers from the tables.
"""

import json
from typing import Any

import torch

from neutone_sdk.errors import InvalidArgumentError, InvalidTypeError

# From a fact's key in metadata.json to the getter that knows it.
TEXT_GETTERS = {
    "model_name": "get_model_name",
    "model_version": "get_model_version",
    "model_short_description": "get_model_short_description",
    "model_long_description": "get_model_long_description",
    "technical_description": "get_technical_description",
    "citation": "get_citation",
}
TEXT_LIST_GETTERS = {"model_authors": "get_model_authors", "tags": "get_tags"}
FLAG_GETTERS = {
    "is_experimental": "is_experimental",
    "is_input_mono": "is_input_mono",
    "is_output_mono": "is_output_mono",
}
NUMBER_GETTERS = {
    "wet_default_value": "get_wet_default_value",
    "dry_default_value": "get_dry_default_value",
    "input_gain_default_value": "get_input_gain_default_value",
    "output_gain_default_value": "get_output_gain_default_value",
}
COUNT_LIST_GETTERS = {
    "native_sample_rates": "get_native_sample_rates",
    "native_buffer_sizes": "get_native_buffer_sizes",
}

ParameterMetadata = dict[str, dict[str, int | float | str | bool | list[str] | list[int]]]


class FactGetters:
    """The getters of hosts, answered from tables. A mixin for modules; all methods are scriptable."""

    sdk_fact_texts: dict[str, str]
    sdk_fact_text_lists: dict[str, list[str]]
    sdk_fact_flags: dict[str, bool]
    sdk_fact_numbers: dict[str, float]
    sdk_fact_counts: dict[str, int]
    sdk_fact_count_lists: dict[str, list[int]]
    sdk_fact_links: dict[str, str]
    sdk_fact_parameters: ParameterMetadata
    sdk_metadata_json: str

    @torch.jit.export
    def is_input_mono(self) -> bool:
        """Return whether the model hears one channel; otherwise two."""
        return self.sdk_fact_flags["is_input_mono"]

    @torch.jit.export
    def is_output_mono(self) -> bool:
        """Return whether the model returns one channel; otherwise two."""
        return self.sdk_fact_flags["is_output_mono"]

    @torch.jit.export
    def get_native_sample_rates(self) -> list[int]:
        """Return the rates in Hz that the model works at; empty for any."""
        return self.sdk_fact_count_lists["native_sample_rates"]

    @torch.jit.export
    def get_native_buffer_sizes(self) -> list[int]:
        """Return the block sizes in samples that the model works on; empty for any."""
        return self.sdk_fact_count_lists["native_buffer_sizes"]

    @torch.jit.export
    def get_look_behind_samples(self) -> int:
        """Return how many samples of the past come before each block."""
        return self.sdk_fact_counts["look_behind_samples"]

    @torch.jit.export
    def get_wet_default_value(self) -> float:
        """Return how much of the model's output a new plugin instance plays, 0..1."""
        return self.sdk_fact_numbers["wet_default_value"]

    @torch.jit.export
    def get_dry_default_value(self) -> float:
        """Return how much of the input a new plugin instance plays, 0..1."""
        return self.sdk_fact_numbers["dry_default_value"]

    @torch.jit.export
    def get_input_gain_default_value(self) -> float:
        """Return the gain before the model, 0..1 for -30..+30 dB."""
        return self.sdk_fact_numbers["input_gain_default_value"]

    @torch.jit.export
    def get_output_gain_default_value(self) -> float:
        """Return the gain behind the model, 0..1 for -30..+30 dB."""
        return self.sdk_fact_numbers["output_gain_default_value"]

    @torch.jit.export
    def get_model_name(self) -> str:
        """Return the name that hosts show."""
        return self.sdk_fact_texts["model_name"]

    @torch.jit.export
    def get_metadata_json(self) -> str:
        """Return the metadata as JSON."""
        return self.sdk_metadata_json

    @torch.jit.export
    def to_metadata(self) -> dict[str, Any]:
        """Return the metadata, under the keys of ``metadata.json``."""
        metadata: dict[str, Any] = {}
        for key, text in self.sdk_fact_texts.items():
            metadata[key] = text
        for key, texts in self.sdk_fact_text_lists.items():
            metadata[key] = texts
        for key, flag in self.sdk_fact_flags.items():
            metadata[key] = flag
        for key, number in self.sdk_fact_numbers.items():
            metadata[key] = number
        for key, count in self.sdk_fact_counts.items():
            metadata[key] = count
        for key, counts in self.sdk_fact_count_lists.items():
            metadata[key] = counts
        metadata["technical_links"] = self.sdk_fact_links
        metadata["neutone_parameters"] = self.sdk_fact_parameters
        return metadata


def learn_facts(model: Any) -> None:
    """Ask every getter of ``model`` and fill the tables that :class:`FactGetters` answers from.

    Raises:
        InvalidTypeError: A getter returns something of another type than it promises.
        InvalidArgumentError: A native rate or size is not positive, or the look-behind is negative.
    """
    model.sdk_fact_texts = {key: _ask(model, getter, str, "string") for key, getter in TEXT_GETTERS.items()}
    model.sdk_fact_text_lists = {key: _ask_list(model, getter, str) for key, getter in TEXT_LIST_GETTERS.items()}
    model.sdk_fact_flags = {key: _ask(model, getter, bool, "bool") for key, getter in FLAG_GETTERS.items()}
    numbers = {key: _ask(model, getter, (int, float), "number") for key, getter in NUMBER_GETTERS.items()}
    model.sdk_fact_numbers = {key: float(number) for key, number in numbers.items()} | {
        "date_created": model.CURRENT_TIME
    }
    model.sdk_fact_count_lists = {key: _ask_counts(model, getter) for key, getter in COUNT_LIST_GETTERS.items()}
    look_behind = _ask(model, "get_look_behind_samples", int, "number of samples")
    if look_behind < 0:
        msg = f"{type(model).__name__}.get_look_behind_samples() must return at least 0, got {look_behind}"
        raise InvalidArgumentError(msg)
    model.sdk_fact_counts = {"look_behind_samples": look_behind}
    model.sdk_fact_links = _ask_links(model)
    flags, channels = model.sdk_fact_flags, {True: "mono", False: "stereo"}
    model.sdk_fact_texts |= {
        "model_type": f"{channels[flags['is_input_mono']]}-{channels[flags['is_output_mono']]}",
        "sdk_version": model.SDK_VERSION,
        "pytorch_version": torch.__version__,
    }
    model.sdk_metadata_json = json.dumps(FactGetters.to_metadata(model), indent=4, sort_keys=True)


def copy_facts(source: Any, target: FactGetters) -> None:
    """Let ``target`` answer what ``source`` answers."""
    for table in FactGetters.__annotations__:
        setattr(target, table, getattr(source, table))


def _ask(model: object, getter: str, kind: type | tuple[type, ...], kind_name: str) -> Any:
    value = getattr(model, getter)()
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        msg = f"{type(model).__name__}.{getter}() must return a {kind_name}, got {value!r}"
        raise InvalidTypeError(msg)
    return value


def _ask_list(model: object, getter: str, kind: type) -> list[Any]:
    values = _ask(model, getter, (list, tuple), "list")
    if any(not isinstance(value, kind) or isinstance(value, bool) for value in values):
        msg = f"{type(model).__name__}.{getter}() must return a list of {kind.__name__}, got {values!r}"
        raise InvalidTypeError(msg)
    return list(values)


def _ask_links(model: object) -> dict[str, str]:
    links: dict[str, str] = _ask(model, "get_technical_links", dict, "dict")
    if any(not isinstance(text, str) for link in links.items() for text in link):
        msg = f"{type(model).__name__}.get_technical_links() must return a dict from str to str, got {links!r}"
        raise InvalidTypeError(msg)
    return dict(links)


def _ask_counts(model: object, getter: str) -> list[int]:
    values = _ask_list(model, getter, int)
    if any(value < 1 for value in values):
        msg = f"{type(model).__name__}.{getter}() must return numbers above 0, or an empty list for any, got {values}"
        raise InvalidArgumentError(msg)
    return values
