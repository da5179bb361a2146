"""A row of the fault matrix: what is broken, and what was counted."""

from __future__ import annotations

import zlib
from dataclasses import asdict, dataclass
from typing import Any, Literal

import pytest

__all__ = ["RESULTS", "Guarantee", "Result", "Row", "row"]

RESULTS = "TEST_FAULT_RESULTS"
"""The environment variable that names a folder: each row that held leaves a file there."""

Guarantee = Literal["exactly-once", "at-least-once"]

USUAL: Guarantee = "exactly-once"
"""Of a row that names none."""


@dataclass(frozen=True)
class Row:
    """
    Attributes:
        id: stable, for people and for docs/faults.json.
        fault: what is broken, in words.
        guarantee: of the configuration.
        core: one of the dozen that CI runs.
    """

    id: str
    fault: str
    guarantee: Guarantee = USUAL
    core: bool = False

    @property
    def seed(self) -> int:
        """The row's own seed, the same in each run."""
        return zlib.crc32(self.id.encode())


def row(name: str, fault: str, *, guarantee: Guarantee = USUAL, core: bool = False) -> pytest.MarkDecorator:
    """The mark that makes a test a row of the matrix; tests/faults/conftest.py looks for it."""
    return pytest.mark.row(Row(name, fault, guarantee, core))


@dataclass(frozen=True)
class Result:
    """
    What was counted by the onlooker, and when.

    Attributes:
        id: of the row.
        fault: of the row.
        guarantee: of the row.
        sent: events.
        predictions: different events with a prediction.
        dead_letters: different events with a dead letter.
        skipped: events that the configuration asks to be skipped.
        gone: events that the fault itself took away (retention), before anybody read them.
        lost: events with none of these.
        doubled: outputs beyond the first of an event.
        recovery_s: from the fault to the next output that was committed; None where the worker must stop.
        fired: how it is known that the fault took place.
    """

    id: str
    fault: str
    guarantee: str
    sent: int
    predictions: int
    dead_letters: int
    skipped: int
    gone: int
    lost: int
    doubled: int
    recovery_s: float | None
    fired: str

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)
