"""The end of a span, awaited in the background."""

from __future__ import annotations

import threading
import time

import pytest

from stream.deadline import Deadline
from stream.errors import Aborted, Stopped
from stream.worker import Progress
from stream.worker.settlement import Ended, Settlement
from stream.worker.span import Span


class Clock:
    """Seconds that a test moves on."""

    def __init__(self) -> None:
        """At second 0."""
        self.now = 0.0

    def __call__(self) -> float:
        """Now."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """At second 0."""
    return Clock()


@pytest.fixture
def settlement(clock: Clock) -> Settlement:
    """An empty slot."""
    return Settlement(Progress(clock), clock, "too late")


def test_nothing_is_awaited_at_first(settlement: Settlement) -> None:
    """An empty slot holds nobody up, not even when time is over."""
    assert settlement.look() is None
    assert settlement.wait(Deadline.after(0.0)) is None
    assert not settlement.busy


def test_end_is_told_once_with_the_moment_it_came(settlement: Settlement, clock: Clock) -> None:
    """What the loop did before it looked is not counted."""
    span = Span(0.0)

    def end() -> None:
        clock.now = 3.0

    clock.now = 1.0
    settlement.start(span, end)
    while settlement.running:
        time.sleep(0.001)
    clock.now = 100.0

    assert settlement.busy
    assert Ended(span, since=1.0, until=3.0) == settlement.wait(None)
    assert settlement.wait(None) is None
    assert settlement.span is None


def test_error_is_handed_over_with_its_span(settlement: Settlement) -> None:
    """The records of a span that did not end well are still known."""
    span, error = Span(0.0), Aborted("not now")

    def end() -> None:
        raise error

    settlement.start(span, end)
    ended = settlement.wait(None)

    assert ended is not None
    assert (span, error) == (ended.span, ended.error)
    assert not settlement.busy


@pytest.mark.parametrize("asked_to_stop", [False, True])
def test_end_that_does_not_come_in_time_stops_the_worker(
    settlement: Settlement, *, asked_to_stop: bool
) -> None:
    """Whether the step's own time is over or the worker's; the span stays known."""
    released = threading.Event()
    span, over = Span(0.0), Deadline.after(0.0)
    settlement.start(span, lambda: released.wait(60))
    settlement.stop_by = over if asked_to_stop else None

    with pytest.raises(Stopped, match="too late"):
        settlement.wait(None if asked_to_stop else over)

    assert settlement.span is span
    released.set()
    assert settlement.wait(Deadline.after(60)) is not None
