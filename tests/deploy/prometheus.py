"""A real Prometheus on the loopback: Debian's, as `scripts/tools` gets it."""

from __future__ import annotations

import json
import shutil
import tempfile
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any, Self

import yaml

from tests.kafka.artifacts import Unavailable
from tests.kafka.process import Server, Started, free_ports

__all__ = ["Prometheus", "find_tool"]

_START_S = 60
_ANSWER_S = 20


def find_tool(name: str) -> str:
    """A program that scripts/tools gets, such as `promtool`; raises Unavailable."""
    if (found := shutil.which(name)) is None:
        raise Unavailable(f"no {name}: scripts/tools gets it")
    return found


class Prometheus(Started):
    """One Prometheus, with a configuration and rules of the test's own."""

    def __init__(self, config: dict[str, Any], rules: dict[str, Any] | None = None) -> None:
        """
        Args:
            config: of `prometheus.yml`; `rule_files` is put in.
            rules: the groups of a rule file.
        """
        self.folder = Path(tempfile.mkdtemp(prefix="prometheus-"))
        (self.port,) = free_ports(1)
        (self.folder / "rules.yml").write_text(yaml.safe_dump(rules or {"groups": []}))
        whole = {**config, "rule_files": ["rules.yml"]}
        (self.folder / "prometheus.yml").write_text(yaml.safe_dump(whole))
        command = [
            find_tool("prometheus"),
            f"--config.file={self.folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={self.folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{self.port}",
        ]
        self._server = Server("Prometheus", command, self.folder / "log")

    def start(self) -> Self:
        """Start it; block until it answers."""
        self._server.start(self._answers, _START_S)
        return self

    def close(self) -> None:
        """End it and remove its folder."""
        self._server.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The series of an instant query, each with `metric` and `value`."""
        path = "/api/v1/query?" + urllib.parse.urlencode({"query": expression})
        found = self._get(path)["result"]
        assert isinstance(found, list)
        return found

    def firing(self) -> set[str]:
        """The names of the alerts that fire."""
        return {each["metric"]["alertname"] for each in self.query('ALERTS{alertstate="firing"}')}

    def alerts(self) -> list[dict[str, Any]]:
        """Pending and firing alerts with their labels and annotations."""
        return list(self._get("/api/v1/alerts")["alerts"])

    def targets(self) -> list[dict[str, Any]]:
        """What it scrapes."""
        return list(self._get("/api/v1/targets")["activeTargets"])

    def log(self) -> str:
        """The end of its log, for messages."""
        return self._server.tail()

    def _get(self, path: str) -> dict[str, Any]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=_ANSWER_S) as answer:
                found = json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            with error:
                raise AssertionError(f"{path}: {error.code} {error.read().decode()}") from None
        assert isinstance(found, dict)
        return found

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/-/ready", timeout=_ANSWER_S) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False
