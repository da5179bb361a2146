"""A producer that can't go on is replaced; who has really been replaced by another worker ends."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from stream.deadline import Deadline
from stream.errors import Fenced, OutcomeUnknown, Stopped
from stream.worker.protocols import Transacting

__all__ = ["Renewal"]

AT_MOST = 5
"""Producers in `WITHIN_S`: more is no passing fault, and a supervisor should look at it."""

WITHIN_S = 300.0
"""See `AT_MOST`."""

OWN_S = 60.0
"""
So long after a renewal a fence may be of this worker's own: what a discarded producer had asked for is answered by a
broker that was away once it is back, and may then fence the producer that was made after it.
"""


class Renewal:
    """What is known of the producer's end, and how often it happened."""

    def __init__(self, sink: Transacting, clock: Callable[[], float]) -> None:
        """
        Args:
            sink: whose producer it is.
            clock: monotonic seconds.
        """
        self._sink = sink
        self._clock = clock
        self._times: deque[float] = deque(maxlen=AT_MOST + 1)
        self._fresh = False
        self._error: OutcomeUnknown = OutcomeUnknown()
        self.twin = False
        """Whether a newer producer of this transactional id exists: the broker's time-out can't be the reason."""

    def need(self, error: OutcomeUnknown, age_s: float) -> None:
        """
        The producer is of no use any more.

        Args:
            error: why.
            age_s: of its transaction. The broker fences the producer of one that took longer than its time-out;
                who is fenced before that was fenced by another producer of the same id.
        """
        self._error = error
        self._fresh = False
        alone = not self._times or self._clock() - self._times[-1] > OWN_S
        self.twin = error.fenced and alone and age_s < self._sink.timeout_s

    def take(self, deadline: Deadline) -> None:
        """
        Make a new producer, and take the transactional id with it: the last transaction has ended then.

        Raises: Fenced when another worker has this one's place, Stopped when it happens too often; Retriable
            when the coordinator does not answer in time, OutcomeUnknown when the new one is of no use either.
        """
        if self.twin:
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
