"""The only place where this package uses the network: asks whether a model's links lead anywhere, when asked to."""

import re
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from http.client import HTTPException
from typing import Any, Final

from neutone_sdk._version import __version__
from neutone_sdk.metadata_schema import metadata_schema
from neutone_sdk.validation import shown

_METHODS: Final = ("HEAD", "GET")  # some servers know no HEAD


def unreachable_links(metadata: Mapping[str, Any], *, timeout_s: float = 5.0) -> list[str]:
    """Return a line for each link of a model that leads nowhere; none, if all do. Uses the network.

    Asks for every link at the same time, with HEAD and then, if that fails, with GET; bodies are not read. Files from
    strangers may name any host, also one of your own network.

    Args:
        metadata: Of the model; of its links, so many are asked for as an exported file may have.
        timeout_s: How long to wait for each of the two answers.
    """
    links = metadata.get("technical_links", {})
    limit = _link_rules()["maxProperties"]
    asked = dict(list(links.items())[:limit])
    problems = _problems(asked, timeout_s)
    lines = [
        f"technical_links[{caption!r}]: {shown(asked[caption])} {problem}" for caption, problem in problems.items()
    ]
    if len(links) > limit:
        lines.append(f"technical_links: only the first {limit} of {len(links)} were asked for")
    return lines


def _problems(links: Mapping[str, str], timeout_s: float) -> dict[str, str]:
    """Return what is wrong with links, by their captions; all are asked for at the same time."""
    problems = dict.fromkeys(links, f"does not answer within {timeout_s:g} s")

    def ask(caption: str, link: str) -> None:
        problems[caption] = _problem(link, timeout_s)

    # Daemons: a server that sends one byte a second must not keep the program from ending.
    threads = [threading.Thread(target=ask, args=link, daemon=True) for link in links.items()]
    for thread in threads:
        thread.start()
    deadline_s = time.monotonic() + len(_METHODS) * timeout_s
    for thread in threads:
        thread.join(max(0.0, deadline_s - time.monotonic()))
    return {caption: problem for caption, problem in problems.copy().items() if problem}


def _problem(link: str, timeout_s: float) -> str:
    """Say what is wrong with a link, or nothing."""
    rules = _link_rules()["additionalProperties"]
    if not re.search(rules["pattern"], link):
        return f"must be {rules['description']}"
    problem = ""
    for method in _METHODS:
        problem = _answer(link, method, timeout_s)
        if not problem:
            break
    return problem


def _link_rules() -> dict[str, Any]:
    rules: dict[str, Any] = metadata_schema()["properties"]["technical_links"]
    return rules


def _answer(link: str, method: str, timeout_s: float) -> str:
    headers = {"User-Agent": f"neutone_sdk/{__version__}"}
    try:
        request = urllib.request.Request(_in_ascii(link), headers=headers, method=method)  # noqa: S310  # it is HTTP
        _opener().open(request, timeout=timeout_s).close()
    except urllib.error.HTTPError as error:
        error.close()
        return f"answers {error.code} {error.reason}".rstrip()
    except (OSError, HTTPException, ValueError) as error:
        reason = getattr(error, "reason", error)
        if isinstance(reason, TimeoutError):
            return f"does not answer within {timeout_s:g} s"
        return f"cannot be reached: {reason}"
    return ""


def _in_ascii(link: str) -> str:
    """Return a link as it travels: people write spaces and their own letters.

    Raises:
        ValueError: Its host is none.
    """
    parts = urllib.parse.urlsplit(link)
    host = parts.netloc.encode("idna").decode("ascii")
    path, query = (urllib.parse.quote(part, safe="/:@!$&'()*+,;=%?~") for part in (parts.path, parts.query))
    return urllib.parse.urlunsplit((parts.scheme, host, path, query, ""))


def _opener() -> urllib.request.OpenerDirector:
    """Return what follows redirections to HTTP only; urllib's own would open FTP, too."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPRedirectHandler(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.UnknownHandler(),
    ):
        opener.add_handler(handler)
    return opener
