"""A producer that can't be replaced yet."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from stream.deadline import Deadline
from stream.errors import Aborted, OutcomeUnknown, Retriable
from stream.records import Partition
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


class Once(MemoryTransactions):
    """As librdkafka: a producer that has its id refuses to take it again."""

    taken = 0

    def start(self, deadline: Deadline) -> None:
        """The first time only."""
        self.taken += 1
        if self.taken > 1:
            raise Aborted("taking the id: _STATE: Operation not valid in state Ready")

    def renew(self) -> None:
        """Another producer."""
        self.taken = 0


class Forgetful(ScriptedSource):
    """The group's coordinator answers the second time only."""

    times = 0

    def committed(self, partitions: Sequence[Partition], deadline: Deadline) -> dict[Partition, int]:
        """Each partition's next offset."""
        self.times += 1
        if self.times == 1:
            raise Retriable("reading the group's offsets: _TIMED_OUT")
        return dict.fromkeys(partitions, 7)


def test_id_is_taken_once_though_the_groups_offsets_come_later() -> None:
    """A broker that stood still answers one request and not yet the next."""
    phases, sink, source, place = Phases(), Once(), Forgetful((), lambda: None), Partition("in", 0)
    phases.on(Event.STARTED)
    life = ProducerLife(sink, phases, lambda: 0.0)
    life.doubt(OutcomeUnknown("no answer"))

    assert life.renew(source, [place], Deadline.after(1)) is None
    assert {place: 7} == life.renew(source, [place], Deadline.after(1))
    assert 1 == sink.taken
