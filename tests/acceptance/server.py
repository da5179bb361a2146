"""`stream serve` as a process."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from tests.acceptance.process import READY_S, Process
from tests.kafka.process import free_ports, is_listening
from tests.unit.rest.models import GATE

__all__ = ["Server"]


class Server(Process):
    """`stream serve` with a configuration of its own."""

    def __init__(
        self, folder: Path, package: Path, serve: Mapping[str, object] | None = None, scheme: str = "http"
    ) -> None:
        [self.port] = free_ports(1)
        self.url = f"{scheme}://127.0.0.1:{self.port}"
        config = folder / "serve.toml"
        keys = [f"{key} = {json.dumps(value)}" for key, value in (serve or {}).items()]
        config.write_text("\n".join([f'[model]\nuri = "{package}"\nreload = "200ms"\n[serve]', *keys]))
        command = [sys.executable, "-m", "stream", "serve", "--config", str(config), "--port", str(self.port)]
        self._gate = folder / "gate"
        super().__init__("serve", command, folder, {GATE: str(self._gate)})

    def ready(self) -> Server:
        """Block until it listens, which it does once it can answer."""
        self.until(lambda: is_listening(self.port), READY_S, "it to listen")
        return self

    def ask(self, row: Mapping[str, Any]) -> httpx.Response:
        """Its answer to one row."""
        return httpx.post(f"{self.url}/predict", json=row, timeout=30)

    def let(self) -> None:
        """Let the calls of the model that are held up return."""
        self._gate.touch()

    def metrics(self) -> str:
        """What it says of itself."""
        return httpx.get(f"{self.url}/metrics", timeout=30).text
