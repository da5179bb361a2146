"""The metrics of one process: counted, read back, exposed."""

from __future__ import annotations

import platform
import time
from collections.abc import Iterable, Iterator
from importlib.metadata import version
from typing import TypeAlias

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
)
from prometheus_client.exposition import generate_latest
from prometheus_client.metrics_core import Metric as Family

from stream.telemetry.histogram import Histogram
from stream.telemetry.memory_limit import memory_limit
from stream.telemetry.metric_table import TABLE, CounterName, GaugeName, HistogramName, Metric, Process

__all__ = ["Metrics"]

_Found: TypeAlias = Counter | Gauge | Histogram


class Metrics:
    """The metrics of one process, in a registry of their own, so that two of them can live in one interpreter."""

    def __init__(self, of: Process = "worker") -> None:
        """
        Args:
            of: the kind of process; it has the metrics of `TABLE` that are declared for it, and the client library's
                own of the process, the platform and the garbage collector.
        """
        self.registry = CollectorRegistry()
        self._found: dict[str, _Found] = {
            metric.name: _made(metric, self.registry) for metric in TABLE if of in metric.of
        }
        self._counters: dict[tuple[object, ...], Counter] = {}
        self._gauge("stream_time_seconds").set_function(time.time)
        self._gauge("stream_memory_limit_bytes").set_function(memory_limit)
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        self.set(
            "stream_build_info",
            1,
            version=version("prediction-stream"),
            python=platform.python_version(),
            scikit_learn=version("scikit-learn"),
        )

    def add(self, name: CounterName, amount: float = 1, **labels: str) -> None:
        """Raise a counter. Raises KeyError for a name that TABLE does not declare for this process."""
        # The library finds the counter of labels anew each time, which takes longer than to count.
        series = (name, *labels.items())
        counter = self._counters.get(series)
        if counter is None:
            found = self._found[name]
            assert isinstance(found, Counter)
            counter = self._counters[series] = found.labels(**labels) if labels else found
        counter.inc(amount)

    def set(self, name: GaugeName, value: float, **labels: str) -> None:
        """Set a gauge. Raises: as `add`."""
        found = self._gauge(name)
        (found.labels(**labels) if labels else found).set(value)

    def shift(self, name: GaugeName, change: float) -> None:
        """Raise or lower a gauge that several have a share in. Raises: as `add`."""
        self._gauge(name).inc(change)

    def observe(self, name: HistogramName, value: float, **labels: str) -> None:
        """Count a value in a histogram. Raises: as `add`."""
        self.histogram(name).observe(value, tuple(labels.values()))

    def observe_all(self, name: HistogramName, values: Iterable[tuple[float, int]]) -> None:
        """Count values in a histogram, each with how often it came. Raises: as `add`."""
        self.histogram(name).observe_all(values)

    def histogram(self, name: HistogramName) -> Histogram:
        """A histogram, to read its counts. Raises: as `add`."""
        found = self._found[name]
        assert isinstance(found, Histogram)
        return found

    def clear(self, name: GaugeName) -> None:
        """Forget a gauge's labelled values, such as those of partitions that have gone."""
        self._gauge(name).clear()

    def value(self, name: CounterName | GaugeName, **labels: str) -> float:
        """The value of a counter or gauge; the sum over all labels when none is given."""
        return sum(
            sample.value
            for family in self._found[name].collect()
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )

    def by(self, name: CounterName | GaugeName, label: str) -> dict[str, float]:
        """The values of a counter or gauge by one of its labels, without those that are 0."""
        totals: dict[str, float] = {}
        for family in self._found[name].collect():
            for sample in family.samples:
                if sample.name == name:
                    totals[sample.labels[label]] = totals.get(sample.labels[label], 0) + sample.value
        return {value: total for value, total in totals.items() if total}

    def _gauge(self, name: GaugeName) -> Gauge:
        found = self._found[name]
        assert isinstance(found, Gauge)
        return found

    def own(self) -> Iterator[Family]:
        """The metrics of `TABLE` with their values, without the client library's own."""
        for found in self._found.values():
            yield from found.collect()

    def by_each(self, name: CounterName) -> list[tuple[tuple[str, ...], float]]:
        """A counter's values with those of its labels, in the table's order, without those that are 0."""
        return [
            (tuple(sample.labels.values()), sample.value)
            for family in self._found[name].collect()
            for sample in family.samples
            if sample.name == name and sample.value
        ]

    def text(self) -> bytes:
        """The exposition, as `/metrics` answers it."""
        return generate_latest(self.registry)


def _made(metric: Metric, registry: CollectorRegistry) -> _Found:
    if metric.kind == "histogram":
        histogram = Histogram(metric.name, metric.meaning, metric.labels, metric.buckets)
        registry.register(histogram)
        return histogram
    kind = Counter if metric.kind == "counter" else Gauge
    found = kind(metric.name, metric.meaning, metric.labels, registry=registry)
    for values in metric.series:
        found.labels(*values)
    return found
