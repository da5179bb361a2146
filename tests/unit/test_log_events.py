"""The events of the log: each is declared, and told with the fields that it is declared with."""

from __future__ import annotations

import ast
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from stream import log_events
from stream.app.logs import JsonFormatter, TextFormatter
from stream.log_events import BASE_FIELDS, EVENTS, EventName, tell

ROOT = Path(log_events.__file__).parent


def _told() -> Iterator[tuple[str, set[str], bool]]:
    """Each call of `tell` with a name in it: the event, the fields that it names, and whether there are more."""
    for path in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "tell" and len(node.args) > 3:
                name = node.args[2]
                if isinstance(name, ast.Constant):
                    fields = {each.arg for each in node.keywords if each.arg is not None}
                    yield str(name.value), fields, any(each.arg is None for each in node.keywords)


def test_events_are_declared_once_and_typed() -> None:
    """The names for the type check are the table's, and no field hides one that each line has."""
    assert sorted(get_args(EventName)) == sorted(event.name for event in EVENTS)
    assert not {name for event in EVENTS for name in event.fields} & set(BASE_FIELDS)


def test_events_are_told_with_their_fields() -> None:
    """All of them and no others; a call that passes some as a mapping names at least no other."""
    declared: dict[str, set[str]] = {event.name: set(event.fields) for event in EVENTS}
    told = list(_told())

    assert len(told) >= 10
    for name, fields, more in told:
        assert fields <= declared[name], name
        assert more or fields == declared[name], name


def _record(caplog: pytest.LogCaptureFixture) -> logging.LogRecord:
    with caplog.at_level(logging.INFO):
        tell(logging.getLogger("t"), logging.INFO, "broker_back", "back after %g s", 2.5, seconds=2.5)
    [record] = caplog.records
    return record


def test_json_line_has_event_and_fields(caplog: pytest.LogCaptureFixture) -> None:
    """Beside the message."""
    line = json.loads(JsonFormatter().format(_record(caplog)))

    assert ("broker_back", 2.5, "back after 2.5 s") == (line["event"], line["seconds"], line["message"])


def test_text_line_is_the_message(caplog: pytest.LogCaptureFixture) -> None:
    """Which says what the fields say."""
    assert TextFormatter().format(_record(caplog)).endswith("t: back after 2.5 s")
