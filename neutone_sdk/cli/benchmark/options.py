"""Options that the benchmarks share, in the spelling of the other commands and in that of 1.x."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import click

from neutone_sdk.benchmark.job import DEFAULT_SIZES, KNOBS

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

_YES: Final = "true"


def takes_model(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add MODEL, which 1.x calls ``--model_file``."""
    argument = click.argument("model", required=False, type=click.Path(path_type=Path))
    option = click.option("--model_file", "model_file", type=click.Path(path_type=Path), help="The same as MODEL.")
    return argument(option(command))


def the_model(model: Path | None, model_file: Path | None) -> Path:
    """Return which of the two was given."""
    given = [path for path in (model, model_file) if path is not None]
    if len(given) != 1:
        raise click.UsageError("name one model: MODEL, or --model_file MODEL")
    return given[0]


def takes_settings(rates_hz: tuple[int, ...] = (48_000,), sizes: tuple[int, ...] = DEFAULT_SIZES) -> Decorator:
    """Add the host's rates and block sizes."""
    rate = _numbers("--sample-rate", "--sample_rate", "rates_hz", rates_hz, "Rate of the host in Hz; may be repeated.")
    size = _numbers("--buffer-size", "--buffer_size", "sizes", sizes, "Samples a callback; may be repeated.")
    return lambda command: rate(size(command))


def takes_threads(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add torch's two kinds of threads."""
    inside = number("--num-threads", "--num_threads", "n_threads", 1, "Threads of torch in one operator.")
    between = number(
        "--num-interop-threads", "--num_interop_threads", "n_interop_threads", 1, "Threads for operators side by side."
    )
    return inside(between(command))


def takes_host(n_iters_help: str) -> Decorator:
    """Add how the host plays, and how long."""
    decorators = (
        number("--n-iters", "--n_iters", "n_iters", 30, n_iters_help),
        takes_audio,
        click.option(
            "--max-seconds",
            type=float,
            default=10.0,
            show_default=True,
            help="Time limit at each setting; what was measured until then is shown.",
        ),
    )

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        for decorator in reversed(decorators):
            command = decorator(command)
        return command

    return decorate


def takes_audio(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add what the host sends."""
    mono = flag("--daw-is-mono", "--daw_is_mono", "is_mono", "The host sends one channel, not two.")
    clip = click.option(
        "--input", "clip", type=click.Path(path_type=Path), help="Audio to play.  [default: a drum loop]"
    )
    return mono(clip(command))


def takes_knobs(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add whether knobs are turned."""
    help_ = "Left alone, or turned all the time."
    return click.option("--knobs", type=click.Choice(KNOBS), default=KNOBS[0], show_default=True, help=help_)(command)


def flag(name: str, old_name: str, variable: str, text: str) -> Decorator:
    """Add a flag that may have a value, as in 1.x it must: ``--daw_is_mono True``."""
    return click.option(name, old_name, variable, is_flag=False, flag_value=_YES, default=False, type=bool, help=text)


def number(name: str, old_name: str, variable: str, default: int, text: str) -> Decorator:
    """Add a whole number."""
    names = dict.fromkeys((name, old_name))  # some have one only
    return click.option(*names, variable, type=int, default=default, show_default=True, help=text)


def _numbers(name: str, old_name: str, variable: str, default: tuple[int, ...], text: str) -> Decorator:
    return click.option(
        name, old_name, variable, type=int, default=default, show_default=True, multiple=True, help=text
    )
