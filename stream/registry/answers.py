"""What an answer of the registry means: content, a passing fault, a refusal, or not a registry's words at all."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from stream.errors import BrokerRefused, Retriable, SchemaError, SettingsError, StreamError

if TYPE_CHECKING:
    import httpx

__all__ = ["ANSWER_BYTES", "Busy", "Denied", "Garbled", "NotServed", "read_answer"]

ANSWER_BYTES = 2 * 1024 * 1024
"""A larger answer is not a schema: registries keep theirs in Kafka records of 1 MiB at most."""

ASKED_TO_WAIT_S = 60.0
"""A registry's `Retry-After` beyond this is cut to it."""

_AGAIN = {429, 500, 502, 503, 504}


class NotServed(SettingsError):
    """
    The registry has no such address.

    Operator action: check `[schema_registry] url`, its path too (`/apis/ccompat/v7` for Apicurio).
    """


class Denied(BrokerRefused):
    """
    The registry does not let us read this (403).

    Operator action: give the user or token of `[schema_registry]` the right to read it.
    """


class Garbled(BrokerRefused):
    """
    The answer is not a registry's: not JSON, a redirect, a status that registries don't give.

    Operator action: check `[schema_registry] url`, and proxies before the registry.
    """


class Busy(Retriable):
    """
    The registry asks to come back later (429, 5xx).

    Operator action: none, unless it repeats for minutes; then look at the registry's log.
    """

    def __init__(self, message: str, *, wait_s: float, hint: str) -> None:
        """
        Args: as `StreamError`, and
            wait_s: for how long the registry wants to be left alone.
        """
        super().__init__(message, hint=hint)
        self.wait_s = wait_s


def read_answer(answer: httpx.Response, content: bytes, place: str, clean: Callable[[str], str]) -> Any:
    """
    The JSON of an answer; None where the registry says that there is nothing.

    Args:
        answer: status and headers.
        content: its bytes.
        place: what was asked.
        clean: takes our own secrets out of a text.
    Raises: Busy, Denied, Garbled, NotServed; SchemaError where the registry finds a schema wrong; BrokerRefused for
        401.
    """
    code = answer.status_code
    if answer.is_success:
        return _json(answer, content, place)
    words = clean(_words(content))
    if code in _AGAIN:
        hint = "try again; if it stays, look at the registry's log"
        raise Busy(f"{place}: {code} {words}", wait_s=_asked_to_wait(answer), hint=hint)
    if code == 404 and _is_about_content(content):
        return None
    if code == 404:
        raise NotServed(
            f"{place}: 404, and not in a schema registry's words: {words}",
            hint="check `[schema_registry] url`, its path too (Apicurio's is /apis/ccompat/v7)",
        )
    if code in (409, 422):
        raise SchemaError(f"{place}: {code} {words}")
    raise _refusal(answer, content, place, words)


def _json(answer: httpx.Response, content: bytes, place: str) -> Any:
    packed = answer.headers.get("Content-Encoding", "identity") != "identity"
    try:
        return json.loads("" if packed else content)
    except (ValueError, RecursionError) as error:
        raise Garbled(
            f"{place}: the answer is not JSON", hint="check `[schema_registry] url`, and proxies before it"
        ) from error


def _is_about_content(content: bytes) -> bool:
    """
    Whether a 404 is the registry's own (no such subject, version or schema) or only says "no such page".

    Source: Confluent's error codes 40401 to 40499; a bare 404, or Apicurio's 0, is the web server's.
    """
    code = _error_code(content)
    return code is not None and 40400 <= code <= 40499


def _error_code(content: bytes) -> int | None:
    """The number that a registry gives its errors; None where the words are not a registry's."""
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return None
    code = found.get("error_code") if isinstance(found, dict) else None
    return code if isinstance(code, int) else None


def _words(content: bytes) -> str:
    """What the registry said, for people: one line."""
    text = content[:4096].decode("utf-8", "replace")
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    said = found.get("message") if isinstance(found, dict) else None
    line = " ".join((said if isinstance(said, str) and said else text).split())
    return "".join(c for c in line if c.isprintable())[:400]


def _asked_to_wait(answer: httpx.Response) -> float:
    """Seconds of `Retry-After`; 0 where there is none, or only a date."""
    given = answer.headers.get("Retry-After", "")
    return min(float(given), ASKED_TO_WAIT_S) if given.isascii() and given.isdigit() else 0.0


def _refusal(answer: httpx.Response, content: bytes, place: str, words: str) -> StreamError:
    """The error for an answer that is neither content nor a passing fault."""
    if answer.has_redirect_location:
        return Garbled(
            f"{place}: redirects to {_target(answer)}, which is not followed",
            hint="set `[schema_registry] url` to where the registry is",
        )
    if answer.status_code in (401, 403):
        kind = Denied if answer.status_code == 403 else BrokerRefused
        return kind(
            f"{place}: {answer.status_code} {words}",
            hint="check `[schema_registry]` user, password or token, and what they may read",
        )
    own = BrokerRefused if _error_code(content) is not None else Garbled
    return own(f"{place}: {answer.status_code} {words}", hint="see the registry's words")


def _target(answer: httpx.Response) -> str:
    """Where a redirect points, without what is behind `?`: a login may put secrets there."""
    try:
        target = urlsplit(answer.headers["location"])
        text = f"{target.scheme}://{target.hostname}{target.path}"
    except ValueError:
        text = "no address"
    return "".join(c for c in text if c.isprintable())[:200]
