"""A request's body: read within its limits, and parsed off the event loop when it is large."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from starlette.requests import ClientDisconnect, Request

from stream.rest.problems import Problem, overloaded, too_large, wrong_shape, wrong_type
from stream.settings import ServeSettings
from stream.types import parse_json as read_json

__all__ = ["Intake", "media_type", "offload", "parse_json", "require_json"]

T = TypeVar("T")

_OFFLOAD_BYTES = 65_536
"""Larger bodies are parsed in a thread: it takes some 2 ms, longer than other requests should wait for the loop."""


async def offload(size_bytes: int, call: Callable[[], T]) -> T:
    """Call a function: in a thread if the body that it works on is large."""
    return await asyncio.to_thread(call) if size_bytes > _OFFLOAD_BYTES else call()


@dataclass(slots=True)
class Intake:
    """Reads bodies, and counts how many of their bytes are in memory. Belongs to one event loop."""

    settings: ServeSettings
    held_bytes: int = 0

    @contextmanager
    def hold(self) -> Iterator[list[int]]:
        """Count a request's bytes (the sum of the list) for as long as the request is in flight."""
        mine: list[int] = []
        try:
            yield mine
        finally:
            self.held_bytes -= sum(mine)

    async def read(self, request: Request, mine: list[int]) -> bytes:
        """
        Read a body.

        Args:
            request: its body has not been read yet.
            mine: the request's share, from `hold`.
        Raises: Problem 413 when it is too large, 415 when it is compressed, 503 when too much is held already.
        """
        encoding = request.headers.get("content-encoding", "identity")
        if encoding != "identity":
            raise Problem(415, f"content-encoding: expected none, found {encoding}")
        announced = request.headers.get("content-length", "")
        if announced.isdecimal() and int(announced) > self.settings.max_body:
            raise self._too_large()
        chunks: list[bytes] = []
        try:
            async for chunk in request.stream():
                mine.append(len(chunk))
                self.held_bytes += len(chunk)
                if sum(mine) > self.settings.max_body:
                    raise self._too_large()
                if self.held_bytes > self.settings.queue_bytes:
                    raise overloaded(f"{self.held_bytes} bytes of requests are in flight")
                chunks.append(chunk)
        except ClientDisconnect:
            raise Problem(400, "the client disconnected before the end of its body") from None
        return b"".join(chunks)

    def _too_large(self) -> Problem:
        return too_large(f"the body is larger than {self.settings.max_body} bytes ([serve] max_body)")


def media_type(request: Request) -> tuple[str, dict[str, str]]:
    """The content type of a body in lower case, and its parameters."""
    kind, *more = request.headers.get("content-type", "").lower().split(";")
    pairs = (part.partition("=") for part in more)
    return kind.strip(), {name.strip(): value.strip().strip('"') for name, _, value in pairs}


def require_json(request: Request) -> None:
    """Refuse a body whose content type is not JSON."""
    kind, _ = media_type(request)
    if kind and kind != "application/json" and not kind.endswith("+json"):
        raise wrong_type(kind, "application/json")


def parse_json(body: bytes) -> object:
    """
    Parse a body: JSON as RFC 8259 defines it, without NaN and Infinity.

    Raises: Problem 422.
    """
    try:
        found: object = read_json(body)
    except (ValueError, RecursionError) as error:
        raise wrong_shape(f"the body is not JSON: {str(error)[:200] or type(error).__name__}") from error
    return found
