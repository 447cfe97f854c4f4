"""The file itself: that it is TorchScript, survives saving, and has what hosts call."""

import io
from typing import Final

import torch

from neutone_sdk.checks.check import Budget, Check
from neutone_sdk.checks.compare import how_they_differ
from neutone_sdk.checks.report import Outcome, failed, passed, skipped, warned
from neutone_sdk.checks.subject import Model, Subject, load, play_afresh
from neutone_sdk.errors import InvalidFileError
from neutone_sdk.rendering import set_up_host
from neutone_sdk.script_operators import custom_namespaces, operators_in
from neutone_sdk.scripting import without_deprecation

# What hosts call, from its name to arguments and result in TorchScript's words. These are in files of every version,
_ALWAYS: Final = {
    "forward": "(Tensor x, Tensor? params=None) -> Tensor",
    "set_daw_sample_rate_and_buffer_size": "(int daw_sr, int daw_bs, int? model_sr=None, int? model_bs=None) -> int",
    "reset": "() -> NoneType",
    "calc_buffering_delay_samples": "() -> int",
    "calc_model_delay_samples": "() -> int",
    "is_resampling": "() -> bool",
    "is_input_mono": "() -> bool",
    "is_output_mono": "() -> bool",
    "get_native_sample_rates": "() -> int[]",
    "get_native_buffer_sizes": "() -> int[]",
    "get_default_param_values": "() -> Tensor",
    "get_wet_default_value": "() -> float",
    "get_dry_default_value": "() -> float",
    "get_input_gain_default_value": "() -> float",
    "get_output_gain_default_value": "() -> float",
    "get_preserved_attributes": "() -> str[]",
}
# these came in the course of 1.x.
_LATER: Final = {
    "forward_bt": "(Tensor x, Tensor? params=None) -> Tensor?",
    "forward_offline": "(Tensor x, Tensor? params=None) -> Tensor",
    "get_metadata_json": "() -> str",
}
_SUBMODULE: Final = "w2w_base"  # some hosts drive it themselves


def is_of_1x(subject: Subject) -> bool:
    """Return whether the SDK before this one wrote the file."""
    return "flavour" not in subject.metadata


def _scripts(subject: Subject, _: Budget) -> Outcome:
    try:
        model = subject.unplayed
    except InvalidFileError as error:
        return failed(str(error))
    n_methods = sum(len(module._c._method_names()) for module in model.modules())  # noqa: SLF001
    return passed(f"{n_methods} methods, {len(subject.content) / 1e6:.2f} MB")


def _reloads(subject: Subject, budget: Budget) -> Outcome:
    first = subject.performance(budget)
    file = io.BytesIO()
    with without_deprecation():
        torch.jit.save(subject.load(), file)
    again = load(file.getvalue())
    set_up_host(again, subject.setting.rate_hz, subject.setting.block)
    played = play_afresh(again, first.audio, subject.setting.block)
    problem = how_they_differ("the file", first.output, "the same file saved once more", played)
    return failed(problem) if problem else passed(f"plays the same after saving, {len(file.getvalue()) / 1e6:.2f} MB")


def _has_host_methods(subject: Subject, _: Budget) -> Outcome:
    model = subject.unplayed
    expected = {**_ALWAYS, **({} if is_of_1x(subject) else _LATER)}
    problems = [problem for name, schema in expected.items() if (problem := _problem_with(model, name, schema))]
    if not hasattr(model, _SUBMODULE):
        problems.append(f"{_SUBMODULE} is missing")
    return failed("; ".join(problems)) if problems else passed(f"all {len(expected)} are there, as hosts call them")


def _problem_with(model: Model, name: str, expected: str) -> str:
    if not model._c._has_method(name):  # noqa: SLF001
        return f"{name}{expected} is missing"
    schema = str(model._c._get_method(name).schema)  # noqa: SLF001
    arguments = schema.partition("(")[2]
    _, _, arguments = arguments.partition(" self")  # its type holds no blank
    found = "(" + arguments.removeprefix(", ")
    return "" if _calls_alike(found, expected) else f"{name} must be {expected}, got {found}"


def _calls_alike(found: str, expected: str) -> bool:
    """Hosts call by position: names are free, and so is what `reset` returns."""
    (arguments, result), (wanted, wanted_result) = (_split(schema) for schema in (found, expected))
    return arguments == wanted and wanted_result in {result, "NoneType"}


def _split(schema: str) -> tuple[list[str], str]:
    arguments, _, result = schema.partition(") -> ")
    kinds = [argument.split(" ")[0] + "=" * ("=" in argument) for argument in arguments.removeprefix("(").split(", ")]
    return kinds, result


def _has_its_flavour(subject: Subject, _: Budget) -> Outcome:
    flavour = subject.metadata.get("flavour", "portable")  # in 1.x there was nothing but torch
    operators = operators_in(subject.unplayed)
    needed = custom_namespaces(operators)
    allowed = set() if flavour == "portable" else set(subject.metadata.get("required_ops", {}))
    unknown = sorted(name for name in operators if name.partition("::")[0] in needed - allowed)
    if unknown:
        return failed(f"{flavour}, but it calls {', '.join(unknown)}, which the file does not announce")
    custom = f", and {', '.join(sorted(needed))}" if needed else " only"
    return passed(f"{flavour}: {len(operators)} operators, of torch{custom}")


def _links_lead_somewhere(subject: Subject, _: Budget) -> Outcome:
    links = subject.metadata.get("technical_links", {})
    if not links:
        return skipped("there are none")
    from neutone_sdk.online import unreachable_links  # noqa: PLC0415  # nothing else needs the network

    lost = unreachable_links(subject.metadata)
    return (
        warned(f"{len(lost)} of {len(links)} cannot be reached: {', '.join(lost)}")
        if lost
        else passed(f"all {len(links)} can be reached")
    )


SCRIPTS = Check(
    "scripts",
    "a host has no Python: all of the model has to be TorchScript that torch can load",
    "export it with save_neutone_model, with the torch that hosts have, or an older one",
    _scripts,
    is_essential=True,
    refuses=True,
)
RELOADS = Check(
    "reloads",
    "files are copied, cached and repacked; what a model needs has to be in it",
    "keep what is learned in parameters and buffers, and out of __setstate__",
    _reloads,
)
HOST_METHODS = Check(
    "host-methods",
    "a host calls these methods by name and in this form; one that differs is a crash or silence",
    "do not override what SampleQueueWrapper defines; with freeze=True preserve what get_preserved_attributes returns",
    _has_host_methods,
    is_essential=True,
    refuses=True,
)
FLAVOUR = Check(
    "flavour",
    "a host without the libraries of an operator cannot load the file at all",
    "use operators of torch and of this package only; for hosts without the latter export with flavour='portable'",
    _has_its_flavour,
    is_essential=True,
    refuses=True,
)
LINKS = Check(
    "links",
    "hosts show the links beside the model",
    "correct the address, or remove it from get_technical_links",
    _links_lead_somewhere,
)
