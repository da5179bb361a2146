"""
The connections of the worker's web: how many there are, how long they may say nothing, how fast they are answered.

They share the process, its files and its interpreter with the engine, so clients must not be able to use these up,
however many there are and whatever they send. A newcomer is never turned away: the connection that has been silent for
longest makes room for it, so that a probe gets its answer through a crowd that says nothing.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import ssl
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.http import HttpProcessingError

__all__ = [
    "CONNECTIONS",
    "HEAD_S",
    "IDLE_S",
    "PER_S",
    "Connections",
    "Turns",
    "most_connections",
    "runner_of",
]

log = logging.getLogger(__name__)

CONNECTIONS = 100
"""At most, and at most a quarter of the files that the process may open."""

HEAD_S = 10.0
"""For a connection's first request to be there whole, the TLS handshake included."""

IDLE_S = 75.0
"""For each further one; Prometheus keeps its connections for the next scrape."""

PER_S = 200
"""Connections taken, and requests answered, in a second; the others wait for their turn."""

BACKLOG = 64
"""Connections that the system holds until they are taken: a third of a second's."""

LOOK_S = 1.0
"""Between two looks for silent connections."""

AGAIN_S = 0.2
"""After a connection could not be taken."""

STOP_S = 0.5
"""For requests that are being answered when the worker stops."""

HEADERS, HEADER_BYTES = 64, 8190
"""Of a request's head; more is refused."""

LINES, LINE_BYTES = 1_000, 16
"""Ends of lines that may come together, or one for so many bytes: chunks of a byte cost a hundred times large ones."""

PROGRAM = "prediction-stream"
"""What an answer to a request that can't be read says of the server; the others say nothing."""


class Turns:
    """So many a second, in the order in which they come. Belongs to one event loop."""

    def __init__(self, per_s: float) -> None:
        self._every_s = 1 / per_s
        self._next = 0.0

    async def wait(self) -> None:
        """Until it is the caller's turn."""
        now = asyncio.get_running_loop().time()
        turn = max(self._next, now)
        self._next = turn + self._every_s
        if turn > now:
            await asyncio.sleep(turn - now)


@dataclass(slots=True, eq=False)
class _Held:
    """
    A connection.

    Attributes:
        socket: its own.
        since: when it was taken, or its last request came or was answered; the loop's seconds.
        asked: whether a request has come.
        busy: whether one is being answered.
        transport: None until it is connected, TLS included.
    """

    socket: socket.socket
    since: float
    asked: bool = False
    busy: bool = False
    transport: asyncio.BaseTransport | None = None

    def drop(self) -> None:
        """End it now, whatever it is at."""
        if isinstance(self.transport, asyncio.Transport):
            self.transport.abort()
        else:
            with suppress(OSError):
                self.socket.shutdown(socket.SHUT_RDWR)


class _Protocol(web.RequestHandler):
    """aiohttp's, which tells when its connection is gone, and keeps its version to itself."""

    def __init__(self, connections: Connections, held: _Held, server: web.Server) -> None:
        super().__init__(
            server,
            loop=asyncio.get_running_loop(),
            keepalive_timeout=IDLE_S,
            access_log=None,  # type: ignore[arg-type]  # as aiohttp's own runner has it
            max_headers=HEADERS,
            max_line_size=HEADER_BYTES,
            max_field_size=HEADER_BYTES,
            lingering_time=1.0,
        )
        self.held = held
        self._connections = connections

    def data_received(self, data: bytes) -> None:
        """Called by the loop with whatever came."""
        if data.count(b"\r\n") > max(LINES, len(data) // LINE_BYTES):
            self.held.drop()  # no client of these pages sends so
            return
        super().data_received(data)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Called once, by the loop."""
        self._connections.forget(self.held)
        super().connection_lost(exc)

    def log_exception(self, *args: Any, **kw: Any) -> None:
        """A page's error, with its traceback; what a client sends must not be able to fill the log."""
        if not isinstance(kw.get("exc_info"), HttpProcessingError | web.RequestPayloadError):
            super().log_exception(*args, **kw)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """The answer to a request that can't be read."""
        response = super().handle_error(request, status, exc, message)
        response.headers["Server"] = PROGRAM
        return response


def runner_of(application: web.Application) -> web.AppRunner:
    """What runs an application: a page whose client is gone is cancelled, so that none is left behind by a crowd."""
    return web.AppRunner(application, access_log=None, handler_cancellation=True, shutdown_timeout=STOP_S)


def most_connections() -> int:
    """How many connections the process has room for."""
    if os.name != "posix":
        return CONNECTIONS
    import resource  # POSIX's

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return CONNECTIONS if soft == resource.RLIM_INFINITY else max(4, min(CONNECTIONS, soft // 4))


@dataclass(slots=True)
class Connections:
    """
    All connections of one web. Belongs to one event loop.

    Attributes:
        server: aiohttp's, which answers.
        context: of TLS; None for plain HTTP.
        most: connections at most.
        turns: of new connections.
    """

    server: web.Server
    context: ssl.SSLContext | None = None
    most: int = field(default_factory=most_connections)
    turns: Turns = field(default_factory=lambda: Turns(PER_S))
    _held: dict[_Held, None] = field(default_factory=dict)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def __len__(self) -> int:
        return len(self._held)

    async def serve(self, listeners: Sequence[socket.socket]) -> None:
        """
        Take connections until cancelled.

        Args:
            listeners: bound, and not blocking.
        """
        async with asyncio.TaskGroup() as group:
            group.create_task(self._look())
            for listener in listeners:
                group.create_task(self._take_from(listener))

    async def close(self) -> None:
        """End all connections; those whose request is being answered have `STOP_S` for it."""
        loop = asyncio.get_running_loop()
        until = loop.time() + STOP_S
        while any(held.busy for held in self._held) and loop.time() < until:
            await asyncio.sleep(0.02)
        for held in list(self._held):
            held.drop()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def forget(self, held: _Held) -> None:
        """It is gone."""
        self._held.pop(held, None)

    async def _take_from(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self.turns.wait()
            try:
                taken, _ = await loop.sock_accept(listener)
            except OSError as error:
                # The client is gone again; or no file can be opened, whoever has them: one of ours is given back.
                log.debug("no connection taken: %s", error)
                self._make_room()
                await asyncio.sleep(AGAIN_S)
                continue
            if len(self._held) >= self.most:
                self._make_room()
            held = _Held(taken, loop.time())
            self._held[held] = None
            task = loop.create_task(self._connect(held))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _connect(self, held: _Held) -> None:
        loop = asyncio.get_running_loop()
        limit = None if self.context is None else HEAD_S
        try:
            held.transport, _ = await loop.connect_accepted_socket(
                lambda: _Protocol(self, held, self.server),
                held.socket,
                ssl=self.context,
                ssl_handshake_timeout=limit,
                ssl_shutdown_timeout=limit,
            )
        except OSError as error:  # of TLS too
            log.debug("no handshake: %s", error)
            self.forget(held)
            held.socket.close()

    def _make_room(self) -> None:
        """End the connection that has been silent for longest; where all are being answered, the oldest."""
        if self._held:
            held = min(self._held, key=lambda one: (one.busy, one.since))
            self.forget(held)
            held.drop()

    async def _look(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(LOOK_S)
            for held in list(self._held):
                if not held.busy and loop.time() - held.since > (IDLE_S if held.asked else HEAD_S):
                    held.drop()
