"""What a log line says."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Literal

import pytest

from stream.app.logs import set_up_logging
from stream.errors import PackageError
from stream.settings import LoggingSettings
from stream.shown import shown


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """The root logger as it was."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(False)


@pytest.mark.parametrize("form", ["text", "json"])
def test_exception_that_there_is_not_is_not_told(
    form: Literal["text", "json"], capsys: pytest.CaptureFixture[str]
) -> None:
    """`exception()` where none is handled, as Faust calls it, is one line without `NoneType: None`."""
    set_up_logging(LoggingSettings(format=form))

    logging.getLogger("stream.test").exception("crashed")

    [line] = capsys.readouterr().err.splitlines()
    assert "crashed" in line
    assert "NoneType" not in line


def test_exception_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """One that is being handled is in the line."""
    set_up_logging(LoggingSettings(format="json"))
    try:
        raise ValueError("bad")
    except ValueError:
        logging.getLogger("stream.test").exception("crashed")

    [line] = capsys.readouterr().err.splitlines()
    assert "ValueError: bad" in json.loads(line)["exception"]


EVIL = "a\n2026-01-01 00:00:00,000 ERROR   stream: forged\x1b]0;x\x07\x9b31m\u202e"


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize("error", [None, ValueError(EVIL), PackageError(EVIL, step="hash", hint=EVIL)])
def test_nobody_writes_a_line_of_the_log(
    form: Literal["text", "json"], error: Exception | None, capsys: pytest.CaptureFixture[str]
) -> None:
    """A key, a header, an error's text and that of an exception stay in the line that quotes them."""
    set_up_logging(LoggingSettings(format=form))
    log = logging.getLogger("stream.test")

    log.error("key %s: %s", EVIL, error, exc_info=error)
    log.error(EVIL)

    lines = capsys.readouterr().err.removesuffix("\n").split("\n")
    assert lines == [shown(line) for line in lines]
    records = [line for line in lines if not line.startswith("  ")]
    assert 2 == len(records)
    assert (2, 0) == (
        len([r for r in records if "stream.test" in r]),
        len([r for r in records if "ERROR   stream: " in r[:40]]),
    )
    if form == "json":
        assert EVIL == json.loads(records[1])["message"]


def test_hint_of_an_error_is_in_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    """A collector takes a line for a record."""
    set_up_logging(LoggingSettings())

    logging.getLogger("stream.test").error(
        "refused: %s", PackageError("torn", step="hash", hint="pack it again")
    )

    [line] = capsys.readouterr().err.splitlines()
    assert line.endswith("stream.test: refused: step hash: torn; try: pack it again")
