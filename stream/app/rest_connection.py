"""
One connection of `stream serve`: uvicorn's own, with the limits that uvicorn does not have.

A connection is *silent* until the head of a request is whole, *busy* until that request is answered, then *idle*, which
is silent again once something comes. A silent one has `head_timeout`, an idle one `KEEP_ALIVE_S`; both make room when
there are `max_connections`, those that waited longest first, so newcomers are turned away only when all are busy. Bytes
that belong to no body are counted until a head is whole: `max_head`, and the same within a body (sizes of chunks,
trailers). An answer that its client does not fetch is counted as held memory, and has a time limit as well.

Source: uvicorn's setting `http` may be a protocol class (uvicorn.dev/settings, "Implementation").
"""

from __future__ import annotations

import asyncio
import json
import logging
from http import HTTPStatus
from typing import ClassVar

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from stream.app.joined_writes import JoinedWrites
from stream.app.rest_crowd import Crowd

__all__ = ["KEEP_ALIVE_S", "Connection", "connection_type"]

log = logging.getLogger(__name__)

KEEP_ALIVE_S = 75
"""Idle connections are kept longer than load balancers keep theirs (usually 60 s), so that those close first."""

HEADERS = 200
"""Of a request; browsers and proxies send some 30."""

PIPELINED = 64
"""Requests on one connection that wait for the answer to the one before."""

LINGER_S = 2.0
"""How long a client may go on sending after a refusal; closed at once, it might never read why."""

SENT_BYTES = 1_048_576
"""Of a large answer, its client fetches as much within `timeout`, or is given up."""


class _Refused(Exception):
    """Ends the parsing of a request that is refused."""


class Connection(HttpToolsProtocol):
    """One of them."""

    crowd: ClassVar[Crowd]
    _timer: asyncio.TimerHandle | None = None
    _sending: asyncio.TimerHandle | None = None
    _loose_bytes = 0
    """Received since the last part of a body, or since a head was whole."""
    _in_head = True
    _refused = False
    _ended = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Called once, by the loop."""
        self._parts: list[bytes] = []
        self._writes = JoinedWrites(transport, self.loop)
        super().connection_made(transport)
        if self.crowd.make_room(self, len(self.connections)):
            self._wait()
        else:
            self._refuse(503, f"overloaded: {self.crowd.most} connections are busy ([serve] max_connections)")

    def connection_lost(self, exc: Exception | None) -> None:
        """Called once, by the loop."""
        self._awake()
        self._unset_keepalive_if_required()
        self.crowd.forget(self)
        self.crowd.service.intake.memory.unsent.discard(self.transport)
        if self._sending is not None:
            self._sending.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Called by the loop with whatever came."""
        if self._refused or self._ended:
            return  # nothing that comes now is answered
        self._unset_keepalive_if_required()
        self._loose_bytes += len(data)
        try:
            self.parser.feed_data(data)
            self._hand_on()
        except httptools.HttpParserUpgrade:
            log.debug("a request to change the protocol is answered as if it had not asked")
        except httptools.HttpParserError:
            if not self._refused:
                self._refuse(400, "this is not HTTP")
        if self._refused:
            return
        if self._loose_bytes > self.crowd.service.settings.max_head:
            self._refuse(431, self._too_large())
        elif self._in_head and self._timer is None and not self._busy:
            self._wait()

    def on_headers_complete(self) -> None:
        """Called by the parser; a request begins."""
        if self._loose_bytes > self.crowd.service.settings.max_head or len(self.headers) > HEADERS:
            size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
            if size > self.crowd.service.settings.max_head or len(self.headers) > HEADERS:
                self._refuse(431, self._too_large())
        if len(self.pipeline) >= PIPELINED:
            self._refuse(503, f"more than {PIPELINED} requests wait for the answer to the one before")
        if self._refused:
            raise _Refused
        self._awake()
        self.crowd.waiting.pop(self, None)
        self._in_head = False
        self._loose_bytes = 0
        super().on_headers_complete()
        self.cycle.transport = self._writes  # type: ignore[assignment]
        if self.crowd.service.draining:
            self.cycle.keep_alive = False

    def on_body(self, body: bytes) -> None:
        """Called by the parser with a part of a body."""
        self._loose_bytes = 0
        self._parts.append(body)

    def on_message_complete(self) -> None:
        """Called by the parser at the end of a request."""
        self._hand_on()
        super().on_message_complete()
        self._in_head = True
        if not self._busy:  # it was answered before its end
            self._awake()

    def on_response_complete(self) -> None:
        """Called when the answer was written."""
        self._writes.flush()
        super().on_response_complete()
        if self.transport.is_closing():
            self._watch_sending()
        elif not self._in_head:
            self._arm()  # for the rest of a body that nobody reads
        elif not self.pipeline and not self._busy:
            self.crowd.wait(self)

    def pause_writing(self) -> None:
        """Called by the transport when much of an answer waits to be fetched."""
        super().pause_writing()
        self.crowd.service.intake.memory.unsent.add(self.transport)
        self._watch_sending()

    def resume_writing(self) -> None:
        """Called by the transport when most of it was fetched."""
        self._sent()
        super().resume_writing()

    def timeout_keep_alive_handler(self) -> None:
        """Called when an idle connection has been so for long."""
        self.close()

    def shutdown(self) -> None:
        """Called when the service stops: an idle connection ends, a busy one once its request is answered."""
        if self._busy:
            self.cycle.keep_alive = False
        else:
            self.close()

    def close(self) -> None:
        """Close; what was written is still sent, if its client fetches it."""
        self._ended = True
        self._awake()
        self.crowd.forget(self)
        if not self.transport.is_closing():
            self.transport.close()
            self._watch_sending()

    def abort(self) -> None:
        """Close; what was written may be lost."""
        self.crowd.forget(self)
        self.transport.abort()

    def _hand_on(self) -> None:
        """Parts of a body that came together are one to uvicorn, for which each is work: there may be thousands."""
        if self._parts:
            whole = b"".join(self._parts)
            self._parts.clear()
            super().on_body(whole)

    @property
    def _busy(self) -> bool:
        # uvicorn has None before the first request, whatever its types say.
        return self.cycle is not None and not self.cycle.response_complete  # type: ignore[redundant-expr]

    def _wait(self) -> None:
        """It is silent from now on."""
        self.crowd.wait(self)
        self._arm()

    def _arm(self) -> None:
        self._awake()
        self._timer = self.loop.call_later(self.crowd.service.settings.head_timeout, self._late)

    def _awake(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _late(self) -> None:
        self._timer = None
        if self._busy:
            self._arm()  # the answer before it comes first
        else:
            self.close()

    def _too_large(self) -> str:
        most = self.crowd.service.settings.max_head
        return f"the head is larger than {most} bytes ([serve] max_head), or has more than {HEADERS} fields"

    def _refuse(self, status: int, message: str) -> None:
        """Say why, read no more, and close when the client is done."""
        self._refused = True
        self._awake()
        self.crowd.forget(self)
        if self._busy:  # its answer can't be followed by another one
            self.abort()
            return
        body = json.dumps({"error": message}).encode()
        head = (
            f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\ncontent-type: application/json\r\n"
            f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        if self.transport.can_write_eof():
            self.transport.write_eof()
            self.crowd.linger(self)
            self._timer = self.loop.call_later(LINGER_S, self.abort)
        else:
            self.close()

    def _watch_sending(self, before: int | None = None) -> None:
        """Give up a client that does not fetch its answer."""
        waiting = self.transport.get_write_buffer_size()
        if not waiting:
            return
        if before is not None and before - waiting < SENT_BYTES:
            self.transport.abort()
        elif self._sending is None or before is not None:
            self._sending = self.loop.call_later(
                self.crowd.service.settings.timeout, self._watch_sending, waiting
            )

    def _sent(self) -> None:
        self.crowd.service.intake.memory.unsent.discard(self.transport)
        if self._sending is not None and not self.transport.is_closing():
            self._sending.cancel()
            self._sending = None


def connection_type(crowd: Crowd) -> type[Connection]:
    """The connections of one service, as uvicorn asks for them."""
    return type("ServedConnection", (Connection,), {"crowd": crowd})
