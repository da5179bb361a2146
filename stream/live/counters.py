"""A process's metrics as they were at one moment, read once for everything that is worked out from them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from stream.telemetry import Metrics

__all__ = ["Counters"]

Sample = tuple[Mapping[str, str], float]


@dataclass(frozen=True, slots=True)
class Counters:
    """
    Attributes:
        at: monotonic seconds.
        samples: per name as Prometheus shows it, its values with their labels.
    """

    at: float
    samples: Mapping[str, list[Sample]]

    @classmethod
    def read(cls, metrics: Metrics, at: float) -> Counters:
        """
        Args:
            metrics: of the process.
            at: monotonic seconds, now.
        """
        found: dict[str, list[Sample]] = {}
        for family in metrics.own():
            for sample in family.samples:
                found.setdefault(sample.name, []).append((sample.labels, sample.value))
        return cls(at, found)

    def _of(self, name: str, labels: Mapping[str, str]) -> Iterator[Sample]:
        wanted = labels.items()
        return (one for one in self.samples.get(name, ()) if wanted <= one[0].items())

    def total(self, name: str, labels: Mapping[str, str] | None = None) -> float:
        """The sum of a metric's values, of those with these labels; 0 where there are none."""
        return sum(value for _, value in self._of(name, labels or {}))

    def known(self, name: str) -> float | None:
        """The value of a gauge without labels; None where it is not there."""
        return next((value for _, value in self._of(name, {})), None)

    def by(self, name: str, *labels: str) -> dict[tuple[str, ...], float]:
        """The sums of a metric's values by some of its labels."""
        found: dict[tuple[str, ...], float] = {}
        for given, value in self.samples.get(name, ()):
            key = tuple(given[label] for label in labels)
            found[key] = found.get(key, 0.0) + value
        return found

    def buckets(self, name: str) -> list[tuple[float, int]]:
        """A histogram: per bucket its upper bound, the last infinite, and how many values it took; ascending."""
        cumulative = sorted((float(bound), n) for (bound,), n in self.by(f"{name}_bucket", "le").items())
        before = [0.0, *(n for _, n in cumulative)]
        return [(bound, round(n - less)) for (bound, n), less in zip(cumulative, before, strict=False)]
