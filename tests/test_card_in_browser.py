"""The card in a real browser: it plays, it fits, it complains of nothing, it fetches nothing."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from neutone_sdk.audio import AudioSample, AudioSamplePair, get_default_audio_samples
from neutone_sdk.card import card_page, measure
from neutone_sdk.utils import load_neutone_model

from .browser import Browser, browser
from .card_models import CITATION, changed, drum_pair, export

MP3_FRAME_S = 0.06  # players may count the padding of the encoder
PLAYERS = """Promise.all([...document.querySelectorAll("audio")].map((audio) => new Promise((done) => {
  const tell = () => done([audio.readyState, audio.duration, audio.error && audio.error.message]);
  if (audio.readyState || audio.error) tell();
  else for (const event of ["loadedmetadata", "error"]) audio.addEventListener(event, tell);
})))"""
# Decoded to the end, as seconds and peak.
DECODED = """Promise.all([...document.querySelectorAll("audio")].map(async (audio) => {
  const bytes = Uint8Array.from(atob(audio.src.split(",")[1]), (character) => character.charCodeAt(0));
  const sound = await new OfflineAudioContext(1, 1, 48000).decodeAudioData(bytes.buffer);
  return [sound.duration, sound.getChannelData(0).reduce((peak, sample) => Math.max(peak, Math.abs(sample)), 0)];
}))"""
# Every text, where it ends, and its contrast to what is behind it, by the formula of WCAG 2.
TEXTS = """(() => {
  const rgb = (text) => { const n = text.match(/[\\d.]+/g).map(Number); return n.length < 4 ? [...n, 1] : n; };
  const part = (v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
  const behind = (e) => { for (; e; e = e.parentElement) {
    const c = rgb(getComputedStyle(e).backgroundColor); if (c[3] > 0) return c; } return [255, 255, 255, 1]; };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = [];
  for (let node; (node = walker.nextNode()); ) {
    const element = node.parentElement;
    if (!node.data.trim() || ["SCRIPT", "STYLE"].includes(element.tagName)) continue;
    const style = getComputedStyle(element);
    const ink = light(rgb(element instanceof SVGElement ? style.fill : style.color));
    const paper = light(behind(element));
    const range = document.createRange(); range.selectNodeContents(node);
    const end = element.closest(".scroll") ? 0 : range.getBoundingClientRect().right; // that has a scroll bar
    found.push([node.data.trim(), end, (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05)]);
  }
  return found;
})()"""


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browser(tmp_path_factory.mktemp("chromium")) as started:
        yield started


@pytest.fixture(scope="module")
def pairs() -> list[AudioSamplePair]:
    string = get_default_audio_samples()[0]
    return [drum_pair(), AudioSamplePair(string, AudioSample(string.audio[:, :50_000], string.sr))]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory, pairs: list[AudioSamplePair]) -> Path:
    return export(tmp_path_factory.mktemp("drums"), pairs)


@pytest.fixture(scope="module")
def page(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "card.html"
    script, _ = load_neutone_model(model)
    path.write_text(card_page(model, measure(script)), encoding="utf-8")
    return path


def test_every_player_has_its_audio(chromium: Browser, page: Path, pairs: list[AudioSamplePair]) -> None:
    chromium.open(page)

    players = chromium.evaluate(PLAYERS)
    sounds = chromium.evaluate(DECODED)

    clips = [clip for pair in pairs for clip in (pair.input, pair.output)]
    expected = [clip.audio.size(1) / clip.sr for clip in clips]
    assert [duration for _, duration, _ in players] == pytest.approx(expected, abs=MP3_FRAME_S)
    assert [duration for duration, _ in sounds] == pytest.approx(expected, abs=MP3_FRAME_S)
    assert all(0.1 < peak < 1.1 for _, peak in sounds)
    assert all(state >= 1 and error is None for state, _, error in players)


def test_the_page_has_no_complaints_and_asks_for_nothing(chromium: Browser, page: Path) -> None:
    chromium.open(page)
    pictures = chromium.evaluate("""Promise.all([...document.querySelectorAll("image")].map(async (image) => {
      const picture = new Image(); picture.src = image.getAttribute("href"); await picture.decode();
      return picture.naturalWidth; }))""")
    chromium.evaluate(PLAYERS)

    assert len(pictures) == 4
    assert min(pictures) > 100
    assert chromium.complaints() == []
    assert [url for url in chromium.requests() if not url.startswith("data:")] == [page.as_uri()]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_the_page_fits_and_can_be_read(chromium: Browser, page: Path, tmp_path: Path, width: int, dark: bool) -> None:
    chromium.open(page, width=width, dark=dark)

    assert chromium.evaluate("[document.documentElement.scrollWidth, innerWidth]") == [width, width]
    texts = chromium.evaluate(TEXTS)
    assert [(text, end) for text, end, _ in texts if end > width] == []
    assert [(text, contrast) for text, _, contrast in texts if contrast < 4.5] == []  # the least of WCAG's level AA
    (tmp_path / "screenshot.png").write_bytes(chromium.screenshot())
    with Image.open(tmp_path / "screenshot.png") as shot:
        assert shot.width == width
        assert shot.height > 1_500
        paper = np.asarray(shot.convert("L"))[:, 2]  # the margin
        assert (np.median(paper) < 64) == dark
        assert len(shot.convert("RGB").getcolors(1 << 24) or []) > 500


def test_one_sample_plays_at_a_time_and_the_line_shows_where(chromium: Browser, page: Path) -> None:
    chromium.open(page)

    result = chromium.evaluate("""(async () => {
      const [first, second] = document.querySelectorAll("audio");
      await first.play();
      const paused = new Promise((done) => first.addEventListener("pause", () => done(true)));
      await second.play();
      const answer = { paused: await paused, playing: !second.paused };
      second.pause();
      const area = second.closest("figure").querySelector(".spectrogram");
      const box = area.getBoundingClientRect();
      const there = new Promise((done) => second.addEventListener("seeked", done, { once: true }));
      area.dispatchEvent(new MouseEvent("click", { clientX: box.left + box.width / 2, clientY: box.top + 5 }));
      await there;
      const line = area.querySelector(".playhead");
      return { ...answer, at: second.currentTime / second.duration, line: parseFloat(line.getAttribute("x1")),
               visible: getComputedStyle(line).visibility };
    })()""")

    assert result["paused"]
    assert result["playing"]
    assert result["at"] == pytest.approx(0.5, abs=0.01)
    assert result["line"] == pytest.approx(50.0, abs=1.0)
    assert result["visible"] == "visible"


def test_the_citation_can_be_copied(chromium: Browser, page: Path) -> None:
    chromium.send("Browser.grantPermissions", permissions=["clipboardReadWrite", "clipboardSanitizedWrite"])
    chromium.open(page)
    chromium.evaluate("""new Promise((done) => {
      new MutationObserver(done).observe(document.getElementById("copied"), { childList: true });
      document.getElementById("copy").click(); })""")
    assert chromium.evaluate('document.getElementById("copied").textContent') == "Copied"
    assert chromium.evaluate("getSelection().toString()") == CITATION


@pytest.mark.parametrize(
    ("tag", "attribute", "value", "rule"),
    [
        ("script", "textContent", "window.hurt = true", "script-src-elem"),
        ("style", "textContent", "* { color: red }", "style-src-elem"),
        ("img", "src", "https://example.org/a.png", "img-src"),
        ("audio", "src", "https://example.org/a.mp3", "media-src"),
        ("iframe", "src", "https://example.org", "frame-src"),
    ],
)
def test_the_policy_stops_what_would_get_in(
    chromium: Browser, page: Path, tag: str, attribute: str, value: str, rule: str
) -> None:
    chromium.open(page)

    broken = chromium.evaluate(f"""new Promise((done) => {{
      document.addEventListener("securitypolicyviolation", (event) => done(event.effectiveDirective), {{ once: true }});
      const element = document.createElement({tag!r});
      element[{attribute!r}] = {value!r};
      document.body.append(element); }})""")

    assert broken == rule
    assert chromium.evaluate("window.hurt === undefined")
    assert chromium.complaints() != []  # so that the other tests would see it


def test_a_hostile_file_does_nothing(chromium: Browser, model: Path, tmp_path: Path) -> None:
    attack = '"><script>window.hurt = 1</script><img src=x onerror="window.hurt = 1">'
    hostile = changed(
        model,
        tmp_path / "hostile.nm",
        model_name=attack,
        citation=attack,
        tags=[attack],
        technical_links={attack: "javascript:window.hurt = 1", "b": "https://example.org/" + attack},
        sample_sound_files=[{"in": attack, "out": attack}],
    )
    (tmp_path / "card.html").write_text(card_page(hostile), encoding="utf-8")

    chromium.open(tmp_path / "card.html", width=390)

    assert chromium.evaluate("[...document.querySelectorAll('a')].forEach((link) => link.click()), window.hurt") is None
    assert chromium.evaluate("document.querySelector('h1').textContent").startswith('"><script>')
    assert chromium.evaluate("document.documentElement.scrollWidth") == 390
    assert chromium.complaints() == []
