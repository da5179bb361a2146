"""deploy/prometheus/alerts.yml: each rule is whole, asks for what exists, and fires when it should."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from docs.reference.alerts import RULES, rules
from stream import reasons
from stream.telemetry import Metrics
from tests.conftest import had
from tests.deploy.expressions import ADDED, CLIENT, Matcher, grouped, labels_of, metrics, selectors
from tests.deploy.prometheus import find_tool

ROOT = Path(__file__).parents[2]
CASES = RULES.with_name("alerts_test.yml")
PAGE = ROOT / "docs" / "operations.md"

every_rule = pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])


def _anchors(page: Path) -> set[str]:
    """The headings of a page, as links name them."""
    heads = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads}


def _promtool(*arguments: str, folder: Path = RULES.parent) -> subprocess.CompletedProcess[str]:
    tool = had(lambda: find_tool("promtool"))
    return subprocess.run([tool, *arguments], cwd=folder, capture_output=True, text=True, check=False)


@every_rule
def test_rule_says_what_a_person_called_needs(rule: dict[str, Any]) -> None:
    """Severity, summary, description, and a place in the docs that is there."""
    notes = rule["annotations"]
    path, _, anchor = notes["runbook_url"].partition("#")

    assert {"severity"} == set(rule["labels"])
    assert rule["labels"]["severity"] in {"critical", "warning"}
    assert {"summary", "description", "runbook_url"} == set(notes)
    assert ROOT / path == PAGE
    assert (rule["alert"].lower(), True) == (anchor, anchor in _anchors(PAGE))


def test_every_alert_has_its_section_and_no_section_is_left_over() -> None:
    """In the order of the file; each says what to do, and how to see that it is over."""
    text = PAGE.read_text("utf-8").split("\n## Alerts\n")[1].split("\n## ")[0]
    sections = dict(re.findall(r"^### (\w+)\n\n(.+?)(?=\n\n###|\Z)", text.strip(), re.DOTALL | re.MULTILINE))

    assert [rule["alert"] for rule in rules()] == list(sections)
    assert [] == [
        name for name, said in sections.items() if said.count("*Do*:") != 1 or said.count("*Over*:") != 1
    ]


@every_rule
def test_rule_asks_for_metrics_and_labels_that_exist(rule: dict[str, Any]) -> None:
    """A renamed metric, or a label that is not there, would make an alert that never fires."""
    known, expression = metrics(), rule["expr"]
    for each in selectors(expression):
        assert each.metric in known
        assert {matcher.label for matcher in each.matchers} <= {*known[each.metric], *ADDED}
    assert grouped(expression) <= labels_of(expression)
    notes = " ".join(rule["annotations"].values())
    assert set(re.findall(r"\$labels\.(\w+)", notes)) <= labels_of(expression)


@every_rule
def test_rule_compares_labels_with_values_that_they_have(rule: dict[str, Any]) -> None:
    """Of labels whose values are known beforehand, each alternative of a rule is one."""
    for each in selectors(rule["expr"]):
        for matcher in each.matchers:
            if (each.metric, matcher.label) in _VALUES:
                values = _VALUES[each.metric, matcher.label]
                assert set(matcher.value.split("|")) <= values
                assert any(matcher.takes(value) for value in values)


_VALUES = {
    ("stream_reloads_total", "result"): {"ok", "refused", "failed"},
    ("stream_commits_total", "result"): {"ok", "moved_on", "aborted", "unknown"},
    ("stream_rebalances_total", "kind"): {"assigned", "revoked", "lost"},
    ("stream_dead_letters_total", "reason"): {reason.name for reason in reasons.TABLE},
}


@every_rule
def test_rule_of_a_group_keeps_namespaces_and_jobs_apart(rule: dict[str, Any]) -> None:
    """Two groups of one Prometheus must not hide each other."""
    for labels in re.findall(r"\bby \(([^)]*)\)", rule["expr"]):
        assert ["namespace", "job"] == [label.strip() for label in labels.split(",")][:2]


@pytest.mark.parametrize("of", ["worker", "serve"])
def test_metrics_of_the_client_library_are_exposed(of: Any) -> None:
    """What the rules ask beside our own table."""
    text = Metrics(of).text().decode()

    assert set() == {name for name in CLIENT if f"\n{name} " not in text}


def test_prometheus_takes_the_rules() -> None:
    """Syntax, templates, durations."""
    done = _promtool("check", "rules", RULES.name)

    assert (0, f"SUCCESS: {len(rules())} rules found") == (
        done.returncode,
        done.stdout.split("\n")[1].strip(),
    )


def test_rules_fire_and_are_silent_as_the_cases_say() -> None:
    """By Prometheus' own engine, on series with a fault and series just short of it."""
    done = _promtool("test", "rules", CASES.name)

    assert 0 == done.returncode, done.stdout + done.stderr


def _expected() -> tuple[set[str], set[str]]:
    """The alerts that a case expects to fire, and those that are expected not to at another of its moments."""
    fire: set[str] = set()
    silent: set[str] = set()
    for case in yaml.safe_load(CASES.read_text("utf-8"))["tests"]:
        moments = [
            {
                name
                for sample in each["exp_samples"]
                for name in re.findall(r'alertname="(\w+)"', sample["labels"])
            }
            for each in case["promql_expr_test"]
        ]
        ever = set().union(*moments)
        fire |= ever
        silent |= {name for name in ever if any(name not in moment for moment in moments)}
    return fire, silent


def test_every_rule_has_a_case_in_which_it_fires_and_is_silent() -> None:
    """No rule goes untried."""
    names = {rule["alert"] for rule in rules()}

    assert (names, names) == _expected()


def test_cases_notice_rules_that_never_fire(tmp_path: Path) -> None:
    """The cases can fail: without the rules each of them does."""
    (tmp_path / RULES.name).write_text("groups: []")
    shutil.copy(CASES, tmp_path / CASES.name)

    said = _promtool("test", "rules", CASES.name, folder=tmp_path)
    assert 0 != said.returncode
    assert {rule["alert"] for rule in rules()} == set(
        re.findall(r'alertname="(\w+)"', said.stdout + said.stderr)
    )


def test_selectors_are_read_out_of_an_expression() -> None:
    """Names, matchers and groupings; nothing of functions, durations, strings and words."""
    text = (
        'sum by (job, le) (rate(a_bucket{x=~"b|c(d)[5m]",y!="{z}"}[5m:1m] offset 1h)) > bool 1e3 and on (q) b'
    )

    found = list(selectors(text))
    assert ["a_bucket", "b"] == [each.metric for each in found]
    assert (Matcher("x", "=~", "b|c(d)[5m]"), Matcher("y", "!=", "{z}")) == found[0].matchers
    assert {"job", "le", "q"} == grouped(text)
