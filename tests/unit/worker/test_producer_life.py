"""A producer that can't be replaced yet."""

from __future__ import annotations

import pytest

from stream.deadline import Deadline
from stream.errors import OutcomeUnknown, Retriable
from stream.testing import MemoryTransactions, ScriptedSource
from stream.worker.phases import Event, Phases
from stream.worker.producer_life import REPEAT_S, ProducerLife


class Unanswered(MemoryTransactions):
    """No coordinator answers."""

    def start(self, deadline: Deadline) -> None:
        """In vain."""
        raise Retriable("no coordinator")


def test_wait_for_a_new_producer_is_logged_once_in_half_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    """It is tried every two seconds: an outage of an hour would be 1,800 lines."""
    now = [0.0]
    phases = Phases()
    phases.on(Event.STARTED)
    life = ProducerLife(Unanswered(), phases, lambda: now[0])
    life.doubt(OutcomeUnknown("no answer"))

    for _ in range(40):
        assert life.renew(ScriptedSource((), lambda: None), [], Deadline.after(1)) is None
        now[0] += REPEAT_S / 15

    assert 3 == len(caplog.messages)
