"""
The producer's life: it takes the transactional id, runs one transaction after the other, and is replaced when it
can't go on. A worker whose id another worker has really taken ends.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence

from stream.deadline import Deadline
from stream.errors import (
    Aborted,
    Fenced,
    MovedOn,
    OutcomeUnknown,
    Retriable,
    StartupTimeout,
    Stopped,
    StreamError,
)
from stream.records import Partition
from stream.transport import GroupMetadata, Refusal
from stream.worker.lull import Lull
from stream.worker.phases import Event, Phase, Phases
from stream.worker.protocols import Reading, Transacting
from stream.worker.settlement import Settlement

__all__ = ["AGAIN_S", "TRY_S", "ProducerLife"]

log = logging.getLogger(__name__)

START_S = 60.0
"""For the transaction coordinator to answer at start; it ends the last transaction of this id meanwhile."""

TRY_S = 2.0
"""For one attempt at what is retried; then the loop goes round, and the group hears from this worker."""

AGAIN_S = 0.1
"""Between two attempts when nothing else can be done."""

AT_MOST = 5
"""Producers in `WITHIN_S`: more is not a passing fault, and an operator should look at it."""

WITHIN_S = 300.0
"""See `AT_MOST`."""

OWN_S = 60.0
"""
For this long after a renewal a fence may be of this worker's own making: a broker that comes back answers what a
discarded producer had asked for, and may then fence the producer that was made after it.
"""


REPORT_S = 0.5
"""For the reports of outputs, once their transaction has failed."""

REPEAT_S = 30.0
"""Between two lines of the log about the same wait."""

ABANDON_S = 2.0
"""For the abort of a worker that ends with an error; the broker's own time-out does it otherwise."""


class ProducerLife:
    """
    Moves the phases from start to abort. One thread at a time: the engine's, or the one that awaits a transaction's
    end.
    """

    def __init__(self, sink: Transacting, phases: Phases, clock: Callable[[], float]) -> None:
        """
        Args:
            sink: whose producer it is.
            phases: told when the producer is started, opens a transaction, aborts one, or can't be used.
            clock: monotonic seconds.
        """
        self._sink = sink
        self._phases = phases
        self._clock = clock
        self._opened = 0.0
        self.lull = Lull()
        """After a commit; nothing should be begun in it."""
        self._said_at = -REPEAT_S
        self._renewals: deque[float] = deque(maxlen=AT_MOST + 1)
        self._fresh = self._started = False
        self._error: OutcomeUnknown = OutcomeUnknown()
        self._twin = False
        """Whether a newer producer of this transactional id exists: the broker's time-out can't be the reason."""
        self.refusals: list[Refusal] = []
        """Outputs of the last flushed transaction that were refused for what they are."""

    def take_refusals(self) -> list[Refusal]:
        """The refusals, once."""
        refusals, self.refusals = self.refusals, []
        return refusals

    def start(self, pause: Callable[[float], bool]) -> None:
        """
        Take the transactional id with the first producer, unless the worker is asked to stop meanwhile.

        Args:
            pause: waits so many seconds; True = the worker is asked to stop.
        Raises: StartupTimeout when the coordinator does not answer; Stopped when it can't be done.
        """
        deadline = Deadline.after(START_S)
        while True:
            try:
                self._sink.start(Deadline.after(TRY_S))
            except Retriable as error:
                log.warning("waiting for the transaction coordinator: %s", error.message)
                if deadline.over:
                    raise StartupTimeout(error.message, hint="look at the brokers") from error
                if pause(AGAIN_S):
                    return
            except OutcomeUnknown as error:
                raise Stopped(error.message, hint="restart the worker") from error
            else:
                self._phases.on(Event.STARTED)
                return

    # ---- one transaction ----

    def begin(self) -> None:
        """Open a transaction. Raises: OutcomeUnknown when this producer can't be used any longer."""
        self._opened = self._clock()
        try:
            self._sink.begin()
        except Aborted as error:
            raise OutcomeUnknown(error.message) from error
        self._phases.on(Event.OPENED)

    def rest(self) -> None:
        """Block until the broker is expected to take another transaction."""
        if pause_s := self.lull.left_s(self._clock()):
            time.sleep(pause_s)

    def settle(self, next_offsets: Mapping[Partition, int], group: GroupMetadata, deadline: Deadline) -> None:
        """
        End the transaction: 1 offsets belong to it, 2 outputs are written, 3 it is committed.

        The client writes the outputs while it adds the offsets: two answers of the broker less to wait for.

        Args:
            next_offsets: per partition the offset after its last record.
            group: who the consumer was when this was begun.
            deadline: for the three together.
        Raises: Aborted, MovedOn, OutcomeUnknown, a kind of Stopped; nothing is visible, except perhaps after
            OutcomeUnknown.
        """
        self.rest()
        since = self._clock()
        try:
            self._sink.add_offsets(next_offsets, group, deadline)  # 1
        except (Aborted, Stopped):
            self._explain(deadline)
            raise
        self._written(deadline)  # 2
        self._sink.commit(deadline)  # 3
        self.lull.committed(self._opened, since, self._clock())

    def _written(self, deadline: Deadline) -> None:
        """Wait for the outputs. Raises: as `settle`; where outputs were refused, `refusals` says which."""
        self.refusals = self._sink.flush(deadline)
        if self.refusals:
            one, together = self.refusals[0], any(each.doubtful for each in self.refusals)
            number = f"one or more of {len(self.refusals)}" if together else f"{len(self.refusals)}"
            raise Aborted(f"{number} outputs of {one.topic} were refused: {one.message}")

    def _explain(self, deadline: Deadline) -> None:
        """
        Raise what an output's report says, if one could not be written: whatever is asked for next fails for it.

        A report that does not come says nothing.
        """
        try:
            self._written(Deadline.after(deadline.left_s(REPORT_S)))
        except Aborted:
            if self.refusals:
                raise

    def abort(self, deadline: Deadline) -> None:
        """Abort the transaction; a producer that can't even do that is doubted."""
        try:
            self._sink.abort(deadline)
        except OutcomeUnknown as error:
            self.doubt(error)
        else:
            self._phases.on(Event.ABORTED)

    def abandon(self, settlement: Settlement) -> None:
        """
        Abort the open transaction of a worker that ends with an error. Raises nothing.

        Args:
            settlement: where a transaction's end may still be awaited.
        """
        deadline = Deadline.after(ABANDON_S)
        try:
            ended = settlement.look(deadline.left_s())
            if ended is not None and ended.error is not None:
                raise ended.error
            if not settlement.busy and self._phases.now in (Phase.OPEN, Phase.COMMITTING):
                self._sink.abort(deadline)
        except StreamError as error:
            log.warning("the open transaction is left to the broker's time-out: %s", error.message)
        self._phases.on(Event.STOPPED)

    # ---- a new producer ----

    def doubt(self, error: OutcomeUnknown) -> None:
        """
        Note that the producer can't be used any longer.

        The broker fences the producer of a transaction that took longer than its time-out; a producer that is fenced
        before that was fenced by another one of the same id.

        Args:
            error: why.
        """
        self._phases.on(Event.DOUBTED)
        self._error = error
        self._fresh = False
        alone = not self._renewals or self._clock() - self._renewals[-1] > OWN_S
        self._twin = error.fenced and alone and self._clock() - self._opened < self._sink.timeout_s

    def renew(
        self, source: Reading, partitions: Sequence[Partition], budget: Deadline
    ) -> dict[Partition, int] | None:
        """
        Replace the producer; then the group's offsets tell what of its last transaction was committed.

        Args:
            source: the input.
            partitions: the ones in question.
            budget: for the producer.
        Returns: the next offset of each partition that has one; None = not yet.
        Raises: Fenced when another worker has taken this one's place, Stopped when it happens too often.
        """
        try:
            self._take_id(budget)
            offsets = source.committed(partitions, Deadline.after(TRY_S))
        except (Retriable, MovedOn) as error:
            self._say_waiting(error.message)
            return None
        except OutcomeUnknown as error:
            self.doubt(error)
            return None
        self._phases.on(Event.STARTED)
        return offsets

    def _say_waiting(self, message: str) -> None:
        """Log it, once in `REPEAT_S`: it is tried again every two seconds for as long as no broker answers."""
        now = self._clock()
        if now - self._said_at >= REPEAT_S:
            self._said_at = now
            log.warning("waiting for a new producer: %s", message)

    def _take_id(self, deadline: Deadline) -> None:
        """
        Make a new producer, and take the transactional id with it: the last transaction has ended then.

        Raises: as `renew`; Retriable when the coordinator does not answer in time, OutcomeUnknown when the
            new one can't be used either.
        """
        if self._twin:
            self._phases.on(Event.TWIN)
            raise Fenced(
                f"another worker uses this one's transactional id: {self._error.message}",
                hint="give every worker its own [delivery] instance",
            )
        if not self._fresh:
            self._renewals.append(self._clock())
            if len(self._renewals) > AT_MOST and self._renewals[-1] - self._renewals[0] < WITHIN_S:
                raise Stopped(
                    f"{AT_MOST} producers in a row could not go on: {self._error.message}",
                    hint="look at the brokers' logs; a restart goes on at the last commit",
                )
            self._sink.renew()
            self._fresh, self._started = True, False
        if not self._started:  # a client that has its id refuses to take it again
            self._sink.start(deadline)
            self._started = True
