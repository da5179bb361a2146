"""
Those who look at the live page: each gets the same snapshot, made and encoded once a second for all of them.

Nobody waits for a viewer, and none is waited for: a viewer takes the newest snapshot when it is done with the one
before, so one that reads slowly misses some, and holds one at a time. While there is no viewer, nothing is made.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing, contextmanager

__all__ = ["Audience"]

log = logging.getLogger(__name__)

VIEWERS = 32
"""At a time; each is a connection that stays."""

EVERY_S = 1.0
"""Between two snapshots."""

HEARTBEAT_S = 5.0
"""Without a snapshot for so long a comment is sent, so that proxies and clients see that somebody is there."""

LINGER_S = 5.0
"""Snapshots are made for so long after the last viewer has left: a page that is loaded again goes on where it was."""


class Audience:
    """All viewers of one process. Belongs to one event loop; `make` is called in a thread."""

    def __init__(
        self,
        make: Callable[[], bytes],
        watch: Callable[[bool], None],
        most: int = VIEWERS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """
        Args:
            make: a snapshot, as one line of JSON; called by one thread at a time.
            watch: told when somebody begins to look, and when nobody does any longer.
            most: viewers at a time, at most `VIEWERS`.
            clock: monotonic seconds.
        """
        self._clock = clock
        self._make = make
        self._watch = watch
        self._most = max(1, min(VIEWERS, most))
        self._viewers = 0
        self._seen_at = 0.0
        self._making: asyncio.Task[None] | None = None
        self._latest = b""
        self._number = 0
        self._news = asyncio.Event()
        self._closed = False

    def __len__(self) -> int:
        return self._viewers

    @property
    def full(self) -> str:
        """Why no further viewer is taken, for people; empty when there is room."""
        if self._closed:
            return "the process ends"
        crowded = self._viewers >= self._most
        return f"{self._viewers} viewers are looking at this page: try again later" if crowded else ""

    async def state(self) -> bytes:
        """
        One snapshot, for whoever asks now and then; counts as a viewer meanwhile.

        Returns: one line of JSON; empty when there is no room, or the process ends.
        """
        async with aclosing(self._snapshots()) as snapshots:
            async for snapshot in snapshots:
                if snapshot:
                    return snapshot
        return b""

    async def events(self) -> AsyncGenerator[bytes]:
        """
        Server-sent events for one viewer: a snapshot at once, then each second, until the process ends.

        Yields: what is to be sent as it is. Ends at once when there is no room.
        """
        async with aclosing(self._snapshots()) as snapshots:
            async for snapshot in snapshots:
                yield b"event: state\ndata: %b\n\n" % snapshot if snapshot else b": \n\n"

    def close(self) -> None:
        """Let all viewers go; no further one is served."""
        self._closed = True
        self._tell()
        if self._making is not None:
            self._making.cancel()

    async def _snapshots(self) -> AsyncGenerator[bytes]:
        """The newest snapshot, whenever there is one that was not yielded yet; nothing (b"") as a sign of life."""
        with self._seat() as taken:
            seen = self._number - 1 if self._latest else self._number
            while taken and not self._closed and self._making is not None:
                if self._number > seen:
                    seen = self._number
                    yield self._latest
                    continue
                try:
                    await asyncio.wait_for(self._news.wait(), HEARTBEAT_S)
                except TimeoutError:
                    yield b""

    @contextmanager
    def _seat(self) -> Iterator[bool]:
        """A viewer's place; False when there is none."""
        if self.full:
            yield False
            return
        self._viewers += 1
        if self._making is None:
            self._making = asyncio.create_task(self._make_some(), name="live page")
            self._making.add_done_callback(self._ended)
        try:
            yield True
        finally:
            self._viewers -= 1
            self._seen_at = self._clock()

    async def _make_some(self) -> None:
        """Make snapshots for as long as somebody looks."""
        loop = asyncio.get_running_loop()
        self._watch(True)
        while self._viewers or self._clock() - self._seen_at < LINGER_S:
            due = loop.time() + EVERY_S
            self._latest = await asyncio.to_thread(self._make)
            self._number += 1
            self._tell()
            await asyncio.sleep(due - loop.time())

    def _tell(self) -> None:
        self._news.set()
        self._news = asyncio.Event()

    def _ended(self, task: asyncio.Task[None]) -> None:
        """Nobody looks any longer; or a bug ended it: viewers see the end, and the process goes on."""
        self._making = None
        self._latest = b""
        self._watch(False)
        self._tell()
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("the live page can't be made", exc_info=error)
