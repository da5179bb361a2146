"""A registry behind a socket that sends too slowly, too much, or elsewhere: each call is bounded as a whole."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress

import pytest

from stream.errors import BrokerRefused, Retriable, SchemaError, SettingsError, StreamError
from stream.registry import Connection
from stream.registry.calls import CUT_S
from stream.settings import RegistrySettings, Seconds

LIMIT_S = 0.3

Send = Callable[[socket.socket, threading.Event], object]


@contextmanager
def hostile(send: Send) -> Iterator[tuple[str, list[bytes]]]:
    """A server that answers each request so; its address, and the requests' heads."""
    over, heads = threading.Event(), list[bytes]()

    def serve() -> None:
        while True:
            try:
                client, _ = server.accept()
            except OSError:
                return
            heads.append(client.recv(65_536))
            threading.Thread(target=answer, args=(client,), daemon=True).start()

    def answer(client: socket.socket) -> None:
        with client, suppress(OSError):
            send(client, over)

    server = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.getsockname()[1]}", heads
    finally:
        over.set()
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join()


def drip(beginning: bytes, part: bytes) -> Send:
    """Sends a little, again and again."""

    def send(client: socket.socket, over: threading.Event) -> None:
        client.sendall(beginning)
        while not over.wait(0.05):
            client.sendall(part)

    return send


def flood(beginning: bytes, part: bytes) -> Send:
    """Sends as fast as it is taken."""

    def send(client: socket.socket, over: threading.Event) -> None:
        client.sendall(beginning)
        while not over.is_set():
            client.sendall(part)

    return send


def silence(client: socket.socket, over: threading.Event) -> None:
    """Says nothing."""
    over.wait()


HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


class TestLimits:
    @pytest.mark.parametrize(
        "send",
        [
            drip(HEAD, b"X: a\r\n"),
            drip(b"H", b"T"),
            drip(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
            drip(CHUNKED, b"1\r\n \r\n"),
            drip(HEAD + b"Content-Length: 1000000\r\n\r\n", b" "),
            drip(HEAD + b"\r\n", b" "),
            silence,
        ],
        ids=["head", "status", "informational", "chunks", "body", "unbounded", "silence"],
    )
    def test_drip_ends_with_the_time(self, send: Send) -> None:
        """However often something comes: the whole call has one limit, and its thread ends with it."""
        before = threading.active_count()
        with hostile(send) as (url, _):
            line = Connection(RegistrySettings(url=url, timeout=Seconds(LIMIT_S)))
            began = time.monotonic()
            with line.within(LIMIT_S), pytest.raises(Retriable, match="takes longer|no answer|no time"):
                line.get("/schemas/ids/1")
            took = time.monotonic() - began
            line.close()

        assert LIMIT_S + CUT_S + 3 > took  # a pause of the machine included
        while threading.active_count() > before:
            time.sleep(0.01)

    @pytest.mark.parametrize(
        ("send", "kind"),
        [
            (flood(CHUNKED, b"100000\r\n" + b" " * 0x100000 + b"\r\n"), SchemaError),
            (flood(HEAD + b"Content-Length: 99999999999\r\n\r\n", b" " * 65_536), SchemaError),
            (flood(HEAD, b"X: " + b"a" * 1_000 + b"\r\n"), Retriable),
            (flood(b"", b"a" * 65_536), Retriable),
        ],
        ids=["chunks", "body", "head", "line"],
    )
    def test_flood_ends_with_the_size(self, send: Send, kind: type[StreamError]) -> None:
        """Neither is kept: a body that is no schema's, a head that has no end."""
        with hostile(send) as (url, _):
            line = Connection(RegistrySettings(url=url, timeout=Seconds(20.0)), pause=lambda _: None)
            with pytest.raises(kind):
                line.get("/schemas/ids/1")
            line.close()

    def test_packed_answer_is_not_unpacked(self) -> None:
        """Two bytes may be gigabytes."""

        def send(client: socket.socket, over: threading.Event) -> None:
            client.sendall(HEAD + b"Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n\x1f\x8b")

        with hostile(send) as (url, heads):
            line = Connection(RegistrySettings(url=url))
            with pytest.raises(BrokerRefused, match="not JSON"):
                line.get("/schemas/ids/1")
            line.close()

        assert b"accept-encoding: identity" in heads[0].lower()

    @pytest.mark.parametrize(
        "status", ["300 Multiple Choices", "302 Found", "304 Not Modified", "308 Permanent"]
    )
    def test_redirect_to_nowhere_is_refused_as_no_answer_of_a_registry(self, status: str) -> None:
        """Without a `Location` there is nothing to be named; the record waits for nobody."""
        answer = f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode()
        with hostile(lambda client, _: client.sendall(answer)) as (url, _):
            connection = Connection(RegistrySettings(url=url))

            with closing(connection), pytest.raises(BrokerRefused, match=status[:3]):
                connection.get("/schemas/ids/1")

    def test_redirect_carries_no_credentials_elsewhere(self) -> None:
        """The other place is not asked at all."""
        with hostile(silence) as (thief, stolen):

            def send(client: socket.socket, over: threading.Event) -> None:
                client.sendall(
                    b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " + thief.encode() + b"/\r\n\r\n"
                )

            with hostile(send) as (url, heads):
                line = Connection(RegistrySettings(url=url, token="hush"))
                with pytest.raises(BrokerRefused, match="not followed"):
                    line.get("/schemas/ids/1")
                line.close()

        assert b"Bearer hush" in heads[0]
        assert [] == stolen


@pytest.mark.parametrize(
    "proxy", ["socks5://u:hunter2@proxy:1", "ftp://u:hunter2@proxy", "http://u:hunter2@[::1"]
)
def test_proxy_that_cannot_be_used_is_refused_and_not_quoted(
    proxy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The variables are named; their values may hold a password."""
    monkeypatch.setenv("ALL_PROXY", proxy)

    with pytest.raises(SettingsError, match="ALL_PROXY") as caught:
        Connection(RegistrySettings(url="http://registry.example"))

    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("url", ["https:/u:hunter2@host", "u:hunter2@host:8081", "https://host/u:hunter2@x"])
def test_address_with_a_password_anywhere_is_not_quoted(url: str) -> None:
    """With a slash too few, too."""
    with pytest.raises(SettingsError, match="holds a user") as caught:
        Connection(RegistrySettings(url=url))

    assert "hunter2" not in str(caught.value)
