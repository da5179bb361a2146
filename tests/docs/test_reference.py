"""The generated pages: as the code says, complete, and nothing that is not in the code."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from docs.reference import configuration, tables
from docs.reference.__main__ import DOCS
from docs.reference.error_ends import ENDS
from docs.reference.marks import replaced
from stream import deadletter, reasons
from stream.cli.main import COMMANDS
from stream.errors import SettingsError
from stream.settings import KafkaSettings
from stream.telemetry import TABLE
from stream.transport.decisions import RECORD_REASONS
from stream.transport.properties import RESERVED, consumer_properties, producer_properties

ROOT = Path(__file__).parents[2]

_POSITIONS = {"Invalid": 0, "Skip": 0, "_contract": 0, "_note": 2, "DeadLetter": 1}
"""Calls that give a reason, and where; `RecordError` gives it by name."""


def _written(name: str) -> str:
    return (DOCS / name).read_text("utf-8")


def _first_cells(text: str) -> list[str]:
    return re.findall(r"^\| (?:– )*`([^`]+)` \|", text, re.MULTILINE)


def test_pages_are_as_the_code_says() -> None:
    """After a change in the code, `scripts/docs` has been run. A process of its own: click keeps what others asked."""
    done = subprocess.run(
        [sys.executable, "-m", "docs.reference", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert 0 == done.returncode, done.stdout + done.stderr


def test_marks_are_replaced_with_what_is_between_them() -> None:
    """What people wrote around the marks stays."""
    before = "a\n<!-- generated: x (by y) -->\nold\n<!-- end: x -->\nb\n"

    assert "a\n<!-- generated: x (by y) -->\n\nnew\n\n<!-- end: x -->\nb\n" == replaced(before, "x", " new\n")


def test_page_without_its_marks_is_an_error() -> None:
    """A page can't silently lose its generated part."""
    with pytest.raises(ValueError, match="marks of x"):
        replaced("a page", "x", "new")


def test_each_setting_is_in_the_page_with_its_variable() -> None:
    """Every key has a text, and the page shows both its names."""
    found = re.findall(r"^\| `(\w+)` .*`(STREAM_\w+)` \|$", _written("configuration.md"), re.MULTILINE)

    expected = [
        (key, configuration.variable(section, key)) for section, key, _ in configuration.each_setting()
    ]

    assert expected == found


def test_each_metric_is_in_the_page_and_no_other() -> None:
    """Code and page name the same metrics."""
    found = [name for name in _first_cells(_written("metrics.md")) if name.startswith("stream_")]

    assert [metric.name for metric in TABLE] == found


def test_each_command_is_in_the_page_with_an_example() -> None:
    """Every command has its section, and every section a worked example."""
    sections = re.split(r"^## `stream (\w+)`$", _written("cli.md"), flags=re.MULTILINE)[1:]

    assert list(COMMANDS) == sections[::2]
    assert [] == [
        name for name, text in zip(sections[::2], sections[1::2], strict=True) if "Example" not in text
    ]


def test_each_error_is_in_the_page_with_what_to_do() -> None:
    """Every error class says what an operator does, and how it is seen to be over."""
    rows = [line for line in tables.errors().splitlines()[2:] if "|  |" in line]

    assert [] == rows
    assert set(tables.classes()) == set(ENDS)
    assert {kind.__name__ for kind in tables.classes()} <= set(_first_cells(_written("operations.md")))


def test_each_header_is_in_the_page() -> None:
    """Every header of a dead letter is explained."""
    found = [name for name in _first_cells(_written("wire-format.md")) if "." in name]

    assert list(deadletter.HEADERS) == found


def test_reasons_in_the_code_are_those_that_are_declared() -> None:
    """Nobody invents a reason that the page does not explain, and the page explains none that is gone."""
    used = {reason for path in sorted((ROOT / "stream").rglob("*.py")) for reason in _reasons(path)}
    used |= set(RECORD_REASONS.values())

    assert {reason.name for reason in reasons.TABLE} == used


def test_tests_that_a_guarantee_names_are_there() -> None:
    """Each test that a promise rests on exists."""
    named = set(re.findall(r"`(test_\w+)`", _written("guarantees.md")))
    found = {name for path in (ROOT / "tests").rglob("test_*.py") for name in _tests(path)}

    assert len(named) > 10
    assert set() == named - found


def _tests(path: Path) -> list[str]:
    return re.findall(r"^def (test_\w+)", path.read_text("utf-8"), re.MULTILINE)


def test_reasons_are_declared_once() -> None:
    """One reason, one meaning."""
    names = [reason.name for reason in reasons.TABLE]

    assert sorted(set(names)) == sorted(names)


def test_no_property_is_overridden_in_silence() -> None:
    """What a configuration can't set is refused with the reason; it is never just ignored."""
    assert set() == configuration.fixed()


@pytest.mark.parametrize("name", RESERVED)
def test_property_that_guarantees_rest_on_is_refused(name: str) -> None:
    """A property that is not the user's to set is refused for every client."""
    kafka = KafkaSettings(consumer={name: "mine"}, producer={name: "mine"})

    with pytest.raises(SettingsError, match=re.escape(name)):
        consumer_properties(kafka, print)
    with pytest.raises(SettingsError, match=re.escape(name)):
        producer_properties(kafka, print, print)


def _reasons(path: Path) -> Iterator[str]:
    """The reasons that a module gives, from its calls."""
    tree = ast.parse(path.read_text("utf-8"))
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        by_name = [keyword.value for keyword in call.keywords if keyword.arg == "reason"]
        at = _POSITIONS.get(name)
        if name in ("RecordError", "Misfit", "Refused"):
            yield from (text for node in by_name for text in _texts(node, tree))
        elif at is not None and len(call.args) > at:
            yield from _texts(call.args[at], tree)


def _texts(node: ast.expr, tree: ast.Module) -> Iterator[str]:
    """What an expression can be: literals, either side of a condition, `{kind}_out_of_range`, or a name for them."""
    if isinstance(node, ast.Constant):
        yield str(node.value)
    elif isinstance(node, ast.IfExp):
        yield from (text for side in (node.body, node.orelse) for text in _texts(side, tree))
    elif isinstance(node, ast.JoinedStr):
        last = node.values[-1]
        assert isinstance(last, ast.Constant)
        assert isinstance(last.value, str)
        yield from (f"{kind}{last.value}" for kind in ("int", "long"))
    elif isinstance(node, ast.Name):
        for other in ast.walk(tree):
            if isinstance(other, ast.Assign) and ast.unparse(other.targets[0]) == node.id:
                yield from _texts(other.value, tree)
