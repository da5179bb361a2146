"""The lines about a worker as a whole."""

from __future__ import annotations

import logging
from types import SimpleNamespace
from typing import cast

import pytest

from stream.app.worker_log import LETTERS_S, WorkerLog
from stream.app.worker_parts import Parts
from stream.log_events import fields_of
from stream.telemetry import Metrics


class Clock:
    """Moved on by the test."""

    now = 0.0

    def __call__(self) -> float:
        """Monotonic seconds."""
        return self.now


@pytest.fixture
def rig(caplog: pytest.LogCaptureFixture) -> tuple[Metrics, Clock, WorkerLog]:
    """Counters, a clock and the log that goes by them."""
    caplog.set_level(logging.INFO)
    metrics, clock = Metrics(), Clock()
    return metrics, clock, WorkerLog(cast("Parts", SimpleNamespace(metrics=metrics)), clock)


def test_dead_letters_of_one_reason_are_a_line_a_minute(
    rig: tuple[Metrics, Clock, WorkerLog], caplog: pytest.LogCaptureFixture
) -> None:
    """The first at once; then those since the last line; the rest at the end."""
    metrics, clock, told = rig
    for second, count in ((0, 3), (5, 4), (LETTERS_S, 2), (LETTERS_S + 5, 1)):
        clock.now = second
        metrics.add("stream_dead_letters_total", count, reason="null_value", stage="decode")
        told.letters()
    told.stopped()

    found = [fields_of(record) for record in caplog.records]
    assert [(3, 3, None), (6, 9, 60), (1, 10, 5)] == [
        (each["count"], each["total"], each["seconds"]) for each in found if each["event"] == "dead_letters"
    ]
    assert ("worker_stopped", 10) == (found[-1]["event"], found[-1]["dead_letters"])


def test_broker_that_stays_away_is_said_once(
    rig: tuple[Metrics, Clock, WorkerLog], caplog: pytest.LogCaptureFixture
) -> None:
    """And how long it was, when it is back; nothing where it never was away."""
    _, clock, told = rig
    told.broker_back()
    for second in (10, 15, 20):
        clock.now = second
        told.broker_away("timed out")
    clock.now = 32.5
    told.broker_back()
    told.broker_back()

    assert [
        {"event": "broker_away", "reason": "timed out"},
        {"event": "broker_back", "seconds": 22.5},
    ] == [fields_of(record) for record in caplog.records]
