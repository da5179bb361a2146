"""A server that shows the live page what a test says, and breaks when a test says so."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from stream.live import EVENT_HEADERS, page_files

__all__ = ["PageServer"]


class PageServer:
    """Use as a context manager."""

    def __init__(self, snapshot: dict[str, Any], token: str | None = None) -> None:
        """
        Args:
            snapshot: what is sent first.
            token: asked for; None = none.
        """
        self.snapshot = snapshot
        self.token = token
        self.away = False
        self.refusal = ""
        self.viewers = 0
        self.asked: list[str] = []
        self.changed = threading.Condition()
        server = self

        class Handler(_Handler):
            """Of this server."""

            page_server = server

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}/"

    def __enter__(self) -> PageServer:
        threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.cut()
        self._http.shutdown()
        self._http.server_close()

    def show(self, snapshot: dict[str, Any]) -> None:
        """Send another snapshot to all viewers, now."""
        with self.changed:
            self.snapshot = snapshot
            self.changed.notify_all()

    def cut(self) -> None:
        """End every stream, and answer 503 until `back`."""
        with self.changed:
            self.away = True
            self.changed.notify_all()

    def back(self) -> None:
        """Answer again."""
        self.away = False


class _Handler(BaseHTTPRequestHandler):
    page_server: PageServer

    def do_GET(self) -> None:
        server = self.page_server
        server.asked.append(self.path)
        if self.path == "/live/events":
            self._events(server)
            return
        file = page_files().get(self.path)
        if file is None:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        self._begin(file.headers)
        self.wfile.write(file.content)

    def _events(self, server: PageServer) -> None:
        given = self.headers.get("Authorization", "")
        if server.token is not None and given != f"Bearer {server.token}":
            self.send_error(HTTPStatus.UNAUTHORIZED)
            return
        if server.away:
            self.send_response(HTTPStatus.SERVICE_UNAVAILABLE)
            self.end_headers()
            self.wfile.write(json.dumps({"error": server.refusal}).encode())
            return
        self._begin(EVENT_HEADERS)
        server.viewers += 1
        try:
            self._stream(server)
        except (BrokenPipeError, ConnectionResetError):
            pass
        finally:
            server.viewers -= 1

    def _stream(self, server: PageServer) -> None:
        while not server.away:
            with server.changed:
                data = json.dumps(server.snapshot)
                self.wfile.write(f"event: state\ndata: {data}\n\n".encode())
                self.wfile.flush()
                server.changed.wait(1)

    def _begin(self, headers: Mapping[str, str]) -> None:
        self.send_response(HTTPStatus.OK)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: what was asked is kept in `asked`."""
