"""The main job on real audio: wrap the clipper, export it, play audio through it, and show what happened."""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import matplotlib as mpl
import numpy as np
from example_clipper import Clipper, ClipperWrapper
from rich.console import Console
from rich.table import Table

from neutone_sdk import SampleQueueWrapper
from neutone_sdk.audio import AudioSample
from neutone_sdk.errors import NeutoneError
from neutone_sdk.rendering import knobs, latencies, render
from neutone_sdk.utils import load_neutone_model, model_to_torchscript, save_neutone_model

mpl.use("Agg")
import matplotlib.pyplot as plt  # after the backend is chosen

HOST_RATE_HZ = 48_000
HOST_BLOCKS = (64, 128, 441, 512, 1000, 2000, 2048)
SHOWN_SECONDS = 0.02


class ClipperInBlocks(ClipperWrapper):
    """The same model, if it worked on blocks of 2048 samples only, as many networks do."""

    card = replace(ClipperWrapper.card, native_buffer_sizes=[2048])


class ClipperAtItsRate(ClipperWrapper):
    """The same model, if it also worked at 44.1 kHz only."""

    card = replace(ClipperInBlocks.card, native_sample_rates=[44_100])


MODELS = {
    "clipper": ClipperWrapper,
    "in blocks of 2048": ClipperInBlocks,
    "... at 44100 Hz": ClipperAtItsRate,
}


def latency_table() -> Table:
    """Return one line for each block size of the host."""
    table = Table(title=f"latency in samples of a host at {HOST_RATE_HZ} Hz, the least possible", title_justify="left")
    for heading in ("host block", *MODELS):
        table.add_column(heading, justify="right")
    models = (model_to_torchscript(SampleQueueWrapper(wrapper(Clipper()))) for wrapper in MODELS.values())
    for rows in zip(*(latencies(model, [HOST_RATE_HZ], HOST_BLOCKS) for model in models), strict=True):
        cells = (f"{row.total_samples} ({row.total_ms:4.1f} ms)" for row in rows)
        table.add_row(str(rows[0].buffer_size), *cells)
    return table


def draw(path: Path, before: np.ndarray, after: np.ndarray, rate_hz: int) -> None:
    """Draw both signals whole, and again around the loudest moment."""
    loudest = int(np.abs(before).argmax())
    n_shown = min(int(SHOWN_SECONDS * rate_hz), len(before))
    start = max(0, min(loudest - n_shown // 2, len(before) - n_shown))
    figure, axes = plt.subplots(2, 1, figsize=(10, 6), layout="constrained")
    for axis, first, last in zip(axes, (0, start), (len(before), start + n_shown), strict=True):
        times = np.arange(first, last) / rate_hz
        axis.plot(times, before[first:last], label="input", color="0.6", linewidth=0.8)
        axis.plot(times, after[first:last], label="output", color="C3", linewidth=0.8)
        axis.set(xlabel="time in s", ylabel="amplitude", xlim=(first / rate_hz, last / rate_hz))
        axis.grid(alpha=0.3)
    axes[0].set_title("input and output, left channel")
    axes[0].legend(loc="upper right")
    axes[1].set_title(f"{1e3 * n_shown / rate_hz:.0f} ms around the loudest moment")
    figure.savefig(path, dpi=110)


def demonstrate(audio: Path, folder: Path) -> None:
    """Wrap, export, load, play, measure, show."""
    console = Console()
    clip = AudioSample.from_file(audio)
    save_neutone_model(ClipperWrapper(Clipper()), folder)
    model, metadata = load_neutone_model(folder / "model.nm")
    console.print(f"exported {folder / 'model.nm'}: {metadata['model_name']}, {metadata['model_type']}")

    played = render(model, clip.audio, knobs(metadata, {}), sample_rate_hz=clip.sr, buffer_size=512)
    AudioSample(played, clip.sr).to_file(folder / "clipped.wav")
    draw(folder / "clipped.png", clip.audio[0].numpy(), played[0].numpy(), clip.sr)
    console.print(f"played {audio} ({played.size(1) / clip.sr:.1f} s, {clip.sr} Hz)")
    console.print(f"  audio    {folder / 'clipped.wav'}")
    console.print(f"  picture  {folder / 'clipped.png'}")
    console.print(latency_table())


def main() -> None:
    """Parse, demonstrate; what the user can do something about is one line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("audio", type=Path, help="file to play: wav, flac, ogg or mp3")
    parser.add_argument("-o", "--output", type=Path, default=Path("demo_output"), help="folder to write to")
    arguments = parser.parse_args()
    try:
        demonstrate(arguments.audio, arguments.output)
    except NeutoneError as error:
        sys.exit(f"Error: {error}")


if __name__ == "__main__":
    main()
