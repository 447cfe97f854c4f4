"""Facts about a model: asked from its getters in Python, answered by the exported file.

A getter may be any Python; an exported file can only hold TorchScript. So the getters are asked once, and what they
say is kept in tables of one type each, which TorchScript can store. :class:`FactGetters` answers from the tables.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any, get_args, get_origin

import torch

from neutone_sdk.errors import InvalidArgumentError, InvalidTypeError, NeutoneError, raise_all
from neutone_sdk.validation import check_list, check_type, shown

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
COUNT_GETTERS = {
    "look_behind_samples": "get_look_behind_samples",
    "look_ahead_samples": "get_look_ahead_samples",
}
COUNT_LIST_GETTERS = {
    "native_sample_rates": "get_native_sample_rates",
    "native_buffer_sizes": "get_native_buffer_sizes",
}
LINK_GETTERS = {"technical_links": "get_technical_links"}
_KINDS: list[tuple[dict[str, str], Any]] = [
    (TEXT_GETTERS, str),
    (TEXT_LIST_GETTERS, Sequence[str]),
    (FLAG_GETTERS, bool),
    (NUMBER_GETTERS, float),
    (COUNT_GETTERS, int),
    (COUNT_LIST_GETTERS, Sequence[int]),
    (LINK_GETTERS, Mapping[str, str]),
]

MAX_COUNT = 2**31 - 1  # samples and Hz; what hosts keep them in

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
    def get_look_ahead_samples(self) -> int:
        """Return how many samples of the future come behind each block; the output is late by as many."""
        return self.sdk_fact_counts["look_ahead_samples"]

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
        InvalidArgumentError: A native rate or size is not positive, the look-behind is negative, or a number is not
            finite. Either lists all that is wrong.
    """
    answers = _answers(model)
    model.sdk_fact_texts = {key: answers[key] for key in TEXT_GETTERS}
    model.sdk_fact_text_lists = {key: list(answers[key]) for key in TEXT_LIST_GETTERS}
    model.sdk_fact_flags = {key: answers[key] for key in FLAG_GETTERS}
    numbers = {key: float(answers[key]) for key in NUMBER_GETTERS}
    model.sdk_fact_numbers = numbers | {"date_created": model.CURRENT_TIME}
    model.sdk_fact_count_lists = {key: list(answers[key]) for key in COUNT_LIST_GETTERS}
    model.sdk_fact_counts = {key: answers[key] for key in COUNT_GETTERS}
    model.sdk_fact_links = dict(answers["technical_links"])
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


def check_fact(value: Any, kind: Any, subject: str) -> None:
    """Raise unless ``value`` is a fact of the ``kind``.

    Args:
        value: What was stated.
        kind: ``str``, ``bool``, ``float``, ``int`` for a count from 0 on, ``Mapping[str, str]``, or a ``Sequence`` of
            one type, of ``int`` for counts from 1 on.
        subject: What the message begins with: ``"ModelCard: name must be"``.

    Raises:
        InvalidTypeError: It is of another type.
        InvalidArgumentError: A count is negative or larger than any, or a number is not finite.
    """
    if kind == Mapping[str, str]:
        _check_links(value, subject)
    elif get_origin(kind) is Sequence:
        check_list(value, get_args(kind)[0], subject)
    else:
        check_type(value, kind, subject)
    if kind is float and not abs(value) <= sys.float_info.max:
        msg = f"{subject} a finite number, got {shown(value)}"
        raise InvalidArgumentError(msg)
    if kind is int:
        _check_counts([value], 0, f"{subject} at least 0", value)
    if kind == Sequence[int]:
        _check_counts(value, 1, f"{subject} numbers above 0, or an empty list for any", value)


def _check_counts(counts: Sequence[int], least: int, rule: str, received: object) -> None:
    if any(not least <= count <= MAX_COUNT for count in counts):
        limit = f", and at most {MAX_COUNT}" * any(count > MAX_COUNT for count in counts)
        msg = f"{rule}{limit}, got {shown(received)}"
        raise InvalidArgumentError(msg)


def _check_links(links: object, subject: str) -> None:
    if not isinstance(links, Mapping) or any(not isinstance(text, str) for link in links.items() for text in link):
        msg = f"{subject} a dict from str to str, got {links!r}"
        raise InvalidTypeError(msg)


def _answers(model: object) -> dict[str, Any]:
    answers: dict[str, Any] = {}
    errors: list[NeutoneError] = []
    for getters, kind in _KINDS:
        for key, getter in getters.items():
            answers[key] = getattr(model, getter)()
            try:
                check_fact(answers[key], kind, f"{type(model).__name__}.{getter}() must return")
            except NeutoneError as error:
                errors.append(error)
    raise_all(errors)
    return answers
