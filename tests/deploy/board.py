"""deploy/grafana/prediction-stream.json: its panels and queries, with variables as Grafana fills them in."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["BOARD", "Query", "board", "panels", "queries"]

BOARD = Path(__file__).parents[2] / "deploy" / "grafana" / "prediction-stream.json"

FILLED = {
    "$__rate_interval": "20s",
    "$instance": ".*",
    "$job": "prediction-stream",
    "$namespace": ".*",
}


@dataclass(frozen=True, slots=True)
class Query:
    """A query, and where it is."""

    title: str
    expression: str
    legend: str

    def filled(self, variables: Mapping[str, str] = FILLED) -> str:
        """The expression that Prometheus gets."""
        text = self.expression
        for name, value in variables.items():
            text = text.replace(name, value)
        assert "$" not in text, text
        return text


def board() -> dict[str, Any]:
    """The whole board."""
    found = json.loads(BOARD.read_text("utf-8"))
    assert isinstance(found, dict)
    return found


def panels() -> list[dict[str, Any]]:
    """Its panels without the rows' headings."""
    return [each for each in board()["panels"] if each["type"] != "row"]


def queries() -> Iterator[Query]:
    """Those of panels, then those of annotations."""
    for panel in panels():
        for target in panel["targets"]:
            yield Query(panel["title"], target["expr"], target["legendFormat"])
    for note in board()["annotations"]["list"]:
        yield Query(note["name"], note["expr"], note["titleFormat"])
