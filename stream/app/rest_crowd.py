"""
The connections of `stream serve` together: which of them make room for a newcomer.

With TLS, a connection is none before its handshake is done, though it takes a file of the process. So handshakes are
counted as well: where there are too many, the longest ends, and a newcomer always has its turn.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from stream.rest import Front

__all__ = ["SHAKING", "Crowd", "TlsListener"]

log = logging.getLogger(__name__)

LINGERING = 100
"""Refused connections whose clients may go on sending, at a time."""

SHAKING = 32
"""Handshakes for which there is always room, beyond the connections."""

AGAIN_S = 0.2
"""After a connection could not be taken."""


class Member(Protocol):
    """A connection, as the crowd sees it."""

    def close(self) -> None:
        """End, but send what was written."""

    def abort(self) -> None:
        """End at once."""


class Crowd:
    """
    All connections. Belongs to one event loop.

    Attributes:
        service: what answers.
        most: connections at most.
        waiting: silent and idle ones, the longest first.
        lingering: refused ones whose clients may still be sending, the longest first.
    """

    def __init__(self, service: Front, most: int) -> None:
        self.service = service
        self.most = most
        self.waiting: dict[Member, None] = {}
        self.lingering: dict[Member, None] = {}

    def wait(self, connection: Member) -> None:
        """It is silent or idle from now on."""
        self.waiting.pop(connection, None)
        self.waiting[connection] = None

    def make_room(self, newcomer: Member, count: int) -> bool:
        """
        Args:
            newcomer: which has just come.
            count: connections, with this one.
        Returns: whether it may stay.
        """
        if count <= self.most:
            return True
        longest = next((one for one in self.waiting if one is not newcomer), None)
        if longest is None:
            return False
        longest.close()
        return True

    def linger(self, connection: Member) -> None:
        """It was refused; not too many may stay for that."""
        self.lingering[connection] = None
        if len(self.lingering) > LINGERING:
            next(iter(self.lingering)).abort()

    def forget(self, connection: Member) -> None:
        """It is neither silent nor lingering, or gone."""
        self.waiting.pop(connection, None)
        self.lingering.pop(connection, None)


class TlsListener:
    """
    Takes connections, which belong to the crowd once their handshake is done. Belongs to one event loop.

    Attributes:
        sockets: that it listens on.
        shaking: what was taken and is no connection yet, the longest first.
    """

    def __init__(
        self,
        crowd: Crowd,
        context: ssl.SSLContext,
        make: Callable[[], asyncio.Protocol],
        count: Callable[[], int],
    ) -> None:
        """
        Args:
            crowd: of the connections.
            context: of the server.
            make: a connection.
            count: of connections now.
        """
        self._crowd = crowd
        self._context = context
        self._make = make
        self._count = count
        self._taking: asyncio.Task[None] | None = None
        self.sockets: list[socket.socket] = []
        self.shaking: dict[socket.socket, asyncio.Task[None]] = {}

    def listen(self, claimed: socket.socket, backlog: int) -> None:
        """Begin, on a socket that is bound."""
        claimed.setblocking(False)
        claimed.listen(backlog)
        self.sockets = [claimed]
        self._taking = asyncio.get_running_loop().create_task(self._take_from(claimed))

    def close(self) -> None:
        """Take no more, and end handshakes."""
        if self._taking is not None:
            self._taking.cancel()
        for taken in list(self.shaking):
            _hang_up(taken)

    async def wait_closed(self) -> None:
        """Until nothing of it is left."""
        tasks = [*self.shaking.values(), *([self._taking] if self._taking else [])]
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _take_from(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                taken, _ = await loop.sock_accept(listener)
            except OSError as error:  # the client is gone again; or no file can be opened, whoever has them
                log.debug("no connection taken: %s", error)
                await asyncio.sleep(AGAIN_S)
                continue
            if self.shaking and len(self.shaking) + self._count() >= self._crowd.most + SHAKING:
                longest = next(iter(self.shaking))
                del self.shaking[longest]
                _hang_up(longest)
            self.shaking[taken] = loop.create_task(self._shake(taken))

    async def _shake(self, taken: socket.socket) -> None:
        limit = self._crowd.service.settings.head_timeout
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                self._make,
                taken,
                ssl=self._context,
                ssl_handshake_timeout=limit,
                ssl_shutdown_timeout=limit,
            )
        except OSError as error:  # of TLS and of its time too
            log.debug("no handshake: %s", error)
            taken.close()
        finally:
            self.shaking.pop(taken, None)


def _hang_up(taken: socket.socket) -> None:
    """End what a handshake waits for; its task closes the socket."""
    with suppress(OSError):
        taken.shutdown(socket.SHUT_RDWR)
