"""What an answer is written to: its head and its body leave in one system call, as one packet."""

from __future__ import annotations

import asyncio

__all__ = ["JoinedWrites"]

_MOST_BYTES = 65_536
"""Kept at most: what is larger gains nothing, and the transport's own limits are to see it."""


class JoinedWrites:
    """
    A transport as uvicorn's `RequestResponseCycle` uses it.

    What is written within one turn of the event loop is kept for its end, or for `flush`.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._kept: list[bytes] = []
        self._bytes = 0

    def write(self, data: bytes) -> None:
        """Keep a part of an answer; where much is kept, the transport has it at once."""
        if not self._kept:
            self._loop.call_soon(self.flush)
        self._kept.append(data)
        self._bytes += len(data)
        if self._bytes > _MOST_BYTES:
            self.flush()

    def flush(self) -> None:
        """Give what is kept to the transport; to one that closes, nothing."""
        kept, self._kept, self._bytes = self._kept, [], 0
        if kept and not self._transport.is_closing():
            self._transport.write(b"".join(kept))

    def close(self) -> None:
        """Close the connection behind what was written."""
        self.flush()
        self._transport.close()

    def is_closing(self) -> bool:
        """Whether the connection closes."""
        return self._transport.is_closing()
