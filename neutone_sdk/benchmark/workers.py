"""A process that has threads of its own, and what it says, line by line.

torch's threads belong to a process, and those between operators can be set once only: two jobs need two processes.
"""

import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any, Final

from neutone_sdk import errors
from neutone_sdk.benchmark.job import Job
from neutone_sdk.errors import InvalidArgumentError, ModelOutputError

MODULE: Final = "neutone_sdk.benchmark._worker"


class WorkerStuckError(Exception):
    """The process has said nothing for too long."""


@contextmanager
def working(task: str, job: Job, **options: object) -> Iterator["Worker"]:
    """Run a job in a process of its own, which is over when the ``with`` is.

    Args:
        task: ``"speed"``, ``"profile"`` or ``"realtime"``.
        job: What to measure.
        options: Of the task.
    """
    request = json.dumps({"task": task, "job": job.to_json(), "options": options}, default=str)
    with (
        tempfile.TemporaryFile() as complaints,  # a pipe that nobody reads would fill up
        subprocess.Popen(  # noqa: S603  # this Python, and a module of this package
            [sys.executable, "-W", "ignore", "-m", MODULE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=complaints,
            env=_environment(),
            start_new_session=True,  # Ctrl-C is for the one who asked, who then ends this one
        ) as process,
    ):
        try:
            yield Worker(process, complaints, request)
        finally:
            process.kill()


class Worker:
    """A process that measures.

    Args:
        process: That has pipes for input and output.
        complaints: File to which its errors go.
        request: What it is to do.

    Raises:
        InvalidArgumentError: The process has no such pipes.
    """

    def __init__(self, process: subprocess.Popen[bytes], complaints: IO[bytes], request: str) -> None:
        if process.stdin is None or process.stdout is None:
            msg = "process must have pipes for input and output, got none; start it with stdin=PIPE and stdout=PIPE"
            raise InvalidArgumentError(msg)
        self.process = process
        self.stdin, self.stdout = process.stdin, process.stdout
        self.complaints = complaints
        self.messages: queue.Queue[dict[str, Any] | None] = queue.Queue()
        threading.Thread(target=self._talk, args=(request,), daemon=True).start()

    def receive(self, max_seconds: float | None = None) -> dict[str, Any] | None:
        """Return the next message, or None after the last.

        Raises:
            WorkerStuckError: None came in time.
            NeutoneError: What the process raised.
            ModelOutputError: The process ended before its time.
        """
        try:
            message = self.messages.get(timeout=max_seconds)
        except queue.Empty as error:
            raise WorkerStuckError from error
        if message is None:
            self._check_ended_well()
        elif "error" in message:
            raise getattr(errors, message["error"])(message["message"])
        return message

    def warn_that_it_hangs(self, max_seconds: float) -> None:
        """Warn that the budget was not enough for a single callback."""
        warnings.warn(
            f"stopped: a callback takes longer than the {max_seconds:g} s that all of a setting may take; "
            "what follows was not measured",
            stacklevel=3,
        )

    def _talk(self, request: str) -> None:
        try:
            self.stdin.write(request.encode())
            self.stdin.close()
            for line in self.stdout:
                self.messages.put(json.loads(line))
        except (OSError, ValueError):  # it ended in the middle of a line, or before it had read its job
            pass
        self.messages.put(None)

    def _check_ended_well(self) -> None:
        code = self.process.wait()
        if code == 0:
            return
        self.complaints.seek(0)
        said = [line for line in self.complaints.read().decode(errors="replace").splitlines() if line.strip()]
        how = signal.Signals(-code).name if -code in set(signal.Signals) else f"code {code}"
        msg = f"the process that ran the model ended with {how}" + (f": {said[-1]}" if said else "")
        raise ModelOutputError(msg)


def _environment() -> dict[str, str]:
    """The same modules as here, and none that happen to lie in the folder that the user stands in."""
    path = os.pathsep.join(folder for folder in sys.path if folder)
    return {**os.environ, "PYTHONPATH": path, "PYTHONSAFEPATH": "1", "PYTHONIOENCODING": "utf-8"}
