"""``neutone render``: play a file through a model."""

import math
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor
from torch.jit import ScriptModule

from neutone_sdk.audio import AudioSample
from neutone_sdk.audio_formats import check_target
from neutone_sdk.errors import InvalidArgumentError
from neutone_sdk.export import load_neutone_model
from neutone_sdk.rendering import Latency, knobs, latencies
from neutone_sdk.rendering import render as render_clip
from neutone_sdk.streaming.resampler import resample


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("source", metavar="IN", type=click.Path(path_type=Path))
@click.argument("target", metavar="OUT", type=click.Path(path_type=Path))
@click.option("--buffer-size", type=click.IntRange(min=1), default=512, show_default=True, help="Samples a callback.")
@click.option(
    "--sample-rate",
    type=click.IntRange(min=1),
    help="Rate of the host in Hz; OUT gets it too.  [default: that of IN]",
)
@click.option("--param", "params", multiple=True, metavar="NAME=VALUE", help="Set a parameter, in its own unit.")
@click.option("--channels", type=click.Choice(["1", "2"]), help="Play IN as mono or stereo.  [default: as it is]")
def render(
    model: Path,
    source: Path,
    target: Path,
    buffer_size: int,
    sample_rate: int | None,
    params: tuple[str, ...],
    channels: str | None,
) -> None:
    """Play the audio file IN through MODEL as a host does, and write OUT.

    Formats are known by their endings: wav, flac, ogg, mp3. The latency is taken out: OUT is as long as IN, and in time
    with it. With --sample-rate IN is resampled to the host's rate first, as a DAW does that plays it in a session of
    that rate.
    """
    clip = AudioSample.from_file(source)
    host_hz = sample_rate or clip.sr
    check_target(target, host_hz)
    script, metadata = load_neutone_model(model)
    names = [parameter["name"] for parameter in metadata.get("neutone_parameters", {}).values()]
    knob_values = knobs(metadata, dict(_split(text, names) for text in params))
    (latency,) = latencies(script, [host_hz], [buffer_size])
    audio = _with_channels(clip.audio, int(channels or clip.audio.size(0)))
    audio = resample(audio, clip.sr, host_hz, quality="high")
    played = AudioSample(_play(script, audio, knob_values, latency), host_hz)
    played.to_file(target)
    click.echo(_summary(target, played, latency))


def _split(text: str, names: list[str]) -> tuple[str, str]:
    """Split NAME=VALUE. Names may hold ``=``, and spaces at their ends: the longest that the model has wins."""
    splits = [(text[:at], text[at + 1 :]) for at, character in enumerate(text) if character == "="]
    if not splits:
        msg = f"--param takes NAME=VALUE, got {text!r}"
        raise InvalidArgumentError(msg)
    for name, value in reversed(splits):
        for each in (name, name.strip()):
            if each in names:
                return each, value
    return splits[0]


def _play(script: ScriptModule, audio: Tensor, knob_values: Tensor, latency: Latency) -> Tensor:
    console = Console(stderr=True)
    columns = (TextColumn("playing"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("playing", total=audio.size(1))
        return render_clip(
            script,
            audio,
            knob_values,
            sample_rate_hz=latency.sample_rate_hz,
            buffer_size=latency.buffer_size,
            on_progress=lambda done: progress.update(task, completed=done),
        )


def _with_channels(audio: Tensor, n_channels: int) -> Tensor:
    if audio.size(0) == n_channels:
        return audio
    return audio.mean(dim=0, keepdim=True) if n_channels == 1 else audio.expand(n_channels, -1)


def _summary(target: Path, played: AudioSample, latency: Latency) -> str:
    channels = "mono" if played.is_mono() else "stereo"
    parts = {
        "buffering": latency.buffering_samples,
        "resampling": latency.resampling_samples,
        "model": latency.model_samples,
    }
    return (
        f"{click.format_filename(target)}: {played.audio.size(1) / played.sr:.2f} s, {channels}, {played.sr} Hz, "
        f"{_level(float(played.audio.abs().max()), target)}\n"
        f"latency taken out: {latency.total_samples} samples ({latency.total_ms:.1f} ms) = "
        + " + ".join(f"{samples} {part}" for part, samples in parts.items())
    )


def _level(peak: float, target: Path) -> str:
    if not math.isfinite(peak):
        return "with samples that are no finite numbers"
    if peak == 0:
        return "silence"
    is_clipped = peak > 1 and target.suffix.lower() == ".flac"
    return f"peak {20 * math.log10(peak):.1f} dBFS" + (", clipped: flac holds at most 0 dBFS, wav any" * is_clipped)
