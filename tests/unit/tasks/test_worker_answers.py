"""What a worker's web is asked, and by whom its token is seen."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import BytesIO
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from stream import tasks
from stream.cli import main
from stream.settings import Secret, Settings, WebSettings
from stream.tasks import GroupStatus, NoStatus, status_of, statuses, web_url
from tests.authority import Authority

STATUS = b'{"model": "m@1", "instance": "i", "state": "running", "dead_letters": {"by_reason": {}}}'

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
    [
        (b"", "no worker answers"),
        (b"*1\r\n", "no worker answers"),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 9\r\n\r\n{", "expected JSON, found '{'"),
        (OK + b"[]", "expected a JSON object, found a list"),
    ],
    ids=["nothing", "not HTTP", "cut", "a list"],
)
def test_what_answers_and_is_not_a_worker_is_named(answer: bytes, reason: str) -> None:
    """A port of something else, one that hangs up too, is a reason and not a crash."""
    with socket.create_server(("127.0.0.1", 0)) as server, ThreadPoolExecutor(1) as pool:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        asked = pool.submit(status_of, url)
        connection, _ = server.accept()
        with connection:
            connection.recv(1 << 16)
            connection.sendall(answer)

        told = asked.result()
    assert isinstance(told, NoStatus)
    assert told.reason.startswith(url)
    assert reason in told.reason


def test_answer_without_an_end_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of its bytes comes in time, and the time of all of them is over."""
    monkeypatch.setattr("stream.tasks.worker_answers.ANSWER_S", 0.05)
    monkeypatch.setattr("stream.background.GRACE_S", 0.05)
    over = Event()

    class Drops(BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            """Not before the test is over."""
            over.wait()
            return b"{}"

    told = status_of("http://127.0.0.1:1", lambda *_, **__: closing(Drops()))
    over.set()

    assert NoStatus("http://127.0.0.1:1/api/status: no worker answers (the answer has no end)") == told


@pytest.mark.parametrize("url", ["file:///etc/hostname", "127.0.0.1:6066", "ftp://127.0.0.1", ""])
def test_address_of_no_web_is_refused(url: str) -> None:
    """No file is read in place of a worker's answer."""
    told = status_of(url)

    assert isinstance(told, NoStatus)
    assert "such as http://127.0.0.1:6066" in told.reason


class TestForeignAnswer:
    """`stream status` at an address where something else answers."""

    @pytest.fixture(autouse=True)
    def group(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        """A group on a cluster that answers."""
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(tasks, "observe_group", lambda *_: GroupStatus("g", [], 0.0, 0))

    @pytest.mark.parametrize(
        ("status", "body", "reason"),
        [
            (200, b"[1]", "expected a JSON object, found a list"),
            (200, b"7", "found a number"),
            (200, b"null", "found null"),
            (200, b'"up"', "found a text"),
            (200, b"true", "found a boolean"),
            (200, b"", "expected JSON, found ''"),
            (200, b"<html>hello", "expected JSON, found '<html>hello'"),
            (200, b"\xff\x1b]0;", "expected JSON, found '\ufffd\\x1b]0;'"),
            (200, b"[" * 100_000, "expected JSON, found '[[[["),
            (200, b"9" * 5_000, "expected JSON, found '9999"),
            (200, b"{}", "no 'model'"),
            (200, STATUS.replace(b'"m@1"', b"null"), "no 'model'"),
            (200, STATUS.replace(b'"instance"', b'"name"'), "no 'instance'"),
            (200, STATUS.replace(b'"running"', b"[]"), "no 'state'"),
            (200, STATUS.replace(b"dead_letters", b"letters"), "no 'dead_letters.by_reason'"),
            (200, STATUS.replace(b'{"by_reason": {}}', b"3"), "no 'dead_letters.by_reason'"),
            (200, STATUS.replace(b'"by_reason": {}', b'"by_reason": []'), "no 'dead_letters.by_reason'"),
            (302, b"", "answers 302 Found, and redirects are not followed"),
            (401, b"{}", "answers 401 Unauthorized: give the worker's [web] token"),
            (404, STATUS, "answers 404 Not Found: not a worker's web"),
            (500, b"", "answers 500 Internal Server Error"),
        ],
    )
    def test_it_is_named_with_what_was_found(
        self, status: int, body: bytes, reason: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Exit 1, also in the place of the configuration's own worker."""
        with answering(status, body, {"Location": "/"}) as (port, _):
            Path("stream.toml").write_text(f"[web]\nport = {port}\n")
            for given in (["--worker", f"http://127.0.0.1:{port}"], []):
                with pytest.raises(SystemExit) as ended:
                    main(["status", "--config", "stream.toml", *given])

                said = capsys.readouterr().err
                assert 1 == ended.value.code
                assert said.startswith(f"http://127.0.0.1:{port}")
                assert reason in said

    def test_status_is_shown(self, capsys: pytest.CaptureFixture[str]) -> None:
        """A worker's, with exit 0."""
        with answering(200, STATUS) as (port, _), pytest.raises(SystemExit) as ended:
            main(["status", "--worker", f"http://127.0.0.1:{port}"])

        assert 0 == ended.value.code
        assert "worker i: running, dead letters by reason: none" in capsys.readouterr().out


class TestToken:
    """Who sees it."""

    def test_own_worker_is_asked_with_the_token(self) -> None:
        """A web that asks for it is asked with it."""
        with answering(200, STATUS) as (port, seen):
            found, silent = statuses(Settings(web=WebSettings(port=port, token=Secret("hush"))))

        assert ("m@1", []) == (found[0]["model"], silent)
        assert ["Bearer hush"] == [one["Authorization"] for one in seen]

    def test_redirect_gets_nothing(self) -> None:
        """Another door that the first one names is not asked, and sees no token."""
        with (
            answering(200, b"{}") as (thief, stolen),
            answering(302, b"", {"Location": f"http://127.0.0.1:{thief}/api/status"}) as (port, _),
        ):
            found, [reason] = statuses(Settings(web=WebSettings(port=port, token="hush")))

        assert ([], []) == (found, stolen)
        assert "hush" not in reason.reason

    def test_proxy_of_the_environment_is_not_asked(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """It can't reach this machine's loopback, and would see the token."""
        with answering(200, b"{}") as (proxy, stolen), answering(200, STATUS) as (port, _):
            monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy}")
            found, _ = statuses(Settings(web=WebSettings(port=port, token="hush")))

        assert (1, []) == (len(found), stolen)


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
        with answering(200, STATUS, tls=tls) as (port, seen):
            web = WebSettings(host="localhost", port=port, certificate=ours[0], token="hush")
            found, silent = statuses(Settings(web=web))

        assert own == bool(found) == bool(seen) != bool(silent)

    def test_addresses_are_written_as_urls_have_them(self) -> None:
        """IPv6 in brackets; https with a certificate."""
        web = WebSettings(host="::1", port=7, certificate=Path("c.pem"))

        assert "https://[::1]:7" == web_url(Settings(web=web))
