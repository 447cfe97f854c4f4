"""``neutone render``: play a file through a model."""

import math
from pathlib import Path

import click
import soundfile
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor

from neutone_sdk.audio import AudioSample
from neutone_sdk.errors import ExportError, InvalidArgumentError
from neutone_sdk.export import load_neutone_model
from neutone_sdk.rendering import Latency, knobs, latencies
from neutone_sdk.rendering import render as render_clip

# What loses the least in each format: WAV keeps samples above full scale, the others cannot.
_SUBTYPES = {"WAV": "FLOAT", "FLAC": "PCM_24", "OGG": "VORBIS", "MP3": "MPEG_LAYER_III"}


def _split(values: tuple[str, ...]) -> dict[str, str]:
    pairs = {}
    for text in values:
        name, equals, value = text.partition("=")
        if not equals:
            msg = f"--param takes NAME=VALUE, got {text!r}"
            raise InvalidArgumentError(msg)
        pairs[name.strip()] = value.strip()
    return pairs


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("source", metavar="IN", type=click.Path(path_type=Path))
@click.argument("target", metavar="OUT", type=click.Path(path_type=Path))
@click.option("--buffer-size", type=click.IntRange(min=1), default=512, show_default=True, help="Samples a callback.")
@click.option("--param", "params", multiple=True, metavar="NAME=VALUE", help="Set a parameter, in its own unit.")
@click.option("--channels", type=click.Choice(["1", "2"]), help="Play IN as mono or stereo.  [default: as it is]")
def render(
    model: Path, source: Path, target: Path, buffer_size: int, params: tuple[str, ...], channels: str | None
) -> None:
    """Play the audio file IN through MODEL as a host does, and write OUT.

    Formats are known by their endings: wav, flac, ogg, mp3. The latency is taken out: OUT is as long as IN, and in time
    with it.
    """
    file_format = _check_target(target)
    script, metadata = load_neutone_model(model)
    knob_values = knobs(metadata, _split(params))
    clip = AudioSample.from_file(source)
    audio = _with_channels(clip.audio, int(channels or clip.audio.size(0)))
    (latency,) = latencies(script, [clip.sr], [buffer_size])
    with Progress(
        TextColumn("playing"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    ) as progress:
        task = progress.add_task("playing", total=audio.size(1))
        output = render_clip(
            script,
            audio,
            knob_values,
            sample_rate_hz=clip.sr,
            buffer_size=buffer_size,
            on_progress=lambda done: progress.update(task, completed=done),
        )
    _write(target, output, clip.sr, file_format)
    click.echo(_summary(target, output, latency))


def _with_channels(audio: Tensor, n_channels: int) -> Tensor:
    if audio.size(0) == n_channels:
        return audio
    return audio.mean(dim=0, keepdim=True) if n_channels == 1 else audio.expand(n_channels, -1)


def _check_target(target: Path) -> str:
    """Return the format; what cannot be written is said before anything is played."""
    file_format = target.suffix[1:].upper()
    if file_format not in _SUBTYPES:
        msg = f"{target}: the ending must be one of {', '.join(kind.lower() for kind in _SUBTYPES)}"
        raise InvalidArgumentError(msg)
    if not target.parent.is_dir():
        msg = f"cannot write {target}: there is no folder {target.parent}"
        raise ExportError(msg)
    return file_format


def _write(target: Path, audio: Tensor, rate_hz: int, file_format: str) -> None:
    try:
        soundfile.write(target, audio.T.numpy(), rate_hz, subtype=_SUBTYPES[file_format], format=file_format)
    except (soundfile.SoundFileError, OSError) as error:
        msg = f"cannot write {target}: {error}"
        raise ExportError(msg) from error


def _summary(target: Path, audio: Tensor, latency: Latency) -> str:
    peak = float(audio.abs().max())
    level = f"peak {20 * math.log10(peak):.1f} dBFS" if peak > 0 else "silence"
    if peak > 1 and target.suffix.lower() != ".wav":
        level += f", clipped: {target.suffix[1:]} holds at most 0 dBFS, wav any"
    return (
        f"{target}: {audio.size(1) / latency.sample_rate_hz:.2f} s, {audio.size(0)} channels, "
        f"{latency.sample_rate_hz} Hz, {level}\n"
        f"latency taken out: {latency.total_samples} samples ({latency.total_ms:.1f} ms) = "
        f"{latency.buffering_samples} buffering + {latency.model_samples} model"
    )
