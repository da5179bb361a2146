"""How many records the next batch may have, so that scoring it does not take long: learned from those before it."""

from __future__ import annotations

import math

from stream.worker.batch_cost import BatchCost

__all__ = ["SLOW_RECORD_S", "BatchSize"]

SLOW_RECORD_S = 0.01
"""A record that takes longer is worth a line in the log."""

_SURE = 4
"""Batches before that is believed: a model's first call loads and compiles."""

_FASTER = 8
"""A batch that was quick may be followed by one so many times as large."""

_PROBE_S = 6.0
"""Two records are tried where one took long, unless they would take longer than this: a stop should be heard soon."""

_KEPT = 0.7
"""Weight of what was known when a batch is learned from."""

_OTHERWISE = 4
"""A batch that took too long, and so many times what was expected, makes what was known worthless."""


class BatchSize:
    """
    Begins with one record, since a model may take minutes for thousands; a quick one has full batches after four.
    """

    def __init__(self, pause_s: float) -> None:
        """
        Args:
            pause_s: how long scoring a batch should take at most. One that has fixed costs may take twice those.
        """
        self._pause_s = pause_s
        self._cost = BatchCost(_KEPT)
        self.most = 1
        """Records that the next batch may have, ≥ 1."""
        self._batches = 0

    @property
    def record_s(self) -> float:
        """What a record costs, beyond what a batch does, in seconds."""
        return self._cost.record_s

    @property
    def slow(self) -> bool:
        """Whether several batches have shown that a record alone takes long."""
        return self._batches >= _SURE and self.record_s >= SLOW_RECORD_S

    @property
    def expected_s(self) -> float:
        """How long the next batch takes if it is full, in seconds; 0 before the first."""
        return self._cost.of(self.most)

    def took(self, records: int, seconds: float) -> None:
        """
        Learn from a batch.

        Args:
            records: that it had, ≥ 1.
            seconds: that scoring it took.
        """
        if seconds > self._pause_s and seconds > _OTHERWISE * self._cost.of(records):
            self._cost.forget()
        self._cost.took(records, seconds)
        fixed_s = self._cost.fixed_s
        room = max(self._pause_s - fixed_s, fixed_s)
        fits = room / self.record_s if self.record_s else math.inf
        grown = max(self.most, records * _FASTER)
        self._batches += 1
        if self._cost.alone and fits < 2 and 2 * seconds <= _PROBE_S and not fixed_s:
            fits = 2
        self.most = max(1, int(min(fits, grown)))
