"""
The server of `stream serve`: uvicorn's, with an end that loses nothing and comes in time.

After SIGTERM: 1 readiness is refused, and every answer says `Connection: close`, so that load balancers and clients
turn elsewhere; 2 for `drain_delay` new connections are still taken; 3 then none, and idle ones are closed; 4 what is in
flight is answered; 5 at `drain_timeout` the process ends, whatever its threads are at. Ctrl-C leaves out 2.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import ssl
import sys
from collections.abc import Callable
from types import FrameType

import uvicorn

from stream.app.last_resort import LastResort
from stream.app.rest_crowd import SHAKING, Crowd, TlsListener
from stream.deadline import Deadline

__all__ = ["Server", "room_for"]

log = logging.getLogger(__name__)

OTHER_FILES = 128 + SHAKING
"""Descriptors that the process needs for all else: the model's files, logs, libraries, handshakes."""

LAST_S, LAST_SHARE = 0.5, 0.2
"""Of the time to drain, at most this share: for what is cancelled to end in good order."""


def nobody_leaves() -> None:
    """There are no answers without an end."""


class Server(uvicorn.Server):
    """Of one service; runs in the main thread."""

    def __init__(
        self,
        config: uvicorn.Config,
        crowd: Crowd,
        last_resort: LastResort | None = None,
        leave: Callable[[], None] = nobody_leaves,
    ) -> None:
        """
        Args:
            config: uvicorn's.
            crowd: of connections, and the service behind it.
            last_resort: what ends the process where nothing else does; None: nothing.
            leave: ends the answers that have no end of their own, before others are waited for.
        """
        super().__init__(config)
        self._leave = leave
        self._crowd = crowd
        self._settings = crowd.service.settings
        self._last_resort = last_resort
        self._end: Deadline | None = None
        self._delay_s = 0.0

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, as uvicorn does, with a limit for TLS handshakes."""
        await self.lifespan.startup()
        loop = asyncio.get_running_loop()
        backlog = self.config.backlog
        if self.config.ssl is None:
            self.servers = [
                await loop.create_server(self._connection, sock=one, backlog=backlog) for one in sockets or []
            ]
        else:
            self.servers = [self._tls_listener(self.config.ssl, one, backlog) for one in sockets or []]  # type: ignore[misc]
        if self._last_resort is not None:
            self._last_resort.watch()
        self.started = True

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Called for a signal."""
        super().handle_exit(sig, frame)
        if self._end is None:
            self._end = Deadline.after(self._settings.drain_timeout)
            if sig == signal.SIGTERM:
                self._delay_s = min(self._settings.drain_delay, self._settings.drain_timeout / 2)
            self._crowd.service.draining = True
            if self._last_resort is not None:
                self._last_resort.end_by(self._end)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End; see the module."""
        end = self._end or Deadline.after(self._settings.drain_timeout)
        delay = Deadline.after(self._delay_s)
        while not (delay.over or self.force_exit):
            await asyncio.sleep(delay.left_s(0.05))
        self._leave()
        self.config.timeout_graceful_shutdown = max(
            0, end.left_s() - min(LAST_S, LAST_SHARE * self._settings.drain_timeout)
        )  # type: ignore[assignment]
        await super().shutdown(sockets)

    def _tls_listener(self, context: ssl.SSLContext, claimed: socket.socket, backlog: int) -> TlsListener:
        connections = self.server_state.connections
        listener = TlsListener(self._crowd, context, self._connection, lambda: len(connections))
        listener.listen(claimed, backlog)
        return listener

    def _connection(self) -> asyncio.Protocol:
        return self.config.http_protocol_class(  # type: ignore[call-arg]
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )


def room_for(connections: int) -> int:
    """
    Make room for connections: each is a descriptor of the process.

    Args:
        connections: `[serve] max_connections`.
    Returns: so many, or fewer where the system allows no more.
    """
    if sys.platform == "win32":
        return connections
    import resource  # POSIX's

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + OTHER_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return connections
    room = max(1, soft - OTHER_FILES)
    log.warning(
        "at most %d connections at a time, not %d: the process may open %d files", room, connections, soft
    )
    return room
