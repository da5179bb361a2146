"""
How long a batch that is not full waits for company: as long as company is worth it.

A batch costs the process something however few records it has. Were each record scored as it comes, 1,000 records a
second would keep a core busy with nothing else; were each made to wait, a worker with little to do would answer late
for nothing. So batches begin no more often than that what they cost besides their records takes a share of a core:
`SHARE` of what the records themselves leave of it. The first record after a pause is scored at once, and where records
come more slowly than that, none waits.

What a batch costs is the processor time of the whole process between two batches: the client's threads are in it, and
so is what the process does besides; only what it does while no record comes is not.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from stream.worker.batch_cost import BatchCost

__all__ = ["Gathering"]

SHARE = 0.33
"""Of a core that records leave free: what may be spent on having many small batches."""

KEPT = 0.95
"""Weight of what was known when a batch is learned from: some twenty batches, since small ones differ much."""

RATE_S = 0.5
"""Over so long the records that come are counted."""

_LEAST_FREE = 0.01
"""Of a core: with less the wait would have no end."""


class Gathering:
    """Used by the engine's thread alone."""

    def __init__(self, clock: Callable[[], float], cpu: Callable[[], float] = time.process_time) -> None:
        """
        Args:
            clock: monotonic seconds.
            cpu: processor time of the process, in seconds.
        """
        self._clock = clock
        self._cpu = cpu
        self._cost = BatchCost(KEPT)
        self._began = clock()
        self._cpu_s = cpu()
        self._rate = 0.0

    def took(self, records: int, began: float) -> None:
        """
        Learn from a batch, at its end.

        Args:
            records: that it had, ≥ 1.
            began: monotonic seconds when it was in hand.
        """
        cpu_s = self._cpu()
        self._cost.took(records, cpu_s - self._cpu_s)
        self._cpu_s = cpu_s
        since_s = max(1e-6, began - self._began)
        self._began = began
        self._rate += (records / since_s - self._rate) * -math.expm1(-since_s / RATE_S)

    def rested(self) -> None:
        """No record came: what the process did meanwhile, for as long as that was, is not the next batch's cost."""
        self._cpu_s = self._cpu()

    @property
    def interval_s(self) -> float:
        """How long after a batch the next one should begin, if its records come by then."""
        fixed_s = self._cost.of(1) if self._cost.alone else self._cost.fixed_s
        free = 1.0 - self._rate * self._cost.record_s if not self._cost.alone else 1.0
        return fixed_s / (SHARE * max(_LEAST_FREE, free))

    @property
    def wait_s(self) -> float:
        """How long from now a batch should wait for company."""
        return max(0.0, self._began + self.interval_s - self._clock())
