"""
What one request may take: time, rows, columns and memory.

Memory is counted before it is used, for all requests together, and until nothing works on the request any more: a
thread goes on for a moment after its request was refused or timed out. So `[serve] queue_bytes` bounds what all of them
hold. Work in threads looks at the clock between pieces (`check`), and ends with its request.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor, Future
from contextvars import ContextVar, copy_context
from threading import Lock
from typing import Protocol, TypeVar

from stream.deadline import Deadline
from stream.rest.problems import Problem, overloaded, too_large
from stream.settings import ServeSettings

__all__ = ["Allowance", "Memory", "Unsent", "allowance"]

T = TypeVar("T")


class Unsent(Protocol):
    """A connection whose client reads slowly; an `asyncio.WriteTransport`."""

    def get_write_buffer_size(self) -> int:
        """Bytes of answers that wait to be sent."""


class Memory:
    """
    What all requests hold, in bytes. May be used by several threads.

    Attributes:
        held_bytes: now, without answers.
        unsent: connections with answers that their clients don't fetch; those count too.
    """

    def __init__(self, limit_bytes: int) -> None:
        """
        Args:
            limit_bytes: `[serve] queue_bytes`.
        """
        self._limit_bytes = limit_bytes
        self._lock = Lock()
        self.held_bytes = 0
        self.unsent: set[Unsent] = set()

    def take(self, size_bytes: int, held_bytes: int) -> None:
        """
        Hold more.

        Args:
            size_bytes: how much more.
            held_bytes: what the same request holds already.
        Raises: Problem 413 when the request is too large for an idle service, 503 when the others hold too much;
            nothing more is held then.
        """
        if size_bytes + held_bytes > self._limit_bytes:
            raise too_large(
                f"the request takes more than {self._limit_bytes} bytes of memory ([serve] queue_bytes)"
            )
        waiting = sum(one.get_write_buffer_size() for one in tuple(self.unsent)) if self.unsent else 0
        with self._lock:
            if self.held_bytes + waiting + size_bytes > self._limit_bytes:
                raise overloaded(f"requests in flight hold {self.held_bytes + waiting} bytes")
            self.held_bytes += size_bytes

    def free(self, size_bytes: int) -> None:
        """Hold less."""
        with self._lock:
            self.held_bytes -= size_bytes


class Allowance:
    """
    One request's. May be used by several threads.

    Attributes:
        settings: the limits.
    """

    def __init__(self, settings: ServeSettings, memory: Memory, threads: Executor | None = None) -> None:
        """
        Args:
            settings: `timeout`, `queue_rows`, `max_columns`.
            memory: of all requests.
            threads: where long work runs; None: where it is asked for.
        """
        self.settings = settings
        self._memory = memory
        self._threads = threads
        self._deadline = Deadline.after(settings.timeout)
        self._bytes = 0
        self._users = 0
        self._over = False
        self._lock = Lock()

    def __enter__(self) -> Allowance:
        """Be what `allowance()` finds."""
        self._token = _CURRENT.set(self)
        self.enter()
        return self

    def __exit__(self, *failed: object) -> None:
        """The request is over: work in threads is told to end, and holds what it has until then."""
        self._over = True
        _CURRENT.reset(self._token)
        self.leave()

    def enter(self) -> None:
        """Something works on the request, until it calls `leave`."""
        with self._lock:
            self._users += 1

    def leave(self) -> None:
        """The work is over; the last one frees what is held."""
        with self._lock:
            self._users -= 1
            freed, self._bytes = (0, self._bytes) if self._users else (self._bytes, 0)
        if freed:
            self._memory.free(freed)

    def take(self, size_bytes: int) -> None:
        """
        Count memory before it is used.

        Raises: Problem 413 or 503, as `Memory.take`.
        """
        self._memory.take(size_bytes, self._bytes)
        with self._lock:
            self._bytes += size_bytes

    def check(self) -> None:
        """
        Look at the clock.

        Raises: Problem 504 when the request is over; nobody may see it.
        """
        if self._over or self._deadline.over:
            raise Problem(504, f"no answer within {self.settings.timeout:g} s ([serve] timeout)")

    def rows(self, count: int) -> None:
        """Raises Problem 413 when a request has more rows than it may."""
        if count > self.settings.queue_rows:
            raise too_large(
                f"{count} rows are too many, at most {self.settings.queue_rows} ([serve] queue_rows)"
            )

    def columns(self, count: int) -> None:
        """Raises Problem 413 when a row has more columns than it may."""
        if count > self.settings.max_columns:
            raise too_large(
                f"{count} columns are too many, at most {self.settings.max_columns} ([serve] max_columns)"
            )

    async def run(self, call: Callable[[], T]) -> T:
        """Call a function in a thread; it does not begin when the request is over by then."""
        if self._threads is None:
            return call()
        self.enter()
        context = copy_context()

        def begin() -> T:
            self.check()
            return context.run(call)

        work: Future[T] = self._threads.submit(begin)
        work.add_done_callback(lambda _: self.leave())
        try:
            return await asyncio.wrap_future(work)
        finally:
            # A refusal refers to this frame, and the future to the refusal: what was parsed would stay until some
            # collection of garbage, though nobody counts it any more.
            del work


_CURRENT: ContextVar[Allowance | None] = ContextVar("allowance", default=None)


def allowance() -> Allowance:
    """The allowance of the request that is being answered; outside of one, what the default settings allow."""
    found = _CURRENT.get()
    if found is None:
        settings = ServeSettings()
        found = Allowance(settings, Memory(settings.queue_bytes))
    return found
