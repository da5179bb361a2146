"""What a worker's web is asked, and by whom its token is seen."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from stream.settings import Secret, Settings, WebSettings
from stream.tasks import ask_worker, statuses, web_url
from tests.authority import Authority

OK = b"HTTP/1.0 200 OK\r\n\r\n"


@contextmanager
def answering(
    status: int, body: bytes, headers: dict[str, str] | None = None, tls: ssl.SSLContext | None = None
) -> Iterator[tuple[int, list[Any]]]:
    """A web that gives one answer; its port, and the headers of what it was asked."""
    seen: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            """The answer."""
            seen.append(self.headers)
            self.send_response(status)
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        thread = Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield server.server_port, seen
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("answer", "reason"),
    [(b"", "no worker answers"), (b"*1\r\n", "no worker answers"), (OK + b"[]", "status")],
)
def test_what_answers_and_is_not_a_worker_is_named(answer: bytes, reason: str) -> None:
    """A port of something else, one that hangs up too, is a reason and not a crash."""
    with socket.create_server(("127.0.0.1", 0)) as server, ThreadPoolExecutor(1) as pool:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        asked = pool.submit(ask_worker, url)
        connection, _ = server.accept()
        with connection:
            connection.recv(1 << 16)
            connection.sendall(answer)

        told = asked.result()
    assert isinstance(told, str)
    assert told.startswith(url)
    assert reason in told


class TestToken:
    """Who sees it."""

    def test_own_worker_is_asked_with_the_token(self) -> None:
        """A web that asks for it is asked with it."""
        with answering(200, b'{"model": "m@1"}') as (port, seen):
            found, silent = statuses(Settings(web=WebSettings(port=port, token=Secret("hush"))))

        assert ([{"model": "m@1"}], []) == (found, silent)
        assert ["Bearer hush"] == [one["Authorization"] for one in seen]

    def test_redirect_gets_nothing(self) -> None:
        """Another door that the first one names is not asked, and sees no token."""
        with (
            answering(200, b"{}") as (thief, stolen),
            answering(302, b"", {"Location": f"http://127.0.0.1:{thief}/api/status"}) as (port, _),
        ):
            found, [reason] = statuses(Settings(web=WebSettings(port=port, token="hush")))

        assert ([], []) == (found, stolen)
        assert "hush" not in reason

    def test_proxy_of_the_environment_is_not_asked(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """It can't reach this machine's loopback, and would see the token."""
        with answering(200, b"{}") as (proxy, stolen), answering(200, b"{}") as (port, _):
            monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy}")
            found, _ = statuses(Settings(web=WebSettings(port=port, token="hush")))

        assert ([{}], []) == (found, stolen)


class TestTls:
    """A web with a certificate."""

    @pytest.mark.parametrize("own", [True, False])
    def test_own_certificate_alone_is_trusted(self, tmp_path: Path, own: bool) -> None:
        """Whatever name it is for; another of the same authority sees no token."""
        authority = Authority(tmp_path)
        ours, theirs = authority.issue("ours"), authority.issue("theirs")
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(*(ours if own else theirs))
        with ours[0].open("ab") as chain:
            chain.write(authority.ca.read_bytes())
        with answering(200, b"{}", tls=tls) as (port, seen):
            web = WebSettings(host="localhost", port=port, certificate=ours[0], token="hush")
            found, silent = statuses(Settings(web=web))

        assert own == bool(found) == bool(seen) != bool(silent)

    def test_addresses_are_written_as_urls_have_them(self) -> None:
        """IPv6 in brackets; https with a certificate."""
        web = WebSettings(host="::1", port=7, certificate=Path("c.pem"))

        assert "https://[::1]:7" == web_url(Settings(web=web))
