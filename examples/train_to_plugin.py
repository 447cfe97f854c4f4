"""From audio to a plugin in one run: record an effect, train a network on it, export it, and prove what it plays.

The effect is a known one, a distortion pedal with memory and a drive knob, so the errors that are printed can be
believed: they are of audio that the network never heard, also at positions of the knob that it never saw. For a pedal
of your own, record what goes in and what comes out, one pair of files for each position of its knob:

    python examples/train_to_plugin.py --pair 0 dry.wav low.wav --pair 10 dry.wav high.wav
"""

import argparse
import csv
import json
import statistics
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TypeVar

import torch
from pedal_recordings import HELD_OUT_PART, Data, Recording, recordings_in_files, recordings_of_the_pedal
from rich.console import Console
from rich.progress import track
from rich.table import Table
from spectrograms import draw
from torch import Tensor, nn
from torch.jit import ScriptModule

from neutone_sdk import ContinuousNeutoneParameter, ModelCard, WaveformToWaveformBase, resample
from neutone_sdk.audio import AudioSample
from neutone_sdk.errors import NeutoneError
from neutone_sdk.filters import FilterType, IIRFilter
from neutone_sdk.rendering import knobs, render
from neutone_sdk.tcn_1d import TCN1D
from neutone_sdk.utils import load_neutone_model, save_neutone_model

EXCERPT_SAMPLES = 8192
N_EXCERPTS = 8  # in a batch
N_REPORTS = 10
BLOCK_SAMPLES = 333  # of a host at the model's own rate: as odd as the blocks below
FOREIGN_HOSTS = ((44_100, 441), (96_000, 1000))  # rate in Hz, samples in a block
CONSOLE = Console(soft_wrap=True, markup=False, highlight=False)
Item = TypeVar("Item")


class LearntPedal(nn.Module):
    """A causal TCN, conditioned by the knob through FiLM; how the knob acts a small network learns as well."""

    def __init__(self, lowest_knob: float, highest_knob: float) -> None:
        super().__init__()
        self.lowest_knob = lowest_knob
        self.highest_knob = highest_knob
        self.knob_range = max(highest_knob - lowest_knob, 1e-6)
        self.condition = nn.Sequential(nn.Linear(1, 16), nn.Tanh(), nn.Linear(16, 8), nn.Tanh())
        self.tcn = TCN1D(out_ch=10, n_blocks=4, kernel_size=9, n_channels=10, dil_growth=6, cond_dim=8, causal=True)
        self.mix = nn.Conv1d(10, 1, 1)

    def forward(self, dry: Tensor, knob: Tensor) -> Tensor:
        """Run clips ``(batch, 1, n)``, or the next block of a stream, at positions of the knob ``(batch, 1)``.

        What a network makes of silence is a constant, another one at each position of the knob: a thump when playing
        starts. In eval mode silence goes through it beside the audio, and is subtracted.
        """
        position = (knob.clamp(self.lowest_knob, self.highest_knob) - self.lowest_knob) / self.knob_range
        condition = self.condition(position)
        if self.training:
            return self.mix(self.tcn(2.0 * dry, condition))
        both = torch.cat([2.0 * dry, torch.zeros_like(dry)])
        output, of_silence = self.mix(self.tcn(both, condition.repeat(2, 1))).chunk(2)
        return output - of_silence

    @torch.jit.export
    def reset(self) -> None:
        """Forget all audio."""
        self.tcn.reset()


def with_bar(name: str, items: Sequence[Item]) -> Iterable[Item]:
    """Return the items; a terminal shows how many are done."""
    return track(items, f"   {name}", console=CONSOLE, transient=True, disable=not CONSOLE.is_terminal)


def error_to_signal(output: Tensor, target: Tensor, floor: float = 1e-9) -> Tensor:
    """Return the power of the difference over that of the target, for each clip: ``(..., n)`` to ``(...)``."""
    return (output - target).square().mean(dim=-1) / (target.square().mean(dim=-1) + floor)


def loss_of(output: Tensor, target: Tensor) -> Tensor:
    """Return the error-to-signal ratio as amplitudes, treble raised as ears do, and what DC there is too much.

    Floors, of -50 and -30 dB, keep excerpts that are nearly silent from deciding everything.
    """
    bright, bright_target = (clip[..., 1:] - 0.85 * clip[..., :-1] for clip in (output, target))
    dc = (output - target).mean(dim=-1).square() / (target.square().mean(dim=-1) + 1e-3)
    return (error_to_signal(bright, bright_target, floor=1e-5) + 1e-8).sqrt().mean() + dc.mean()


def excerpts(data: Data, n_context: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return random excerpts: dry ``(batch, 1, n_context + n)``, wet ``(batch, 1, n)``, knobs ``(batch, 1)``."""
    dry, wet, positions = [], [], []
    for index in torch.randint(len(data.training), (N_EXCERPTS,)).tolist():
        recording = data.training[index]
        start = int(torch.randint(recording.dry.size(1) - n_context - EXCERPT_SAMPLES + 1, ()))
        end = start + n_context + EXCERPT_SAMPLES
        dry.append(recording.dry[:, start:end])
        wet.append(recording.wet[:, start + n_context : end])
        positions.append([recording.knob])
    return torch.stack(dry), torch.stack(wet), torch.tensor(positions)


def train(model: LearntPedal, data: Data, n_steps: int) -> list[tuple[int, float, float]]:
    """Train, and return for ten moments: steps until then, mean loss since the one before, mean held-out ESR."""
    n_context = model.tcn.get_receptive_field_samples() - 1  # the start of an excerpt has no past: it counts nothing
    optimizer = torch.optim.Adam(model.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.02, total_steps=n_steps + 10, pct_start=0.1)
    losses: list[float] = []
    reports: list[tuple[int, float, float]] = []
    report_steps = {round(n_steps * (index + 1) / N_REPORTS) for index in range(N_REPORTS)}
    for step in with_bar("training", range(1, n_steps + 1)):
        dry, wet, positions = excerpts(data, n_context)
        loss = loss_of(model(dry, positions)[..., n_context:], wet)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        losses.append(float(loss.detach()))
        if step in report_steps:
            esr = statistics.mean(held_out_errors(model, data.at_new_positions(), data.rate_hz))
            reports.append((step, statistics.mean(losses), esr))
            CONSOLE.print(f"   step {step:4d}: loss {reports[-1][1]:.3f}, held-out ESR {100.0 * esr:6.2f} %")
            losses.clear()
    return reports


def held_out_errors(model: LearntPedal, recordings: list[Recording], rate_hz: int) -> list[float]:
    """Return the ESR of each recording, played whole by the network in memory."""
    model.eval()
    errors = []
    for recording in recordings:
        with torch.no_grad():
            output = model(recording.dry[None], torch.tensor([[recording.knob]]))[0]
        errors.append(held_out_error(without_dc(output, rate_hz), recording, rate_hz))
    model.train()
    return errors


def held_out_error(played: Tensor, recording: Recording, rate_hz: int) -> float:
    """Return the ESR of a held-out recording; its start counts nothing, as what came before was cut off."""
    start = rate_hz // 10
    return float(error_to_signal(played[:, start:], without_dc(recording.wet, rate_hz)[:, start:]))


def without_dc(audio: Tensor, rate_hz: int) -> Tensor:
    """Return a clip behind the capacitor at the end of the plugin; targets pass one too."""
    return capacitor(rate_hz)(audio)


def capacitor(rate_hz: int) -> IIRFilter:
    """Return what takes the DC away that a network makes."""
    return IIRFilter(FilterType.HIGHPASS, 20.0, 0.7071, sample_rate=rate_hz)


def card_of(data: Data) -> ModelCard:
    """Return what hosts show; what was recorded at one position only has no knob."""
    lowest, highest = data.knobs()[0], data.knobs()[-1]
    middle = (lowest + highest) / 2.0
    has_knob = lowest < highest
    drive = [ContinuousNeutoneParameter("drive", "How much distortion", middle, lowest, highest)] if has_knob else []
    return ModelCard(
        name=data.name,
        authors=["The neutone_sdk developers"],
        short_description="A distortion pedal, learnt by a causal TCN.",
        technical_description="TCN of 4 blocks with 10 channels, 9 taps, dilations 1 to 216, FiLM; then a high-pass.",
        tags=["distortion", "tcn"],
        is_input_mono=True,
        is_output_mono=True,
        native_sample_rates=[data.rate_hz],
        parameters=drive,
    )


class LearntPedalWrapper(WaveformToWaveformBase):
    """Gives the network its knob, and a capacitor behind it: networks make DC."""

    def __init__(self, model: LearntPedal, data: Data) -> None:
        super().__init__(model, card=card_of(data))
        self.capacitor = capacitor(data.rate_hz)
        self.lowest_knob = torch.tensor(data.knobs()[:1])

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        """Distort one block of ``(1, n)``."""
        knob = params["drive"] if "drive" in params else self.lowest_knob  # noqa: SIM401  # TorchScript has no get
        return self.capacitor(self.model(x.unsqueeze(0), knob.unsqueeze(0)).squeeze(0))

    def reset_model(self) -> bool:
        """Forget all audio."""
        self.model.reset()  # type: ignore[operator]
        self.capacitor.reset()
        return True


def played_by_host(model: ScriptModule, recording: Recording, rate_hz: int, host_hz: int, block_samples: int) -> Tensor:
    """Return what a file makes of a held-out recording in a host, back at the recording's own rate."""
    metadata = json.loads(model.get_metadata_json())
    values = {"drive": str(recording.knob)} if metadata["neutone_parameters"] else {}
    dry = resample(recording.dry, rate_hz, host_hz, quality="high")
    played = render(model, dry, knobs(metadata, values), sample_rate_hz=host_hz, buffer_size=block_samples)
    return resample(played, host_hz, rate_hz, quality="high")[:, : recording.dry.size(1)]


def proven(model: ScriptModule, data: Data, errors: list[float]) -> list[Tensor]:
    """Return what a file plays of the held-out recordings at its own rate; print how far that is from the targets."""
    hosts = ((data.rate_hz, BLOCK_SAMPLES), *FOREIGN_HOSTS)
    table = Table(title="   ESR on held-out audio", title_justify="left")
    headings = [f"file, at\n{rate_hz} Hz,\nblocks\nof {size}" for rate_hz, size in hosts]
    for heading in ("drive", "position", "network\nin\nmemory", *headings):
        table.add_column(heading, justify="right")
    at_own_rate = []
    for recording, error in zip(with_bar("playing", data.held_out), errors, strict=True):
        outputs = [played_by_host(model, recording, data.rate_hz, *host) for host in hosts]
        all_errors = [error, *(held_out_error(output, recording, data.rate_hz) for output in outputs)]
        position = "trained" if recording.knob in data.knobs() else "held out"
        table.add_row(f"{recording.knob:g} {data.unit}", position, *(f"{100.0 * each:.3f} %" for each in all_errors))
        at_own_rate.append(outputs[0])
    CONSOLE.print(table)
    return at_own_rate


def show(folder: Path, data: Data, outputs: list[Tensor]) -> None:
    """Write and draw what went in, what should come out, and what the file plays, at the highest new position."""
    recording = data.at_new_positions()[-1]
    played = outputs[data.held_out.index(recording)]
    clips = {"dry": recording.dry, "target": without_dc(recording.wet, data.rate_hz), "model": played}
    for name, clip in clips.items():
        AudioSample(clip, data.rate_hz).to_file(folder / f"{name}.wav")
    clips["difference of model and target"] = clips["model"] - clips["target"]
    at = f"drive {recording.knob:g} {data.unit}".strip()
    draw(folder / "spectrograms.png", {f"{name}, {at}": clip for name, clip in clips.items()}, data.rate_hz)


def tell(data: Data) -> None:
    """Print what there is to learn from."""
    n_seconds = sum(recording.dry.size(1) for recording in data.training) / data.rate_hz
    positions, unheard = (
        ", ".join(f"{knob:g} {data.unit}".strip() for knob in values) or "none"
        for values in (data.knobs(), sorted({each.knob for each in data.held_out} - set(data.knobs())))
    )
    CONSOLE.print(f"1. Data: {n_seconds:.0f} s at {data.rate_hz} Hz to train on, drive at {positions}")
    CONSOLE.print(f"   held out: the last {HELD_OUT_PART:.0%} of every clip; drive at {unheard}")


def run(data: Data, folder: Path, n_steps: int, seed: int) -> None:
    """Train, export, prove, show; say what happens."""
    tell(data)
    torch.manual_seed(seed)
    model = LearntPedal(data.knobs()[0], data.knobs()[-1])
    n_weights = sum(parameter.numel() for parameter in model.parameters())
    memory_ms = 1e3 * model.tcn.get_receptive_field_samples() / data.rate_hz
    CONSOLE.print(f"2. Training: {n_steps} steps, {n_weights} weights, a memory of {memory_ms:.0f} ms")
    reports = train(model, data, n_steps)
    errors = held_out_errors(model, data.held_out, data.rate_hz)
    unheard = AudioSample(data.at_new_positions()[-1].dry, data.rate_hz)
    save_neutone_model(LearntPedalWrapper(model, data), folder, audio_sample_pairs=[unheard])
    CONSOLE.print(f"3. Exported {folder / 'model.nm'}: reloaded, it plays what the network in memory plays")
    with (folder / "training.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("step", "loss", "held_out_esr"), *reports])
    script, _ = load_neutone_model(folder / "model.nm")
    CONSOLE.print("4. In hosts, against the effect itself: power of the difference over power of the target (ESR)")
    show(folder, data, proven(script, data, errors))
    CONSOLE.print(f"5. Written to {folder}: dry.wav, target.wav, model.wav, spectrograms.png, training.csv")


def n_steps_of(text: str) -> int:
    """Return a number of steps; argparse tells what is wrong with it."""
    n_steps = int(text)
    if n_steps < 1:
        msg = "must be at least 1"
        raise argparse.ArgumentTypeError(msg)
    return n_steps


def main() -> None:
    """Parse, and run; what the user can do something about is one line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, default=Path("exports/train_to_plugin"), help="folder to write to")
    parser.add_argument("--steps", type=n_steps_of, default=450, help="of training; more leave less error")
    parser.add_argument("--seed", type=int, default=0, help="of weights and excerpts: the same seed, the same weights")
    parser.add_argument("--pair", nargs=3, action="append", metavar=("KNOB", "DRY", "WET"), help="see above")
    arguments = parser.parse_args()
    torch.set_num_threads(1)  # more wait for each other: layers of 10 channels are small
    try:
        data = recordings_in_files(arguments.pair) if arguments.pair else recordings_of_the_pedal()
        run(data, arguments.output, arguments.steps, arguments.seed)
    except NeutoneError as error:
        sys.exit(f"Error: {error}")


if __name__ == "__main__":
    main()
