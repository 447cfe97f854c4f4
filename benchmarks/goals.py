"""The numbers that this project set out to reach, beside what a run has found."""

import statistics
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.rounds import EMPTY_CALL, OURS, Results, ratio, with_unit

MISSING = "not measured"
REFERENCE = "neutone_sdk 1.5.2"
_THROUGH_TORCHSCRIPT = {REFERENCE: REFERENCE, "ours through TorchScript": OURS}


@dataclass(frozen=True)
class Row:
    """A line of the table, as text; ``is_reached`` is None where nothing was measured."""

    what: str
    ours: str
    reference: str
    ratio: str
    bound: str
    reach: str
    is_reached: bool | None


@dataclass(frozen=True)
class Timing:
    """A duration, and how long it may be: in nanoseconds, or as a multiple of the reference or of the bound.

    ``bound`` computes the least that is possible on this machine, in nanoseconds; ``bound_by`` says by what.
    """

    what: str
    group: str
    reference: str
    reach: str
    contender: str = OURS
    at_most_ns: float | None = None
    at_most_of_reference: float | None = None
    at_most_of_bound: float | None = None
    bound: Callable[[Results], float] | None = None
    bound_by: str = ""

    def row(self, results: Results) -> Row:
        """Fill in the line."""
        rounds = results.groups.get(self.group, {})
        if self.contender not in rounds:
            return Row(self.what, MISSING, self.reference, "", "", self.reach, is_reached=None)
        ours = statistics.median(rounds[self.contender])
        theirs = rounds.get(self.reference)
        to_theirs = ratio(rounds[self.contender], theirs) if theirs else None
        bound = _bound_of(self, results)
        return Row(
            self.what,
            with_unit(ours),
            f"{self.reference}: {with_unit(statistics.median(theirs)) if theirs else MISSING}",
            "" if to_theirs is None else f"{to_theirs:.2f}",
            "" if bound is None else f"{with_unit(bound)} ({self.bound_by})",
            self.reach,
            self._is_reached(ours, to_theirs, bound),
        )

    def _is_reached(self, ours: float, to_theirs: float | None, bound: float | None) -> bool | None:
        pairs = (
            (ours, self.at_most_ns),
            (to_theirs, self.at_most_of_reference),
            (None if bound is None else ours / bound, self.at_most_of_bound),
        )
        checked = [(value, limit) for value, limit in pairs if limit is not None]
        if any(value is None for value, _ in checked):
            return None
        return all(value <= limit for value, limit in checked if value is not None)


def _bound_of(timing: Timing, results: Results) -> float | None:
    try:
        return None if timing.bound is None else timing.bound(results)
    except KeyError:  # what it is made of was not measured
        return None


def multiply_add_ns(results: Results, kind: str) -> float:
    """Return what a product and a sum take at least, whatever the instruction set."""
    return min(statistics.median(values) for values in results.groups[f"bounds/{kind} multiply-add"].values())


def filter_bound(results: Results) -> float:
    """Return the least for four biquads in float64."""
    return 4 * N_BIQUAD_PRODUCTS * multiply_add_ns(results, "float64")


def scripted_filter_bound(results: Results) -> float:
    """Return the least for four biquads in a script: what they take in C++, and a script with nothing in it."""
    groups = results.groups
    parts = (groups["biquads/4 sections"][OURS], groups["filters/4 biquads from TorchScript"][EMPTY_CALL])
    return sum(statistics.median(part) for part in parts)


def resampler_bound(results: Results) -> float:
    """Return the least for the taps of our resampler, in float32."""
    return int(results.context["resampler"]["taps"]) * multiply_add_ns(results, "float32")


def case(group: str, contender: str) -> Callable[[Results], float]:
    """Return a bound: the time of another case."""
    return lambda results: statistics.median(results.groups[group][contender])


@dataclass(frozen=True)
class Figures:
    """Numbers that are not durations: of each, whether it has to be at least or at most a limit."""

    what: str
    pick: Callable[[Results], list[float]]
    reference: str | Callable[[Results], str]
    reach: str
    limits: tuple[float, ...]
    are_least: bool  # or most
    unit: str

    def row(self, results: Results) -> Row:
        """Fill in the line."""
        reference = self.reference if isinstance(self.reference, str) else self.reference(results)
        try:
            values = self.pick(results)
        except KeyError:
            return Row(self.what, MISSING, reference, "", "", self.reach, is_reached=None)
        pairs = list(zip(values, self.limits, strict=True))
        is_reached = all(value >= limit if self.are_least else value <= limit for value, limit in pairs)
        text = " / ".join(f"{value:.4g}" for value in values)
        return Row(self.what, f"{text} {self.unit}".strip(), reference, "", "", self.reach, is_reached)


def _resampler(quality: str, *columns: int) -> Callable[[Results], list[float]]:
    return lambda results: [results.figures["resampler"][f"{quality} 44100 to 48000"][column] for column in columns]


def _others(unit: str, *columns: int, libraries: tuple[str, ...]) -> Callable[[Results], str]:
    def text(results: Results) -> str:
        measured = results.figures.get("other resamplers", {})
        parts = (
            f"{library}: " + (" / ".join(f"{measured[library][column]:.4g}" for column in columns) + f" {unit}")
            if library in measured else f"{library}: {MISSING}"
            for library in libraries
        )  # fmt: skip
        return ", ".join(parts)

    return text


def _snr_of_wrapper(results: Results) -> list[float]:
    return [min(results.figures["wrapper"][name]) for name in ("low", "high")]


def _heap_calls_of_others(results: Results) -> str:
    group = "wrapper/48000 Hz, 512 frames"
    found = {name: results.counters.get(f"{group}/{contender}") for name, contender in _THROUGH_TORCHSCRIPT.items()}
    return ", ".join(f"{name}: {MISSING if n is None else format(n['heap_calls'], '.0f')}" for name, n in found.items())


def _wrapper(host_hz: int, n_frames: int, share: float, words: str) -> Timing:
    return Timing(
        f"wrapper in a C++ host at {host_hz / 1000:g} kHz, a block of {n_frames}",
        f"wrapper/{host_hz} Hz, {n_frames} frames",
        REFERENCE,
        f"≤ {words} of it",
        at_most_of_reference=share,
        bound=case(f"wrapper/{host_hz} Hz, {n_frames} frames", EMPTY_CALL),
        bound_by="a scripted call that copies",
    )


SAMPLE_RINGS = "ring of samples and worker pool, as anira does it"


def _engine(host_hz: int, n_frames: int, most_us: float) -> Figures:
    case = f"engine/{host_hz} Hz, {n_frames} frames"

    def reference(results: Results) -> str:
        found = results.counters.get(f"{case}/{SAMPLE_RINGS}")
        return "" if found is None else f"{SAMPLE_RINGS}: {found['p50_us']:.4g} µs"

    return Figures(
        f"callback of the engine at {host_hz / 1000:g} kHz, a block of {n_frames}, p50",
        lambda results: [results.counters[f"{case}/{OURS}"]["p50_us"]],
        reference, f"≤ {most_us:g} µs", (most_us,), are_least=False, unit="µs",
    )  # fmt: skip


N_BIQUAD_PRODUCTS = 5  # and sums, of a section
FMA = "multiply-adds"

ZITA_48, ZITA_16, SOXR = "zita-resampler hlen 48", "zita-resampler hlen 16", "soxr HQ"
GOALS: tuple[Timing | Figures, ...] = (
    Figures(
        "resampler 44.1 to 48 kHz: SNR 997 Hz / THD+N 18 kHz / images of 20 kHz",
        _resampler("standard", 0, 1, 3), _others("dB", 0, 1, 3, libraries=(ZITA_48, SOXR)), "144 / 130 / 125 dB",
        (144.0, 130.0, 125.0), are_least=True, unit="dB",
    ),
    Figures(
        "its gain at 20 kHz", _resampler("standard", 4), _others("dB", 4, libraries=(ZITA_48, SOXR)), "-0.001 dB",
        (-0.001,), are_least=True, unit="dB",
    ),
    Figures(
        "its latency", _resampler("standard", 5), _others("frames", 5, libraries=(ZITA_48, SOXR)), "≤ 54 frames",
        (54.0,), are_least=False, unit="frames",
    ),
    Timing(
        "its time, a frame and channel", "resampler/44100 to 48000 Hz", "soxr HQ", "≤ 5 ns",
        at_most_ns=5.0, bound=resampler_bound, bound_by=FMA,
    ),
    Timing(
        "the same", "resampler/44100 to 48000 Hz", "zita-resampler hlen 48", "≤ 5 ns", at_most_ns=5.0,
        bound=resampler_bound, bound_by=FMA,
    ),
    Figures(
        "low latency: image of 15.5 kHz", _resampler("low_latency", 2), _others("dB", 2, libraries=(ZITA_16,)),
        "85 dB", (85.0,), are_least=True, unit="dB",
    ),
    Figures(
        "its latency", _resampler("low_latency", 5), _others("frames", 5, libraries=(ZITA_16,)), "≤ 18 frames",
        (18.0,), are_least=False, unit="frames",
    ),
    Timing(
        "its time, a frame and channel", "resampler/44100 to 48000 Hz", "zita-resampler hlen 16", "≤ 2.5 ns",
        contender="neutone low_latency", at_most_ns=2.5,
    ),
    Figures(
        "pass-through through the whole wrapper, any rates and blocks: SNR 997 Hz / 10 kHz",
        _snr_of_wrapper, "neutone_sdk 1.5.2, elsewhere: 81 / 26 dB", "130 / 115 dB",
        (130.0, 115.0), are_least=True, unit="dB",
    ),
    Figures(
        "pitch error that a model hears in blocks of 128", lambda results: [results.figures["pitch error"]],
        "neutone_sdk 1.5.2, elsewhere: 8.4 cents", "0.000", (0.0005,), are_least=False, unit="cents",
    ),
    *(_wrapper(48_000, n_frames, 1 / 3, "a third") for n_frames in (64, 512, 2048)),
    *(_wrapper(44_100, n_frames, 1 / 3, "a third") for n_frames in (64, 512)),
    _wrapper(44_100, 2048, 1 / 2, "half"),
    Timing(
        "4 biquads in float64, a sample and channel", "biquads/4 sections", "textbook loop", "≤ 2 ns", at_most_ns=2.0,
        bound=filter_bound, bound_by=FMA,
    ),
    Timing(
        "the same from TorchScript", "filters/4 biquads from TorchScript", "SciPy's sosfilt, blocks of 512", "≤ 3 ns",
        at_most_ns=3.0, bound=scripted_filter_bound, bound_by="the kernel alone, and a scripted call that copies",
    ),
    Timing(
        "ring, write and read of 2 x 512 floats, one thread", "ring/one thread", "boost::lockfree", "≤ 1.2 memcpy",
        at_most_of_bound=1.2, bound=case("ring/one thread", "memcpy"), bound_by="memcpy in, memcpy out",
    ),
    Timing(
        "the same from TorchScript", "operators/ring, write and read", "neutone_sdk 1.5.2, queue class", "≤ 1.2 µs",
        at_most_ns=1200.0, bound=case("operators/ring, write and read", "two tensor copies"),
        bound_by="two tensor copies",
    ),
    Timing(
        "ring between two threads, a block", "ring/two threads", "boost::lockfree", "ahead of it",
        at_most_of_reference=1.0,
    ),
    Figures(
        "calls to the heap on the audio thread, a block of 512, with the engine",
        lambda results: [results.counters[f"engine/48000 Hz, 512 frames/{OURS}"]["heap_calls"]],
        _heap_calls_of_others, "0", (0.0,), are_least=False, unit="",
    ),
    _engine(48_000, 64, 5.0),
    _engine(44_100, 64, 5.0),
    _engine(48_000, 512, 25.0),
    _engine(44_100, 512, 25.0),
)  # fmt: skip


def goal_rows(results: Results) -> list[Row]:
    """Return the whole table."""
    return [goal.row(results) for goal in GOALS]
