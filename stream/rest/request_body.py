"""A request's body: read within its limits, and parsed off the event loop when it is large."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from starlette.requests import ClientDisconnect, Request

from stream.rest.allowance import Allowance, Memory, allowance
from stream.rest.json_extent import admit_json
from stream.rest.problems import Problem, too_large, wrong_shape, wrong_type
from stream.settings import ServeSettings
from stream.types import parse_json as read_json

__all__ = ["Intake", "json_value", "media_type", "offload", "parse_json", "require_json", "require_utf8"]

T = TypeVar("T")

_UTF8 = ("utf-8", "utf8", "us-ascii", "ascii")
"""Names of UTF-8, and of a part of it."""

_OFFLOAD_BYTES = 65_536
"""Larger bodies are parsed in a thread: it takes some 2 ms, longer than other requests should wait for the loop."""

_THREADS = 2
"""That parse and read large bodies. They share the GIL with all else, so more would slow down small requests."""


async def offload(size_bytes: int, call: Callable[[], T]) -> T:
    """Call a function: in a thread if the body that it works on is large."""
    return await allowance().run(call) if size_bytes > _OFFLOAD_BYTES else call()


class Intake:
    """
    Reads bodies. Belongs to one event loop.

    Attributes:
        settings: the limits.
        memory: what all requests hold.
    """

    def __init__(self, settings: ServeSettings) -> None:
        self.settings = settings
        self.memory = Memory(settings.queue_bytes)
        self._threads = ThreadPoolExecutor(_THREADS, "requests")

    def request(self) -> Allowance:
        """What a request may take, to be entered for as long as it is answered."""
        return Allowance(self.settings, self.memory, self._threads)

    def close(self) -> None:
        """Begin no further work in threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def read(self, request: Request, mine: Allowance) -> bytes:
        """
        Read a body.

        Args:
            request: its body has not been read yet.
            mine: the request's.
        Raises: Problem 413 when it is too large, 415 when it is compressed, 503 when too much is held already.
        """
        encoding = request.headers.get("content-encoding", "identity")
        if encoding != "identity":
            raise Problem(415, f"content-encoding: expected none, found {encoding}")
        announced = request.headers.get("content-length", "")
        if announced.isdecimal() and int(announced[:20]) > self.settings.max_body:
            raise self._too_large()
        body = bytearray()
        try:
            async for chunk in request.stream():
                if len(body) + len(chunk) > self.settings.max_body:
                    raise self._too_large()
                mine.take(len(chunk))
                body += chunk
        except ClientDisconnect:
            raise Problem(400, "the client disconnected before the end of its body") from None
        return bytes(body)

    def _too_large(self) -> Problem:
        return too_large(f"the body is larger than {self.settings.max_body} bytes ([serve] max_body)")


def media_type(request: Request) -> tuple[str, dict[str, str]]:
    """The content type of a body in lower case, and its parameters."""
    kind, *more = request.headers.get("content-type", "").lower().split(";")
    pairs = (part.partition("=") for part in more)
    return kind.strip(), {name.strip(): value.strip().strip('"') for name, _, value in pairs}


def require_json(request: Request) -> None:
    """Refuse a body whose content type is not JSON."""
    kind, options = media_type(request)
    if kind and kind != "application/json" and not kind.endswith("+json"):
        raise wrong_type(kind, "application/json")
    require_utf8(options)


def require_utf8(options: Mapping[str, str]) -> None:
    """
    Refuse a body in another encoding.

    Args:
        options: the parameters of its content type.
    """
    charset = options.get("charset", "utf-8")
    if charset not in _UTF8:
        raise wrong_type(f"charset={charset}", "charset=utf-8")


def parse_json(body: bytes, *, constants: bool = False) -> object:
    """
    Parse a body: JSON as RFC 8259 defines it.

    Args:
        body: in UTF-8.
        constants: whether NaN and Infinity are numbers, as for Python's own writer.
    Raises: Problem 422; 413 and 503 before it is parsed, as `admit_json`.
    """
    admit_json(body, allowance())
    return json_value(body, "the body", constants=constants)


def json_value(text: bytes, what: str, *, constants: bool = False) -> object:
    """
    Parse a text that was admitted.

    Args:
        text: in UTF-8.
        what: it is, for messages.
        constants: as `parse_json`.
    Raises: Problem 422.
    """
    try:
        found: object = read_json(text, constants=constants)
    except (ValueError, RecursionError) as error:
        raise wrong_shape(f"{what} is not JSON: {str(error)[:200] or type(error).__name__}") from error
    return found
