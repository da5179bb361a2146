"""The calls of one transaction in their order, and what was refused in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from stream.deadline import Deadline
from stream.errors import Aborted, OutcomeUnknown
from stream.records import Partition
from stream.transport import GroupMetadata, Refusal
from stream.worker.phases import Event, Phases
from stream.worker.protocols import Transacting

__all__ = ["OpenTransaction"]


class OpenTransaction:
    """One after the other. One thread at a time: the engine's, or the one that awaits the transaction's end."""

    def __init__(self, sink: Transacting, phases: Phases, clock: Callable[[], float]) -> None:
        """
        Args:
            sink: whose transactions they are.
            phases: told when one is opened.
            clock: monotonic seconds.
        """
        self._sink = sink
        self._phases = phases
        self._clock = clock
        self._opened = 0.0
        self.refusals: list[Refusal] = []
        """The outputs of the last transaction that was flushed which were refused for what they are."""

    @property
    def age_s(self) -> float:
        """Since the last one was opened."""
        return self._clock() - self._opened

    def begin(self) -> None:
        """Open one. Raises: OutcomeUnknown when this producer can't be used any longer."""
        self._opened = self._clock()
        try:
            self._sink.begin()
        except Aborted as error:
            raise OutcomeUnknown(error.message) from error
        self._phases.on(Event.OPENED)

    def settle(self, next_offsets: Mapping[Partition, int], group: GroupMetadata, deadline: Deadline) -> None:
        """
        End it: 1 outputs are written, 2 offsets belong to it, 3 it is committed.

        Args:
            next_offsets: per partition the offset after its last record.
            group: who the consumer was when this was begun.
            deadline: for the three together.
        Raises: Aborted, MovedOn, OutcomeUnknown, a kind of Stopped; nothing is visible but perhaps after
            OutcomeUnknown.
        """
        self.refusals = self._sink.flush(deadline)  # 1
        if self.refusals:
            one, together = self.refusals[0], any(each.doubtful for each in self.refusals)
            number = f"one or more of {len(self.refusals)}" if together else f"{len(self.refusals)}"
            raise Aborted(f"{number} outputs of {one.topic} were refused: {one.message}")
        self._sink.add_offsets(next_offsets, group, deadline)  # 2
        self._sink.commit(deadline)  # 3
