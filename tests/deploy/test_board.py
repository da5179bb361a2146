"""The board asks for metrics and labels that exist, in a shape that Grafana takes."""

from __future__ import annotations

import re
import subprocess
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml

from docs.reference.alerts import rules
from tests.conftest import had
from tests.deploy.board import BOARD, Query, board, panels, queries
from tests.deploy.expressions import ADDED, grouped, metrics, selectors
from tests.deploy.prometheus import find_tool

OF_PROMETHEUS = {"ALERTS": ("alertname", "alertstate", "severity")}

every_query = pytest.mark.parametrize("query", list(queries()), ids=lambda query: query.title)
every_panel = pytest.mark.parametrize("panel", panels(), ids=lambda panel: panel["title"])


@every_query
def test_query_asks_for_metrics_and_labels_that_exist(query: Query) -> None:
    """Of the metric table; what its legend shows is a label of what it answers."""
    known: dict[str, tuple[str, ...]] = {**metrics(), **OF_PROMETHEUS}
    text = query.filled()
    labels = set(ADDED)
    for each in selectors(text):
        assert each.metric in known
        assert {matcher.label for matcher in each.matchers} <= {*known[each.metric], *ADDED}
        labels |= set(known[each.metric])
    assert grouped(text) <= labels
    assert set(re.findall(r"\{\{(\w+)\}\}", query.legend)) <= labels


@every_query
def test_query_is_of_the_group_that_was_chosen(query: Query) -> None:
    """Never of all groups of a Prometheus."""
    assert query.expression.count('job="$job"') + query.expression.count('job=~"$job|"') == len(
        list(selectors(query.filled()))
    )


def test_prometheus_parses_every_query(tmp_path: Path) -> None:
    """As recording rules, which promtool checks."""
    made = [{"record": f"a:b{n}", "expr": query.filled()} for n, query in enumerate(queries())]
    (tmp_path / "rules.yml").write_text(yaml.safe_dump({"groups": [{"name": "board", "rules": made}]}))
    tool = had(lambda: find_tool("promtool"))
    done = subprocess.run(
        [tool, "check", "rules", str(tmp_path / "rules.yml")], capture_output=True, text=True, check=False
    )

    assert 0 == done.returncode, done.stdout + done.stderr


@every_panel
def test_panel_says_what_it_shows(panel: dict[str, Any]) -> None:
    """A title, a sentence for who hovers over it, a unit, the chosen Prometheus, a letter for each query."""
    letters = [target["refId"] for target in panel["targets"]]

    assert panel["title"]
    assert panel["description"].endswith((".", "%."))
    assert panel["fieldConfig"]["defaults"]["unit"]
    assert {"${datasource}"} == {each["datasource"]["uid"] for each in (panel, *panel["targets"])}
    assert len(letters) == len(set(letters))


def test_alerts_that_a_panel_names_exist() -> None:
    """And so do the settings' tables."""
    names = set(re.findall(r"\bStream[A-Z]\w+", BOARD.read_text("utf-8")))

    assert names
    assert names <= {rule["alert"] for rule in rules()}


def test_panels_have_numbers_of_their_own_and_room() -> None:
    """No two overlap, none is wider than the grid."""
    places = [(each["id"], each["gridPos"]) for each in board()["panels"]]

    assert len(places) == len({number for number, _ in places})
    assert all(place["x"] + place["w"] <= 24 for _, place in places)
    for (_, one), (_, other) in combinations(places, 2):
        apart = (
            one["x"] + one["w"] <= other["x"]
            or other["x"] + other["w"] <= one["x"]
            or one["y"] + one["h"] <= other["y"]
            or other["y"] + other["h"] <= one["y"]
        )
        assert apart, (one, other)


def test_variables_that_queries_use_are_there() -> None:
    """With a choice of Prometheus, group, namespace and process."""
    assert ["datasource", "job", "namespace", "instance"] == [
        each["name"] for each in board()["templating"]["list"]
    ]


def test_provisioning_finds_board_and_prometheus() -> None:
    """Grafana's own files: the folder of boards, and a Prometheus that is the default."""
    folder = BOARD.parent / "provisioning"
    [source] = yaml.safe_load((folder / "datasources/prometheus.yml").read_text("utf-8"))["datasources"]
    [provider] = yaml.safe_load((folder / "dashboards/prediction-stream.yml").read_text("utf-8"))["providers"]

    assert ("prometheus", True) == (source["type"], source["isDefault"])
    assert ("file", "/etc/grafana/boards") == (provider["type"], provider["options"]["path"])
