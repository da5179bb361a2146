"""`stream serve` as a process: no Kafka, no configuration but the model."""

from __future__ import annotations

import json
import sys
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.acceptance.process import END_S, READY_S, Process
from tests.kafka.process import free_ports
from tests.unit.rest.models import GIVEN, RAISES, pack_people

Serve = Callable[..., "Server"]


class Server(Process):
    """`stream serve` with a configuration of its own."""

    def __init__(self, folder: Path, package: Path, tables: Mapping[str, Mapping[str, Any]]) -> None:
        [self.port] = free_ports(1)
        self.url = f"http://127.0.0.1:{self.port}"
        config = folder / "serve.toml"
        lines = [f'[model]\nuri = "{package}"\nreload = "200ms"\n']
        for table, keys in tables.items():
            lines += [f"[{table}]", *(f"{key} = {json.dumps(value)}" for key, value in keys.items())]
        config.write_text("\n".join(lines))
        command = [sys.executable, "-m", "stream", "serve", "--config", str(config), "--port", str(self.port)]
        super().__init__("serve", command, folder)

    def ready(self) -> Server:
        """Block until it answers."""
        self.until(self._answers, READY_S, "it to answer /ping")
        return self

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/ping", timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def ask(self, row: Mapping[str, Any]) -> httpx.Response:
        """Its answer to one row."""
        return httpx.post(f"{self.url}/predict", json=row, timeout=30)


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A package of the test's own."""
    return pack_people(tmp_path / "people")


@pytest.fixture
def serve(tmp_path: Path, package: Path) -> Iterator[Serve]:
    """Starts a service; whatever still runs at the end of the test is killed."""
    with ExitStack() as stack:
        yield lambda **tables: stack.enter_context(Server(tmp_path, package, tables)).ready()


def test_sigterm_answers_what_is_in_flight_and_exits_0(serve: Serve) -> None:
    """A request that is being scored is answered; a connection that comes later is refused."""
    server = serve()
    with ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(server.ask, {**GIVEN, "age": age}) for age in range(8)]
        server.until(lambda: any(answer.done() for answer in answers), 30, "a first answer")
        server.terminate()
        taken = [answer.result() for answer in answers if answer.exception() is None]

    assert 0 == server.end(END_S), server.tail()
    assert {200} == {answer.status_code for answer in taken}
    assert "drained" in server.text()
    with pytest.raises(httpx.ConnectError):
        server.ask(GIVEN)


def test_row_error_and_health_over_the_wire(serve: Serve) -> None:
    """The process answers rows, errors of rows and probes as the unit tests' service does."""
    server = serve()

    assert {"label": "young", "score": 0.6, "model": "people@1"} == server.ask(GIVEN).json()
    assert 422 == server.ask({**GIVEN, "age": RAISES}).status_code
    assert 200 == httpx.get(f"{server.url}/v2/health/ready").status_code
