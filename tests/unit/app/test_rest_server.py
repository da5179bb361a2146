"""The server of `stream serve`, in this process: what connections may do, and how it ends."""

from __future__ import annotations

import json
import signal
import socket
import ssl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from stream.app.rest_connection import HEADERS, PIPELINED
from stream.app.rest_crowd import SHAKING, TlsListener
from stream.app.rest_process import Rest, build_rest, server_of
from stream.app.rest_server import Server
from tests.authority import Authority
from tests.kafka.process import wait_for
from tests.unit.rest.models import GIVEN, LET, NEVER, pack_people, settings_for

PING = b"GET /ping HTTP/1.1\r\nHost: x\r\n\r\n"
HEAD = b"GET /ping HTTP/1.1\r\nHost: x\r\nX-A: "


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The classifier of people."""
    return pack_people(tmp_path_factory.mktemp("server") / "people")


class Listening:
    """A service in a thread, and its clients."""

    def __init__(self, server: Server, rest: Rest, address: Any) -> None:
        self.server, self.rest, self.address = server, rest, address
        self._clients = ExitStack()

    def connect(self) -> socket.socket:
        """A connection; it ends with the test."""
        return self._clients.enter_context(socket.create_connection(self.address, timeout=20))

    def ask(self, request: bytes, client: socket.socket | None = None) -> bytes:
        """Send something; what comes back at first."""
        client = client or self.connect()
        client.sendall(request)
        return client.recv(65_536)

    def close(self) -> None:
        """End the clients."""
        self._clients.close()

    @property
    def held(self) -> int:
        """Connections."""
        return len(self.server.server_state.connections)


@contextmanager
def listening(package: Path, *, send_buffer: int | None = None, **serve: Any) -> Iterator[Listening]:
    """A service that listens on a free port."""
    settings = settings_for(package, **serve)
    rest = build_rest(settings)
    server = server_of(settings, rest)
    claimed = socket.create_server(("127.0.0.1", 0))
    if send_buffer:
        claimed.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer)
    door = Listening(server, rest, claimed.getsockname())
    running = Thread(target=server.run, args=([claimed],))
    running.start()
    try:
        wait_for(lambda: server.started, 20, "the service to listen")
        yield door
    finally:
        LET.set()
        door.close()
        server.should_exit = True
        running.join(20)
        LET.clear()
    assert not running.is_alive()


def predict(row: dict[str, object], **headers: str) -> bytes:
    """A request with a row."""
    body = json.dumps(row).encode()
    head = {"Content-Type": "application/json", "Content-Length": str(len(body)), **headers}
    lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
    return f"POST /predict HTTP/1.1\r\nHost: x\r\n{lines}\r\n".encode() + body


def ends(client: socket.socket, request: bytes = b"") -> bool:
    """Whether the connection is closed by the other end, whatever it says before."""
    try:
        client.sendall(request)
        while client.recv(65_536):
            pass
    except (ConnectionResetError, BrokenPipeError):
        pass
    return True


@pytest.mark.parametrize(
    "more",
    [
        HEAD + b"a" * 100_000,
        b"GET /" + b"a" * 100_000,
        b"GET /ping HTTP/1.1\r\n" + b"X: y\r\n" * (HEADERS + 1) + b"\r\n",
        b"GET /ping HTTP/1.1\r\n" + b"X: y\r\n" * 20_000,
        HEAD + b"a" * 70_000 + b"\r\n\r\n",
        b"\r\n" * 50_000,
    ],
    ids=["one header", "path", "fields", "many fields", "whole", "empty lines"],
)
def test_endless_head_is_431(package: Path, more: bytes) -> None:
    """However it goes on; others are answered, and nothing is kept of it."""
    with listening(package) as door:
        client = door.connect()
        answer = door.ask(more, client)

        assert answer.startswith(b"HTTP/1.1 431 "), answer[:80]
        assert b"connection: close" in answer
        assert ends(client)
        assert door.ask(PING).startswith(b"HTTP/1.1 200 ")


def test_what_goes_on_without_end_after_a_head_is_431_too(package: Path) -> None:
    """A trailer behind a body in chunks, the extension of a chunk."""
    head = b"POST /predict HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    with listening(package) as door:
        for begin in (head + b"2\r\n{}\r\n0\r\nX: ", head + b"2;x="):
            assert ends(door.connect(), begin + b"a" * 1_000_000)


def test_an_answer_is_one_packet(package: Path) -> None:
    """A client wakes up once for its head and its body."""
    body = json.dumps(GIVEN).encode()
    request = b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    with listening(package) as service:
        answer = service.ask(request)

    head, _, content = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")
    assert "label" in json.loads(content)


def test_silent_connections_are_closed(package: Path) -> None:
    """One that says nothing, one that stops within a head, one that goes on with empty lines after an answer."""
    with listening(package, head_timeout=2) as door:
        silent, half, asked = (door.connect() for _ in range(3))
        half.sendall(HEAD)
        assert door.ask(PING, asked).startswith(b"HTTP/1.1 200 ")
        asked.sendall(b"\r\n")

        assert [b"", b"", b""] == [client.recv(10) for client in (silent, half, asked)]


def test_body_of_tiny_chunks_is_no_more_work_than_one_of_large_ones(
    package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that come together are one part to the server; else a few clients would keep it from all others."""
    parts: list[bytes] = []
    on_body = HttpToolsProtocol.on_body

    def counted(connection: HttpToolsProtocol, body: bytes) -> None:
        parts.append(body)
        on_body(connection, body)

    monkeypatch.setattr(HttpToolsProtocol, "on_body", counted)
    body = b" " * 20_000 + json.dumps(GIVEN).encode()
    head = b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in body)
    with listening(package) as door:
        answer = door.ask(head + chunks + b"0\r\n\r\n")

    assert answer.startswith(b"HTTP/1.1 200 "), answer[:80]
    assert body == b"".join(parts)
    assert len(parts) < 1_000


def test_body_that_nobody_reads_has_to_end(package: Path) -> None:
    """After a 413 the rest of a body may come, but not for ever; the same after a 504."""
    with listening(package, head_timeout=0.3, timeout=0.3, max_body=100) as door:
        large, slow = door.connect(), door.connect()
        large.sendall(predict(GIVEN, **{"Content-Length": "5000"}))
        slow.sendall(predict({}, **{"Content-Length": "90"}))

        answers = [b"".join(iter(lambda client=one: client.recv(65_536), b"")) for one in (large, slow)]  # type: ignore[misc]

    assert [b"HTTP/1.1 413 ", b"HTTP/1.1 504 "] == [answer[:13] for answer in answers]


def test_newcomer_takes_the_place_of_the_longest_silent(package: Path) -> None:
    """A crowd that says nothing does not keep a client out; one at work is never put out."""
    with listening(package, max_connections=5) as door:
        busy = door.connect()
        busy.sendall(predict({**GIVEN, "age": NEVER}))
        wait_for(lambda: door.rest.service.batcher.busy, 20, "the model to be asked")
        crowd = [door.connect() for _ in range(8)]
        assert [b""] * 4 == [client.recv(10) for client in crowd[:4]]

        assert door.ask(PING).startswith(b"HTTP/1.1 200 ")
        assert door.held <= 6
        LET.set()
        assert busy.recv(65_536).startswith(b"HTTP/1.1 200 ")


def test_newcomer_takes_the_place_of_the_longest_handshake(package: Path, tmp_path: Path) -> None:
    """Clients that say nothing where TLS should begin use up neither files nor room, and don't hold up the end."""
    authority = Authority(tmp_path)
    certificate, key = authority.issue("service")
    trusting = ssl.create_default_context(cafile=authority.ca)
    with listening(package, max_connections=2, certificate=certificate, key=key) as door:
        crowd = [door.connect() for _ in range(2 + SHAKING + 5)]
        assert [b""] * 5 == [client.recv(10) for client in crowd[:5]]

        with trusting.wrap_socket(door.connect(), server_hostname="127.0.0.1") as client:
            client.sendall(PING)
            assert client.recv(65_536).startswith(b"HTTP/1.1 200 ")
        (listener,) = door.server.servers
        assert isinstance(listener, TlsListener)
        assert len(listener.shaking) <= 2 + SHAKING


def test_newcomer_is_turned_away_where_all_are_busy(package: Path) -> None:
    """503, at once; the others get their answers."""
    with listening(package, max_connections=2) as door:
        busy = [door.connect() for _ in range(2)]
        for client in busy:
            client.sendall(predict({**GIVEN, "age": NEVER}))
        wait_for(lambda: door.rest.service.unanswered == 2, 20, "both to be taken")

        assert door.connect().recv(65_536).startswith(b"HTTP/1.1 503 ")
        LET.set()
        assert [b"HTTP/1.1 200 "] * 2 == [client.recv(65_536)[:13] for client in busy]


def test_requests_in_a_row_are_answered_up_to_a_number(package: Path) -> None:
    """Some may be sent before the first answer; thousands are no client's."""
    with listening(package) as door:
        client = door.connect()
        client.sendall(PING * PIPELINED)
        text = b""
        while text.count(b"HTTP/1.1 200 ") < PIPELINED:
            text += client.recv(65_536)

        assert ends(door.connect(), PING * 5_000)


def test_client_that_does_not_fetch_its_answer_is_given_up(package: Path) -> None:
    """What waits for it counts as held; when the time is up it is dropped."""
    with listening(package, timeout=0.3, send_buffer=4_096) as door:
        memory = door.rest.service.intake.memory
        door.connect().sendall(b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * PIPELINED)

        wait_for(lambda: len(memory.unsent) == 1, 20, "an answer to wait")
        wait_for(lambda: not memory.unsent and door.held == 0, 20, "the client to be given up")


def test_end_tells_clients_to_go_elsewhere_and_loses_no_request(package: Path) -> None:
    """Not ready, but live; every answer says that it is the last; idle connections stay for a while, then end."""
    with listening(package, drain_delay=0.6, drain_timeout=20.0) as door:
        idle, active, busy = (door.connect() for _ in range(3))
        for client in (idle, active):
            assert b"connection: close" not in door.ask(predict(GIVEN), client)
        busy.sendall(predict({**GIVEN, "age": NEVER}))
        wait_for(lambda: door.rest.service.batcher.busy, 20, "the model to be asked")
        door.server.handle_exit(signal.SIGTERM, None)
        ready = door.ask(b"GET /v2/health/ready HTTP/1.1\r\nHost: x\r\n\r\n")
        live = door.ask(b"GET /v2/health/live HTTP/1.1\r\nHost: x\r\n\r\n")
        active.sendall(predict(GIVEN))
        LET.set()
        answers = [ready, live, active.recv(65_536), busy.recv(65_536)]

        assert [b"503", b"200", b"200", b"200"] == [answer[9:12] for answer in answers]
        assert all(b"connection: close" in answer for answer in answers)
        assert b"" == idle.recv(10)
        assert b"" == active.recv(10)


EVENTS = b"GET /live/events HTTP/1.1\r\nHost: localhost\r\n\r\n"


def until_event(client: socket.socket) -> None:
    """Read up to a first snapshot."""
    found = b""
    while b"event: state" not in found:
        part = client.recv(65_536)
        assert part, found
        found += part


def test_viewers_of_the_live_page_hold_up_no_end(package: Path) -> None:
    """Each reads the end of its answer at once; the requests that are in flight are still answered."""
    with listening(package, drain_timeout=20.0) as door:
        viewers = [door.connect() for _ in range(4)]
        for viewer in viewers:
            viewer.sendall(EVENTS)
            until_event(viewer)
        busy = door.connect()
        busy.sendall(predict({**GIVEN, "age": NEVER}))
        wait_for(lambda: door.rest.service.batcher.busy, 20, "the model to be asked")
        door.server.handle_exit(signal.SIGTERM, None)

        assert all(ends(viewer) for viewer in viewers)
        assert door.rest.service.batcher.busy
        LET.set()
        assert busy.recv(65_536).startswith(b"HTTP/1.1 200 ")


def test_viewers_leave_room_for_requests(package: Path) -> None:
    """A quarter of the connections at most; one that leaves gives its place back."""
    with listening(package, max_connections=8) as door:
        viewers = [door.connect() for _ in range(2)]
        for viewer in viewers:
            viewer.sendall(EVENTS)
            until_event(viewer)

        assert door.ask(EVENTS).startswith(b"HTTP/1.1 503 ")
        assert door.ask(predict(GIVEN)).startswith(b"HTTP/1.1 200 ")

        viewers[0].close()
        audience = door.rest.audience
        assert audience is not None
        wait_for(lambda: len(audience) == 1, 20, "the place to be free again")
        assert door.ask(EVENTS).startswith(b"HTTP/1.1 200 ")
