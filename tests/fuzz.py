"""Opens broken files and watches: a typed error, or a model that plays; soon, in little memory, and nothing else.

    python -m tests.fuzz 10000

Workers open the files, because what this is looking for would end the process. Linux only: it measures through /proc.
"""

import argparse
import collections
import json
import os
import resource
import select
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

MAX_SECONDS: Final = 1.0  # of the processor, to open a file
MAX_GROWTH_BYTES: Final = 200 * 2**20
HANG_SECONDS: Final = 60.0  # of the clock, on a machine that is busy with other things
ADDRESS_SPACE_BYTES: Final = 6 * 2**30
ENDINGS: Final = ("refused", "plays", "raises")


class Report(NamedTuple):
    """How a file fared; ``ending`` is one of `ENDINGS`, or what went wrong."""

    number: int
    damage: str
    ending: str
    message: str
    seconds: float
    growth_bytes: int


def fuzz(numbers: range, good_files: Sequence[bytes], n_workers: int = 2) -> Iterator[Report]:
    """Open the broken files of these numbers, made of good ones, and report each."""
    todo = iter(numbers)
    with tempfile.TemporaryDirectory() as folder:
        for place, content in enumerate(good_files):
            (Path(folder) / f"good_{place}").write_bytes(content)
        workers = [_Worker(Path(folder) / f"{place}") for place in range(n_workers)]
        try:
            running = [worker for worker in workers if worker.start(next(todo, None))]
            while running:
                ready, _, _ = select.select([worker.answers for worker in running], [], [], 1.0)
                for worker in running:
                    if worker.answers in ready or worker.is_late():
                        yield worker.report()
                        worker.start(next(todo, None))
                running = [worker for worker in running if worker.number is not None]
        finally:
            for worker in workers:
                worker.stop()


class _Worker:
    """A process that opens one file after the other, in a folder where nothing else may appear."""

    def __init__(self, folder: Path) -> None:
        self.number: int | None = None
        self._folder = folder
        (folder / "inside").mkdir(parents=True)
        (folder / "canary").write_text("alive")
        self._begin()

    def _begin(self) -> None:
        command = [sys.executable, "-m", "tests.fuzz", "--worker", str(self._folder / "inside")]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603
        assert self._process.stdin
        assert self._process.stdout
        self._orders, self.answers = self._process.stdin, self._process.stdout
        if self.answers.readline() != b"ready\n":
            msg = "a worker does not start"
            raise RuntimeError(msg)

    def start(self, number: int | None) -> bool:
        self.number = number
        self._since = time.monotonic()
        if number is not None:
            self._orders.write(f"{number}\n".encode())
            self._orders.flush()
        return number is not None

    def is_late(self) -> bool:
        return time.monotonic() - self._since > HANG_SECONDS

    def report(self) -> Report:
        assert self.number is not None
        is_late = self.is_late()
        answer = b"" if is_late else self.answers.readline()
        if not answer:
            ending = "hangs" if is_late else f"ends the process ({self._process.poll() or self._process.wait()})"
            self.stop()
            self._begin()
            return Report(self.number, _damage(self.number), ending, "", 0.0, 0)
        report = Report(**json.loads(answer))
        return report._replace(ending=self._strays() or report.ending)

    def _strays(self) -> str:
        """Whether something was written."""
        inside, outside = (
            sorted(path.name for path in folder.iterdir()) for folder in (self._folder / "inside", self._folder)
        )
        is_clean = inside == ["model.nm"] and outside == ["canary", "inside"]
        is_alive = (self._folder / "canary").read_text() == "alive"
        return "" if is_clean and is_alive else f"wrote files: {inside + outside}"

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()
        self._orders.close()
        self.answers.close()


def _damage(number: int) -> str:
    from .corpus import DAMAGES  # noqa: PLC0415  # it needs torch, which only workers need otherwise

    return DAMAGES[number % len(DAMAGES)].__name__


# The worker


def _work(folder: Path) -> None:
    from .corpus import broken_file  # noqa: PLC0415  # see above

    good_files = [path.read_bytes() for path in sorted(folder.parent.parent.glob("good_*"))]
    os.chdir(folder)
    path = Path("model.nm")
    for content in good_files:  # so that torch has what it makes once and keeps
        path.write_bytes(content)
        _open_and_play(path)
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE_BYTES, ADDRESS_SPACE_BYTES))
    print("ready", flush=True)
    for line in sys.stdin:
        number = int(line)
        damage, content = broken_file(number, good_files)
        path.write_bytes(content)
        del content
        print(json.dumps(_watched(path)._replace(number=number, damage=damage)._asdict()), flush=True)


def _watched(path: Path) -> Report:
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
    before = _status_bytes("VmRSS")
    start = time.process_time()
    try:
        ending, message = _open_and_play(path)
    except BaseException as error:  # noqa: BLE001  # that is what this is looking for
        ending, message = f"untyped error {type(error).__name__}", str(error)
    seconds = time.process_time() - start
    growth_bytes = _status_bytes("VmHWM") - before
    if ending in ENDINGS and (seconds > MAX_SECONDS or growth_bytes > MAX_GROWTH_BYTES):
        ending = "takes too much"
    return Report(-1, "", ending, message, seconds, growth_bytes)


def _open_and_play(path: Path) -> tuple[str, str]:
    """What is loaded has to play; code that somebody changed may also raise as any model may."""
    import torch  # noqa: PLC0415  # only workers need it

    from neutone_sdk.archive import read_metadata  # noqa: PLC0415
    from neutone_sdk.errors import InvalidFileError  # noqa: PLC0415
    from neutone_sdk.scripting import SCRIPT_ERRORS  # noqa: PLC0415
    from neutone_sdk.utils import load_neutone_model  # noqa: PLC0415

    try:
        read_metadata(path)
        script, _ = load_neutone_model(path)
    except InvalidFileError as error:
        return "refused", str(error)
    try:
        with torch.no_grad():
            script.set_daw_sample_rate_and_buffer_size(48000, 64)
            script.reset()
            script(torch.zeros(2, 64))
    except SCRIPT_ERRORS as error:
        return "raises", str(error)
    return "plays", ""


def _status_bytes(key: str) -> int:
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(f"{key}:"))
    return int(line.split()[1]) * 1024


def _main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("n", type=int, nargs="?", default=10_000, help="how many files")
    parser.add_argument("--start", type=int, default=0, help="number of the first")
    parser.add_argument("--worker", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        warnings.simplefilter("ignore")
        _work(options.worker)
        return 0
    from .corpus import good_files  # noqa: PLC0415  # see above

    numbers = range(options.start, options.start + options.n)
    return _summarize(fuzz(numbers, good_files(), os.cpu_count() or 1))


def _summarize(reports: Iterator[Report]) -> int:
    endings: collections.Counter[str] = collections.Counter()
    worst_seconds = worst_growth = 0.0
    for n_done, report in enumerate(reports, 1):
        endings[report.ending] += 1
        worst_seconds = max(worst_seconds, report.seconds)
        worst_growth = max(worst_growth, report.growth_bytes / 2**20)
        if report.ending not in ENDINGS:
            print(report, flush=True)
        if n_done % 1000 == 0:
            print(f"{n_done} files: {dict(endings)}", flush=True)
    print(f"{dict(endings)}; at most {worst_seconds:.2f} s and {worst_growth:.0f} MB a file")
    return 0 if set(endings) <= set(ENDINGS) else 1


if __name__ == "__main__":
    sys.exit(_main())
