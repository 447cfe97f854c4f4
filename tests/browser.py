"""A headless Chromium, driven over a pipe with the DevTools protocol: no port, no driver, no package besides."""

import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MISSING = "these tests need Chromium: run `make chromium`, or put its path into the variable CHROMIUM"
FLAGS = (
    "--headless=new",
    "--no-sandbox",  # CI is root; the page is a file of ours
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--mute-audio",
    "--hide-scrollbars",
    "--autoplay-policy=no-user-gesture-required",
    "--remote-debugging-pipe",
)
# Chromium reads commands from descriptor 3 and writes answers to 4.
TRAMPOLINE = (
    "import os, sys; os.dup2(int(sys.argv[1]), 3); os.dup2(int(sys.argv[2]), 4); os.execv(sys.argv[3], sys.argv[3:])"
)
PATIENCE_S = 60  # a busy machine takes its time; what takes longer will never happen


def find() -> str:
    """Return the path of the browser; a missing one fails the tests, it does not skip them."""
    path = next(filter(None, map(shutil.which, (os.environ.get("CHROMIUM", ""), *NAMES))), None)
    assert path is not None, MISSING
    return path


class Browser:
    """One page. ``events`` holds what the browser told, in order."""

    def __init__(self, profile: Path) -> None:
        (theirs_in, ours_out), (ours_in, theirs_out) = os.pipe(), os.pipe()
        # Above 4, so that none of them is in the way of the other in the child.
        passed = [fcntl.fcntl(descriptor, fcntl.F_DUPFD, 10) for descriptor in (theirs_in, theirs_out)]
        command = [sys.executable, "-c", TRAMPOLINE, *map(str, passed), find(), *FLAGS, f"--user-data-dir={profile}"]
        with (profile.parent / "browser.log").open("wb") as log:
            self.process = subprocess.Popen(command, pass_fds=passed, stdout=log, stderr=log)  # noqa: S603
        for descriptor in (theirs_in, theirs_out, *passed):
            os.close(descriptor)
        self.log = profile.parent / "browser.log"
        self.commands, self.answers = os.fdopen(ours_out, "wb", buffering=0), os.fdopen(ours_in, "rb")
        self.events: list[dict[str, Any]] = []
        self.session: str | None = None
        self.n_sent, self.pending = 0, b""

    def __enter__(self) -> "Browser":  # noqa: PYI034  # Self came with Python 3.11
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.terminate()
        self.process.wait()
        self.commands.close()
        self.answers.close()

    def send(self, method: str, **params: Any) -> dict[str, Any]:
        """Send a command and return its answer; events on the way are kept."""
        self.n_sent += 1
        number = self.n_sent
        session = {"sessionId": self.session} if self.session else {}
        message = json.dumps({"id": number, "method": method, "params": params, **session})
        self.commands.write(message.encode() + b"\0")
        while (answer := self._receive()).get("id") != number:
            self.events.append(answer)
        assert "error" not in answer, f"{method}: {answer['error']}"
        result: dict[str, Any] = answer["result"]
        return result

    def _receive(self) -> dict[str, Any]:
        while b"\0" not in self.pending:
            is_there, _, _ = select.select([self.answers], [], [], PATIENCE_S)
            assert is_there, (
                f"Chromium said nothing for {PATIENCE_S} s; its log: {self.log.read_text(errors='replace')[-2000:]}"
            )
            more = os.read(self.answers.fileno(), 1 << 20)
            assert more, f"Chromium ended: {self.log.read_text(errors='replace')[-2000:]}"
            self.pending += more
        message, _, self.pending = self.pending.partition(b"\0")
        answer: dict[str, Any] = json.loads(message)
        return answer

    def open(self, page: Path, *, width: int = 1280, dark: bool = False) -> None:
        """Open a file and wait until it is loaded."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.send("Emulation.setEmulatedMedia", features=[scheme])
        self.send(
            "Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=width < 600
        )
        self.events.clear()
        self.send("Page.navigate", url=page.as_uri())
        while not any(event["method"] == "Page.loadEventFired" for event in self.events):
            self.events.append(self._receive())

    def evaluate(self, script: str) -> Any:
        """Return the value of an expression, or of the promise that it gives."""
        answer = self.send(
            "Runtime.evaluate",
            expression=script,
            awaitPromise=True,
            returnByValue=True,
            userGesture=True,
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def screenshot(self) -> bytes:
        """Return the whole page as a PNG file."""
        answer = self.send("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        return base64.b64decode(answer["data"])

    def requests(self) -> list[str]:
        """Return the addresses that the page asked for, with what is inside it."""
        return [
            event["params"]["request"]["url"] for event in self.events if event["method"] == "Network.requestWillBeSent"
        ]

    def complaints(self) -> list[str]:
        """Return what a developer would see in red: errors of scripts, broken rules of the policy, failed loads."""
        kinds = {"Runtime.exceptionThrown", "Log.entryAdded", "Runtime.consoleAPICalled", "Network.loadingFailed"}
        return [json.dumps(event["params"]) for event in self.events if event["method"] in kinds]


@contextmanager
def browser(folder: Path) -> Iterator[Browser]:
    """Start a browser with a fresh profile in ``folder``, and end it."""
    with Browser(folder / "profile") as started:
        yield started
