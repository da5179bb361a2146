"""
A schema registry in memory that answers as Confluent's does, GUIDs included, which Apicurio 2 does not know.

It judges no compatibility. `tests/kafka/test_registry.py` holds it to the same answers as the real one.
"""

from __future__ import annotations

import json
import re
import ssl
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

import httpx

__all__ = ["Answer", "Memory", "served"]

TYPE = "application/vnd.schemaregistry.v1+json"


@dataclass(frozen=True)
class Answer:
    """Status, body and headers."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Schema:
    id: int
    text: str
    references: tuple[dict[str, Any], ...]
    kind: str

    @property
    def guid(self) -> str:
        return str(uuid.uuid5(uuid.NAMESPACE_OID, self.text))

    def shown(self) -> dict[str, Any]:
        found: dict[str, Any] = {"schema": self.text, "guid": self.guid}
        found |= {"schemaType": self.kind} if self.kind != "AVRO" else {}
        return found | ({"references": list(self.references)} if self.references else {})


class Memory:
    """
    The registry. `transport` carries httpx's requests to it.

    Attributes:
        calls: method and path of every request, in order.
        script: answers (or exceptions, to raise) for the next requests, before the registry's own.
        requests: every request that came through `transport`.
    """

    def __init__(self) -> None:
        """With nothing registered."""
        self.subjects: dict[str, dict[int, _Schema]] = {}
        self.calls: list[str] = []
        self.script: list[Answer | Exception] = []
        self.requests: list[httpx.Request] = []

    def register(
        self,
        subject: str,
        text: str,
        references: list[dict[str, Any]] | None = None,
        kind: str = "AVRO",
    ) -> int:
        """Add a version; its id. The same schema has the same id everywhere."""
        every = [one for versions in self.subjects.values() for one in versions.values()]
        given = tuple(references or ())
        known = next((one for one in every if (one.text, one.references) == (text, given)), None)
        made = known or _Schema(1 + max((one.id for one in every), default=0), text, given, kind)
        versions = self.subjects.setdefault(subject, {})
        if made not in versions.values():
            versions[1 + max(versions, default=0)] = made
        return made.id

    def guid(self, schema_id: int) -> str:
        """The GUID of an id."""
        return next(one.guid for v in self.subjects.values() for one in v.values() if one.id == schema_id)

    @property
    def transport(self) -> httpx.MockTransport:
        """For `Connection`."""

        def answer(request: httpx.Request) -> httpx.Response:
            self.requests.append(request)
            path = request.url.raw_path.decode()
            found = self.answer(request.method, path, request.content)
            return httpx.Response(found.status, stream=httpx.ByteStream(found.body), headers=found.headers)

        return httpx.MockTransport(answer)

    def answer(self, method: str, path: str, body: bytes) -> Answer:
        """What the registry says."""
        self.calls.append(f"{method} {path}")
        if self.script:
            planned = self.script.pop(0)
            if isinstance(planned, Exception):
                raise planned
            return planned
        parts = urlsplit(path)
        for wanted, pattern, handler in self._routes:
            found = re.fullmatch(pattern, parts.path)
            if wanted == method and found:
                return handler(
                    self, *map(unquote, found.groups()), **({"body": json.loads(body)} if body else {})
                )
        return _json(404, {"error_code": 404, "message": "HTTP 404 Not Found"})

    def _by_id(self, schema_id: str) -> Answer:
        found = [s for v in self.subjects.values() for s in v.values() if str(s.id) == schema_id]
        return _json(200, found[0].shown()) if found else _missing(40403, "Schema not found")

    def _by_guid(self, guid: str) -> Answer:
        found = [s for v in self.subjects.values() for s in v.values() if s.guid == guid]
        return _json(200, found[0].shown()) if found else _missing(40403, "Schema not found")

    def _subjects_of(self, schema_id: str) -> Answer:
        found = [
            {"subject": subject, "version": number}
            for subject, versions in self.subjects.items()
            for number, schema in versions.items()
            if str(schema.id) == schema_id
        ]
        return _json(200, found) if found else _missing(40403, "Schema not found")

    def _versions(self, subject: str) -> Answer:
        versions = self.subjects.get(subject)
        return _json(200, list(versions)) if versions else _missing(40401, f"Subject '{subject}' not found.")

    def _version(self, subject: str, number: str) -> Answer:
        versions = self.subjects.get(subject, {})
        if not versions:
            return _missing(40401, f"Subject '{subject}' not found.")
        version = max(versions) if number == "latest" else int(number)
        if version not in versions:
            return _missing(40402, f"Version {number} not found.")
        return _json(200, self._shown(subject, version))

    def _shown(self, subject: str, version: int) -> dict[str, Any]:
        schema = self.subjects[subject][version]
        return {"subject": subject, "version": version, "id": schema.id, **schema.shown()}

    def _held(self, subject: str, body: dict[str, Any]) -> Answer:
        if subject not in self.subjects:
            return _missing(40401, f"Subject '{subject}' not found.")
        given = (body["schema"], tuple(body.get("references") or ()))
        for version, schema in self.subjects[subject].items():
            if (schema.text, schema.references) == given:
                return _json(200, self._shown(subject, version))
        return _missing(40403, "Schema not found")

    def _register(self, subject: str, body: dict[str, Any]) -> Answer:
        made = self.register(subject, body["schema"], body.get("references"), body.get("schemaType", "AVRO"))
        shown = next(s.shown() for s in self.subjects[subject].values() if s.id == made)
        return _json(200, {"id": made, **shown})

    _routes: tuple[tuple[str, str, Callable[..., Answer]], ...] = (
        ("GET", r"/schemas/ids/(\d{1,10})", _by_id),
        ("GET", r"/schemas/guids/([^/]+)", _by_guid),
        ("GET", r"/schemas/ids/(\d{1,10})/versions", _subjects_of),
        ("GET", r"/subjects/([^/]+)/versions", _versions),
        ("GET", r"/subjects/([^/]+)/versions/([^/]+)", _version),
        ("POST", r"/subjects/([^/]+)", _held),
        ("POST", r"/subjects/([^/]+)/versions", _register),
    )


def _json(status: int, body: Any) -> Answer:
    return Answer(status, json.dumps(body).encode(), {"Content-Type": TYPE})


def _missing(code: int, message: str) -> Answer:
    return _json(404, {"error_code": code, "message": message})


@contextmanager
def served(memory: Memory, context: ssl.SSLContext | None = None) -> Iterator[str]:
    """The registry on a port of the loopback, with TLS where a context is given; its address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            found = memory.answer(self.command, self.path, body)
            self.send_response(found.status)
            for name, value in {**found.headers, "Content-Length": str(len(found.body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(found.body)

        do_GET = do_POST = _answer  # noqa: N815 - the names that http.server looks for

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: `calls` has it."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def finish_request(self, request: Any, address: Any) -> None:
            # In the connection's own thread: a client that breaks off its handshake holds up no other.
            with suppress(ssl.SSLError, ConnectionError):
                held = context.wrap_socket(request, server_side=True) if context else request
                super().finish_request(held, address)
                if context:
                    held.close()

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"{'https' if context else 'http'}://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
