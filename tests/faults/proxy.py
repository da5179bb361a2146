"""A TCP proxy on the loopback: passes bytes on, holds them back, lets them through slowly, or cuts the line."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Literal, Self

from tests.kafka.process import free_ports

__all__ = ["Proxy"]

Way = Literal["out", "back"]
"""From the client to the server; from the server to the client."""

PIECE_BYTES = 64 * 1024


@dataclass
class _Line:
    """One direction's state, shared by all connections."""

    open: threading.Event = field(default_factory=threading.Event)
    delay_s: float = 0.0
    bytes_per_s: float = 0.0
    passed: int = 0
    held: int = 0


class Proxy:
    """Listens on a port of its own for one server. Use as a context."""

    def __init__(self, target: int, port: int | None = None) -> None:
        """
        Args:
            target: the server's port on the loopback.
            port: its own; a free one when None.
        """
        self.target = target
        self.port = port or free_ports(1)[0]
        self.cut_connections = 0
        """Connections that were broken off."""
        self._lines: dict[Way, _Line] = {"out": _Line(), "back": _Line()}
        self._refusing = False
        self._sockets: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._server = socket.create_server(("127.0.0.1", self.port), backlog=64)
        self.restore()

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, name="proxy", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # shutdown() first: close() alone does not wake a thread that accepts.
        with suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self.restore()
        self.reset()

    def held(self, way: Way) -> int:
        """Bytes that came while this way was cut."""
        return self._lines[way].held

    def passed(self, way: Way) -> int:
        """Bytes that went through this way."""
        return self._lines[way].passed

    def cut(self, *ways: Way) -> None:
        """Hold back everything that goes these ways; the connections stay open, and nobody is told."""
        for way in ways:
            self._lines[way].open.clear()

    def slow(self, way: Way, *, delay_s: float = 0.0, bytes_per_s: float = 0.0) -> None:
        """Each piece waits, and no more than so many bytes a second go through (0 = no limit)."""
        self._lines[way].delay_s, self._lines[way].bytes_per_s = delay_s, bytes_per_s

    def refuse(self) -> None:
        """Break off all connections, and every new one."""
        self._refusing = True
        self.reset()

    def reset(self) -> None:
        """Break off all connections; new ones are welcome."""
        with self._lock:
            sockets, self._sockets = self._sockets, set()
        self.cut_connections += len(sockets) // 2
        for each in sockets:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def restore(self) -> None:
        """Pass everything on again, at full speed; what was held back goes through."""
        self._refusing = False
        for line in self._lines.values():
            line.delay_s = line.bytes_per_s = 0.0
            line.open.set()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            if self._refusing:
                client.close()
                continue
            try:
                server = socket.create_connection(("127.0.0.1", self.target), timeout=5)
            except OSError:
                client.close()
                continue
            server.settimeout(None)
            with self._lock:
                self._sockets |= {client, server}
            for source, sink, way in ((client, server, "out"), (server, client, "back")):
                threading.Thread(target=self._pump, args=(source, sink, way), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, way: Way) -> None:
        line = self._lines[way]
        with suppress(OSError):
            while piece := source.recv(PIECE_BYTES):
                if not line.open.is_set():
                    line.held += len(piece)
                    line.open.wait()
                if line.delay_s:
                    time.sleep(line.delay_s)
                if line.bytes_per_s:
                    time.sleep(len(piece) / line.bytes_per_s)
                sink.sendall(piece)
                line.passed += len(piece)
        for each in (source, sink):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
            with self._lock:
                self._sockets.discard(each)
