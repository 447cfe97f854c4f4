"""Models for the tests of the card, and the card as a parser sees it."""

import json
import zipfile
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from neutone_sdk import CategoricalNeutoneParameter, ContinuousNeutoneParameter, ModelCard, WaveformToWaveformBase
from neutone_sdk.audio import AudioSample, AudioSamplePair, get_default_audio_samples
from neutone_sdk.utils import save_neutone_model

CITATION = "@misc{velvet,\n  title={Velvet Clipping}\n}"
VOID = {"meta", "link", "br", "img", "rect", "circle", "path", "line", "image", "use"}


class Clipping(WaveformToWaveformBase):
    """Has something to show in every part of the card."""

    card = ModelCard(
        name="Velvet Clipper",
        authors=["Ada Lovelace", "Grace Hopper"],
        version="1.2.3",
        is_experimental=True,
        short_description="Hard clipper.",
        long_description="Cuts off what is too loud.",
        technical_description="torch.clip, without oversampling.",
        technical_links={"Paper": "https://example.org/paper?a=1&b=2", "Code": "http://code.example/velvet"},
        tags=["clipper", "lo-fi"],
        citation=CITATION,
        native_sample_rates=[48_000],
        native_buffer_sizes=[512],
        delay_samples=7,
        parameters=[
            ContinuousNeutoneParameter("tilt", "In dB an octave", 1.5, min_value=-6.0, max_value=6.0),
            CategoricalNeutoneParameter("shape", "Curve", 3, 1, ["soft", "hard", "fold"]),
            ContinuousNeutoneParameter("secret", "Not shown", 0.0, used=False),
        ],
    )

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return torch.clip(4.0 * x, -0.25, 0.25)


def drum_pair() -> AudioSamplePair:
    loop = get_default_audio_samples()[1]
    return AudioSamplePair(loop, AudioSample(torch.clip(4.0 * loop.audio, -0.25, 0.25), loop.sr))


def export(folder: Path, pairs: list[AudioSamplePair]) -> Path:
    save_neutone_model(Clipping(nn.Identity()), folder, audio_sample_pairs=pairs)
    return folder / "model.nm"


def changed(model: Path, target: Path, **changes: Any) -> Path:
    """Copy a model with other metadata: what strangers may write, our own export refuses."""
    with zipfile.ZipFile(model) as source, zipfile.ZipFile(target, "w") as copy:
        for info in source.infolist():
            content = source.read(info)
            if info.filename.endswith("/extra/metadata.json"):
                content = json.dumps({**json.loads(content), **changes}).encode()
            copy.writestr(info.filename, content)
    return target


class Page(HTMLParser):
    """Elements with their attributes and texts, in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: list[tuple[tuple[str, ...], str]] = []
        self.open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.texts.append((tuple(self.open), data))

    @property
    def tags(self) -> list[str]:
        return [tag for tag, _ in self.elements]

    @property
    def text(self) -> str:
        """What is shown, and the title."""
        return " ".join(text for path, text in self.texts if path[-1] not in ("style", "script"))

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]

    def inside(self, tag: str) -> list[str]:
        """Texts straight in such an element."""
        return [text for path, text in self.texts if path[-1] == tag]
