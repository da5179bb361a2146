"""A real schema registry (Apicurio, Confluent's API) on the loopback, with its schemas in memory."""

from __future__ import annotations

import json
import shutil
import tempfile
import urllib.error
import urllib.request
from pathlib import Path
from typing import Self

from tests.kafka.artifacts import find_java, registry_jars
from tests.kafka.process import Server, Started, free_ports, is_listening

__all__ = ["Registry"]

_START_S = 240
"""4-8 s alone on two cores; more beside a full test run."""

_ANSWER_S = 5
"""This registry can leave a connection hanging: every request has a limit."""


class Registry(Started):
    """One registry; compatibility is BACKWARD, as Confluent's is from the start."""

    def __init__(self) -> None:
        """Raises Unavailable when there is no Java or no way to the registry's jars."""
        java, jars = find_java(), registry_jars()
        self.folder = Path(tempfile.mkdtemp(prefix="registry-"))
        (self.port,) = free_ports(1)
        self.url = f"http://127.0.0.1:{self.port}/apis/ccompat/v7"
        command = _command(java, jars, self.port)
        self._server = Server("Schema registry", command, self.folder / "registry.log")

    def start(self) -> Self:
        """Start and block until it answers."""
        self._server.start(self._answers, _START_S)
        request = urllib.request.Request(
            f"{self.url}/config",
            method="PUT",
            data=json.dumps({"compatibility": "BACKWARD"}).encode(),
            headers={"Content-Type": "application/vnd.schemaregistry.v1+json"},
        )
        with urllib.request.urlopen(request, timeout=_ANSWER_S):
            return self

    def stop(self) -> None:
        """End it; its schemas are gone."""
        self._server.stop()

    def close(self) -> None:
        """End it and remove its folder."""
        self._server.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def tail(self, lines: int = 30) -> str:
        """The end of its log."""
        return self._server.tail(lines)

    def _answers(self) -> bool:
        if not is_listening(self.port):
            return False
        try:
            with urllib.request.urlopen(f"{self.url}/subjects", timeout=_ANSWER_S) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            return False


def _command(java: str, jars: Path, port: int) -> list[str]:
    properties = {
        "quarkus.http.host": "127.0.0.1",
        "quarkus.http.port": port,
        "registry.ccompat.use-canonical-hash": "true",  # the same schema again has the same id
    }
    runner = next(jars.glob("*-runner.jar"))
    return [java, "-Xmx256m", *(f"-D{key}={value}" for key, value in properties.items()), "-jar", str(runner)]
