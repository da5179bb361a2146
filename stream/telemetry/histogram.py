"""
A histogram that takes many values of one size at once; the client library's takes them singly.

Exposed as Prometheus' own: cumulative buckets, sum and count.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from math import inf

from prometheus_client.core import HistogramMetricFamily
from prometheus_client.registry import Collector

__all__ = ["Histogram", "quantile"]


class Histogram(Collector):
    """Counts of values by bucket, a set of counts per combination of labels. Any thread may use it."""

    def __init__(self, name: str, meaning: str, labels: tuple[str, ...], buckets: Sequence[float]) -> None:
        """
        Args:
            name: as Prometheus shows it.
            meaning: one sentence.
            labels: label names.
            buckets: upper bounds, ascending, without infinity.
        """
        self.bounds = (*map(float, buckets), inf)
        self._name, self._meaning, self._labels = name, meaning, labels
        self._lock = threading.Lock()
        self._counts: dict[tuple[str, ...], list[int]] = {}
        self._sums: dict[tuple[str, ...], float] = {}
        if not labels:
            self._counts[()], self._sums[()] = self._nothing(), 0.0

    def _nothing(self) -> list[int]:
        return [0] * len(self.bounds)

    def observe(self, value: float, labels: tuple[str, ...] = ()) -> None:
        """Count one value. Args: as `observe_all`."""
        self.observe_all(((value, 1),), labels)

    def observe_all(self, values: Iterable[tuple[float, int]], labels: tuple[str, ...] = ()) -> None:
        """
        Count values.

        Args:
            values: each with how often it came.
            labels: values of the labels, in their order.
        """
        with self._lock:
            counts = self._counts.setdefault(labels, self._nothing()) if labels else self._counts[()]
            total = 0.0
            for value, count in values:
                counts[bisect_left(self.bounds, value)] += count
                total += value * count
            self._sums[labels] = self._sums.get(labels, 0.0) + total

    def counts(self, labels: tuple[str, ...] = ()) -> tuple[int, ...]:
        """Per bucket how many values came that are within it and not within the one before."""
        with self._lock:
            return tuple(self._counts.get(labels, self._nothing()))

    def sum(self, labels: tuple[str, ...] = ()) -> float:
        """The sum of all values."""
        with self._lock:
            return self._sums.get(labels, 0.0)

    def collect(self) -> Iterable[HistogramMetricFamily]:
        """See `prometheus_client`: the samples, as the exposition shows them."""
        family = HistogramMetricFamily(self._name, self._meaning, labels=self._labels)
        with self._lock:
            known = [(labels, list(counts), self._sums[labels]) for labels, counts in self._counts.items()]
        for labels, counts, total in known:
            buckets, reached = [], 0
            for bound, count in zip(self.bounds, counts, strict=True):
                reached += count
                buckets.append(("+Inf" if bound == inf else repr(bound), float(reached)))
            family.add_metric(labels, buckets, total)
        return [family]


def quantile(bounds: Sequence[float], counts: Sequence[int], q: float) -> float | None:
    """
    Where a share of the values lies, as Prometheus' `histogram_quantile` estimates it.

    Args:
        bounds: upper bounds of n buckets, the last infinite.
        counts: shape (n,); values of each bucket alone, such as the difference of two `Histogram.counts`.
        q: the share, 0 to 1.
    Returns: within a bucket by straight line; the largest finite bound for what lies beyond it; None without values.
    """
    wanted = q * sum(counts)
    if not any(counts):
        return None
    reached, low = 0, 0.0
    for bound, count in zip(bounds, counts, strict=True):
        if count and reached + count >= wanted:
            return low if bound == inf else low + (bound - low) * (wanted - reached) / count
        reached += count
        low = bound if bound != inf else low
    return low
