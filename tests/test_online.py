"""Links that lead nowhere, asked for from a server of this process."""

import re
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from neutone_sdk.online import _in_ascii, unreachable_links


class Server(BaseHTTPRequestHandler):
    """Answers with the status that the path asks for; what begins with ``head`` fails on HEAD only."""

    protocol_version = "HTTP/1.1"
    asked: list[str]

    def _answer(self) -> None:
        self.asked.append(f"{self.command} {self.path}")
        what, _, target = self.path[1:].partition("/")
        if what == "drop" or (what == "headdrop" and self.command == "HEAD"):
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
            return
        status = 405 if what == "head405" and self.command == "HEAD" else int(what) if what.isdecimal() else 200
        self.send_response(status)
        if status in (301, 302):
            self.send_header("Location", target.replace("_", "/"))
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_HEAD = do_GET = _answer  # noqa: N815  # the base's names

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base's name
        """Be quiet."""


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")


@pytest.fixture
def server() -> Iterator[str]:
    Server.asked = []
    with ThreadingHTTPServer(("127.0.0.1", 0), Server) as listening:
        thread = threading.Thread(target=listening.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{listening.server_address[1]}"
        listening.shutdown()
        thread.join()


@pytest.fixture
def silent() -> Iterator[str]:
    """Takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/"


@pytest.mark.parametrize(
    "path", ["/200", "/head405", "/headdrop", "/301//200", "/200/with spaces and ümlauts", "/200?q=%20#part"]
)
def test_links_that_answer_are_no_problem(server: str, path: str) -> None:
    assert unreachable_links({"technical_links": {"Paper": server + path}}) == []
    assert Server.asked != []


def test_links_that_lead_nowhere_are_a_line_each(server: str) -> None:
    links = {"Code": f"{server}/404", "Paper": f"{server}/200", "Demo": f"{server}/503"}

    lines = unreachable_links({"technical_links": links})

    assert lines == [
        f"technical_links['Code']: '{server}/404' answers 404 Not Found",
        f"technical_links['Demo']: '{server}/503' answers 503 Service Unavailable",
    ]
    assert sorted(Server.asked) == sorted(
        [f"{way} /{code}" for way in ("HEAD", "GET") for code in (404, 503)] + ["HEAD /200"]
    )


@pytest.mark.parametrize(
    ("link", "problem"),
    [
        ("{server}/drop", "cannot be reached: Remote end closed connection"),
        ("{server}/301/ftp:__127.0.0.1_file", "cannot be reached: unknown url type: ftp"),
        ("{server}/302/file:___etc_passwd", "answers 302"),
        ("http://127.0.0.1:1/", "cannot be reached: .*refused"),
        ("http://" + "x" * 70 + ".invalid/", "cannot be reached: "),
        ("http://127.0.0.1:99999/", "cannot be reached: "),
        ("{silent}", "does not answer within 0.2 s"),
        ("file:///etc/passwd", "must be an address with http:// or https:// and a host"),
        ("ftp://example.org/", "must be an address with http:// or https:// and a host"),
        ("https://", "must be an address with http:// or https:// and a host"),
    ],
)
def test_reasons(server: str, silent: str, link: str, problem: str) -> None:
    links = {"Paper": link.format(server=server, silent=silent)}

    (line,) = unreachable_links({"technical_links": links}, timeout_s=0.2 if link == "{silent}" else 60.0)

    assert re.match(rf"technical_links\['Paper'\]: .* {problem}", line)


def test_a_file_of_a_stranger_starts_no_flood(server: str) -> None:
    links = {f"link {index}": f"{server}/200/{index}" for index in range(1000)}

    lines = unreachable_links({"technical_links": links})

    assert lines == ["technical_links: only the first 3 of 1000 were asked for"]
    assert sorted(Server.asked) == [f"HEAD /200/{index}" for index in range(3)]


@pytest.mark.parametrize("metadata", [{}, {"technical_links": {}}])
def test_no_links_are_no_problem(metadata: dict[str, object]) -> None:
    assert unreachable_links(metadata) == []


@pytest.mark.parametrize(
    ("link", "travels"),
    [
        ("https://exämple.org/a b/ü?q=ö#part", "https://xn--exmple-cua.org/a%20b/%C3%BC?q=%C3%B6"),
        ("HTTP://example.org:80/100%25", "http://example.org:80/100%25"),
        ("http://[::1]:8080/", "http://[::1]:8080/"),
    ],
)
def test_links_travel_in_ascii(link: str, travels: str) -> None:
    assert _in_ascii(link) == travels
