"""What a log line says."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Literal

import pytest

from stream.app.logs import set_up_logging
from stream.settings import LoggingSettings


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
