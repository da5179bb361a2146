"""A server that speaks as much of MLflow's REST API as a model's copy needs, and can be made to misbehave."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from stream.mlflow import METADATA
from stream.store import MLMODEL

__all__ = ["PACKAGE", "RegistryDouble", "serving"]

PACKAGE = Path(__file__).parents[3] / "models/flights"
"""What its versions hold, unless a test says otherwise."""

_ARTIFACTS = "/api/2.0/mlflow-artifacts/artifacts"


Answer = tuple[int, bytes | Iterator[bytes]]
"""Its status and body; one that comes in pieces does not say how long it is."""


class RegistryDouble:
    """
    One registered model, `flights`.

    Attributes:
        folder: its versions' files, below `1`, `2` …
        aliases: names of versions.
        asked: paths of the requests that came.
        answer: called with a request's path before it is answered; may return a status and a body instead.
        renamed: how files are called when they are listed.
        headers: of each answer.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.aliases: dict[str, int] = {}
        self.asked: list[str] = []
        self.answer: Callable[[str], Answer | None] = lambda path: None
        self.renamed: Callable[[str], str] = lambda name: name
        self.headers: dict[str, str] = {}
        self.url = ""

    def add(self, package: Path, version: int, alias: str | None = None) -> Path:
        """Register a package as a version; returns the folder of its files."""
        files = self.folder / str(version)
        files.mkdir(parents=True)
        shutil.copytree(package, files / "package")
        (files / MLMODEL).write_text(f"metadata: {{{METADATA}: {{package: package}}}}\n")
        if alias:
            self.aliases[alias] = version
        return files

    def respond(self, path: str, query: dict[str, str]) -> Answer:
        """The answer to a request."""
        self.asked.append(path)
        instead = self.answer(path)
        if instead is not None:
            return instead
        if path.startswith(_ARTIFACTS):
            return self._artifacts(path.removeprefix(_ARTIFACTS).strip("/"), query)
        return self._model(path, query) if "/registered-models/" in path else self._version(path, query)

    def _model(self, path: str, query: dict[str, str]) -> tuple[int, bytes]:
        name = query.get("name")
        if path.endswith("/registered-models/alias"):
            version = self.aliases.get(query["alias"])
            if version is None or name != "flights":
                return _error(
                    400, "INVALID_PARAMETER_VALUE", f"Registered model alias {query['alias']} not found."
                )
            return _version(version)
        if path.endswith("/registered-models/get"):
            if name != "flights":
                return _error(404, "RESOURCE_DOES_NOT_EXIST", f"Registered Model with name={name} not found")
            aliases = [{"alias": alias, "version": str(number)} for alias, number in self.aliases.items()]
            return _ok({"registered_model": {"name": "flights", "aliases": aliases}})
        return _ok({"registered_models": [{"name": "flights"}]})

    def _version(self, path: str, query: dict[str, str]) -> tuple[int, bytes]:
        if not (self.folder / query.get("version", "-")).is_dir():
            return _error(404, "RESOURCE_DOES_NOT_EXIST", "Model Version not found")
        if path.endswith("/model-versions/get-download-uri"):
            return _ok({"artifact_uri": f"mlflow-artifacts:/{query['version']}"})
        return _version(int(query["version"]))

    def _artifacts(self, path: str, query: dict[str, str]) -> tuple[int, bytes]:
        if path:
            file = self.folder / unquote(path)
            return (200, file.read_bytes()) if file.is_file() else _error(404, "NOT_FOUND", "no such file")
        folder = self.folder / query["path"]
        found = sorted(folder.iterdir()) if folder.is_dir() else []
        files = [
            {"path": self.renamed(each.name), "is_dir": each.is_dir(), "file_size": each.stat().st_size}
            for each in found
        ]
        return _ok({"files": files})


def _version(number: int) -> tuple[int, bytes]:
    about = {"name": "flights", "version": str(number), "run_id": f"run{number}", "source": f"s{number}"}
    return _ok({"model_version": {**about, "creation_timestamp": 1_000 + number, "status": "READY"}})


def _ok(document: dict[str, Any]) -> tuple[int, bytes]:
    return 200, json.dumps(document).encode()


def _error(status: int, code: str, message: str) -> tuple[int, bytes]:
    return status, json.dumps({"error_code": code, "message": message}).encode()


@contextmanager
def serving(double: RegistryDouble) -> Iterator[RegistryDouble]:
    """Answer on a free port of the loopback until the end of the block."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            where = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(where.query).items()}
            status, body = double.respond(where.path, query)
            self.send_response(status)
            for name, value in double.headers.items():
                self.send_header(name, value)
            if isinstance(body, bytes):
                self.send_header("Content-Length", str(len(body)))
                body = iter([body])
            self.end_headers()
            with suppress(OSError):
                for piece in body:
                    self.wfile.write(piece)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        double.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield double
        finally:
            server.shutdown()
            thread.join()
