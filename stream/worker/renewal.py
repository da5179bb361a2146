"""
The producer's life: it takes the transactional id at start, and is replaced when it can't go on.

A worker whose id another worker has really taken ends.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Sequence

from stream.deadline import Deadline
from stream.errors import Fenced, MovedOn, OutcomeUnknown, Retriable, StartupTimeout, Stopped
from stream.records import Partition
from stream.worker.open_transaction import OpenTransaction
from stream.worker.phases import Event, Phases
from stream.worker.protocols import Reading, Transacting

__all__ = ["AGAIN_S", "TRY_S", "Renewal"]

log = logging.getLogger(__name__)

START_S = 60.0
"""For the transaction's coordinator to answer at start; it ends the last transaction of this id meanwhile."""

TRY_S = 2.0
"""For one try of what is tried again and again; then the loop goes round, and the group hears of this worker."""

AGAIN_S = 0.1
"""Between two tries when nothing else can be done."""

AT_MOST = 5
"""Producers in `WITHIN_S`: more is not a passing fault, and an operator should look at it."""

WITHIN_S = 300.0
"""See `AT_MOST`."""

OWN_S = 60.0
"""
So long after a renewal a fence may be of this worker's own: what a discarded producer had asked for is answered by a
broker once it is back, and may then fence the producer that was made after it.
"""


class Renewal:
    """What is known of the producer's end, and how often it happened."""

    def __init__(
        self,
        sink: Transacting,
        transaction: OpenTransaction,
        phases: Phases,
        clock: Callable[[], float],
    ) -> None:
        """
        Args:
            sink: whose producer it is.
            transaction: the last one.
            phases: told when the producer is started, can't be used, or is another worker's.
            clock: monotonic seconds.
        """
        self._sink = sink
        self._transaction = transaction
        self._phases = phases
        self._clock = clock
        self._times: deque[float] = deque(maxlen=AT_MOST + 1)
        self._fresh = False
        self._error: OutcomeUnknown = OutcomeUnknown()
        self._twin = False
        """Whether a newer producer of this transactional id exists: the broker's time-out can't be the reason."""

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

    def need(self, error: OutcomeUnknown) -> None:
        """
        Note that the producer can't be used any longer.

        The broker fences the producer of a transaction that took longer than its time-out; who is fenced before that
        was fenced by another producer of the same id.

        Args:
            error: why.
        """
        self._phases.on(Event.DOUBTED)
        self._error = error
        self._fresh = False
        alone = not self._times or self._clock() - self._times[-1] > OWN_S
        self._twin = error.fenced and alone and self._transaction.age_s < self._sink.timeout_s

    def offsets(
        self, source: Reading, partitions: Sequence[Partition], budget: Deadline
    ) -> dict[Partition, int] | None:
        """
        Replace the producer; then the group's offsets tell what of its last transaction was committed.

        Args:
            source: the input.
            partitions: the ones in question.
            budget: for the producer.
        Returns: per partition that has one its next offset; None = not yet.
        Raises: Fenced when another worker has this one's place, Stopped when it happens too often.
        """
        try:
            self._take(budget)
            offsets = source.committed(partitions, Deadline.after(TRY_S))
        except (Retriable, MovedOn) as error:
            log.warning("waiting for a new producer: %s", error.message)
            return None
        except OutcomeUnknown as error:
            self.need(error)
            return None
        self._phases.on(Event.STARTED)
        return offsets

    def _take(self, deadline: Deadline) -> None:
        """
        Make a new producer, and take the transactional id with it: the last transaction has ended then.

        Raises: as `offsets`; Retriable when the coordinator does not answer in time, OutcomeUnknown when the
            new one can't be used either.
        """
        if self._twin:
            self._phases.on(Event.TWIN)
            raise Fenced(
                f"another worker uses this one's transactional id: {self._error.message}",
                hint="give every worker its own [delivery] instance",
            )
        if not self._fresh:
            self._times.append(self._clock())
            if len(self._times) > AT_MOST and self._times[-1] - self._times[0] < WITHIN_S:
                raise Stopped(
                    f"{AT_MOST} producers in a row could not go on: {self._error.message}",
                    hint="look at the brokers' logs; a restart goes on at the last commit",
                )
            self._sink.renew()
            self._fresh = True
        self._sink.start(deadline)
