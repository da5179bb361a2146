"""A real MLflow server on the loopback: SQLite, artifacts on the disk, all in a folder of its own."""

from __future__ import annotations

import os
import shutil
import tempfile
import urllib.error
import urllib.request
from pathlib import Path
from typing import Self

from tests.kafka.process import Server, Started, free_ports, is_listening

__all__ = ["MlflowServer"]

_START_S = 240
"""4-8 s alone on two cores; more beside a full test run."""

_SETTINGS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",  # no second process
    "MLFLOW_WEBHOOK_ALLOWED_SCHEMES": "http,https",
    "MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS": "true",  # webhooks to the loopback
    "MLFLOW_WEBHOOK_CACHE_TTL": "1",
}


class MlflowServer(Started):
    """
    One server.

    Attributes:
        environment: that it runs in; its `bin/python` has MLflow and the libraries of models.
        folder: its database and its artifacts.
        url: its address.
    """

    def __init__(self, environment: Path, port: int | None = None) -> None:
        """
        Args:
            environment: see `tests.platforms.environments`.
            port: None for a free one.
        """
        self.environment = environment
        self.folder = Path(tempfile.mkdtemp(prefix="mlflow-"))
        self.port = port or free_ports(1)[0]
        self.url = f"http://127.0.0.1:{self.port}"
        command = [
            *("env", *(f"{name}={value}" for name, value in _SETTINGS.items())),
            *(str(environment / "bin/python"), "-m", "mlflow", "server", "--workers", "1"),
            *("--host", "127.0.0.1", "--port", str(self.port)),
            *("--backend-store-uri", f"sqlite:///{self.folder}/mlflow.db"),
            *("--artifacts-destination", str(self.folder / "artifacts")),
        ]
        self._server = Server("MLflow", command, self.folder / "server.log")

    @property
    def variables(self) -> dict[str, str]:
        """Of a process that uses it."""
        return {**os.environ, "MLFLOW_TRACKING_URI": self.url, "MLFLOW_DISABLE_TELEMETRY": "true"}

    @property
    def artifacts(self) -> Path:
        """Where it keeps the files of models."""
        return self.folder / "artifacts"

    def start(self) -> Self:
        """Start and block until it answers; what it knew before a `stop` it knows again."""
        self._server.start(self._answers, _START_S)
        return self

    def stop(self) -> None:
        """End it; its folder stays."""
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
            with urllib.request.urlopen(f"{self.url}/health", timeout=5) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            return False
