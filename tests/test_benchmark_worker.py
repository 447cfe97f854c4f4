"""The process that measures has what was asked for, and is undisturbed."""

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from neutone_sdk.benchmark import Job, workers
from neutone_sdk.benchmark.workers import Worker, working
from neutone_sdk.errors import InvalidArgumentError, ModelOutputError

# The real worker, but for a task that looks at where it runs, and prints as models of strangers do.
LOOKING = """
import gc, os, sys
import torch
from neutone_sdk.benchmark import _worker

def look(job):
    print("hello from a model", flush=True)
    os.system("echo hello from its library")
    yield {
        "threads": [torch.get_num_threads(), torch.get_num_interop_threads()],
        "collects_garbage": gc.isenabled(),
        "has_own_session": not hasattr(os, "getsid") or os.getsid(0) == os.getpid(),
    }

_worker.TASKS["speed"] = look
_worker.main()
"""


@pytest.mark.parametrize("threads", [(1, 1), (2, 3)])
def test_a_worker_has_its_threads_and_is_undisturbed(
    threads: tuple[int, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "looking_worker.py").write_text(LOOKING)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(workers, "MODULE", "looking_worker")
    job = Job(model=Path("model.nm"), n_threads=threads[0], n_interop_threads=threads[1])
    with working("speed", job) as worker:
        said, end = worker.receive(), worker.receive()
    assert said == {"threads": list(threads), "collects_garbage": False, "has_own_session": True}
    assert end is None
    assert worker.process.returncode == 0


@pytest.mark.skipif(sys.version_info < (3, 11), reason="Python 3.10 looks there first")
def test_modules_in_the_folder_of_the_user_are_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "stranger.py").write_text("print('{}')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(workers, "MODULE", "stranger")
    with (
        working("speed", Job(model=Path("model.nm"))) as worker,
        pytest.raises(ModelOutputError, match="No module named stranger"),
    ):
        worker.receive()


def test_a_process_without_pipes_is_refused() -> None:
    with (
        tempfile.TemporaryFile() as complaints,
        subprocess.Popen([sys.executable, "-c", ""]) as process,
        pytest.raises(InvalidArgumentError, match="must have pipes for input and output, got none; start it with"),
    ):
        Worker(process, complaints, "{}")
