"""What a batch costs, and what each of its records does: a line through the batches before, of which old ones fade."""

from __future__ import annotations

__all__ = ["BatchCost"]

_SPREAD = 0.01
"""Sizes whose variance is below this share of their squared mean say nothing of what a record alone costs."""


class BatchCost:
    """Takes n records to cost `fixed_s + n * record_s`, fitted by least squares."""

    def __init__(self, kept: float) -> None:
        """
        Args:
            kept: weight of what was known when a batch is learned from, 0 to 1.
        """
        self._kept = kept
        self._weight = self._n = self._s = self._nn = self._ns = 0.0
        self.fixed_s = 0.0
        """What a batch costs however few records it has, in seconds."""
        self.record_s = 0.0
        """What a record costs beyond that, in seconds."""

    @property
    def alone(self) -> bool:
        """Whether all batches had one record: then what is fixed is not known, and taken for 0."""
        return self._n <= self._weight

    def of(self, records: int) -> float:
        """What a batch of so many records should cost, in seconds; 0 before the first."""
        return self.fixed_s + records * self.record_s

    def forget(self) -> None:
        """Begin anew."""
        self._weight = self._n = self._s = self._nn = self._ns = self.fixed_s = 0.0

    def took(self, records: int, seconds: float) -> None:
        """
        Learn from a batch.

        Args:
            records: that it had, ≥ 1.
            seconds: that it took.
        """
        self._weight = self._weight * self._kept + 1
        self._n = self._n * self._kept + records
        self._s = self._s * self._kept + seconds
        self._nn = self._nn * self._kept + records * records
        self._ns = self._ns * self._kept + records * seconds
        n, s = self._n / self._weight, self._s / self._weight
        spread = self._nn / self._weight - n * n
        if spread > _SPREAD * n * n:
            slope = (self._ns / self._weight - n * s) / spread
            self.fixed_s = min(s, max(0.0, s - max(0.0, slope) * n))
        self.fixed_s = min(self.fixed_s, s)
        self.record_s = (s - self.fixed_s) / n
