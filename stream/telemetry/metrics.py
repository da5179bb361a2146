"""
Every metric, declared once: name, kind, meaning, labels. `docs/metrics.md` is written from this table.

Names follow Prometheus' conventions (base units, `_total` for counters).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import generate_latest

__all__ = ["TABLE", "Metric", "Metrics"]

_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
_RECORDS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000)


Process: TypeAlias = Literal["worker", "serve"]
"""The commands that run until they are stopped."""

_BOTH: tuple[Process, ...] = ("worker", "serve")


@dataclass(frozen=True, slots=True)
class Metric:
    """
    One declaration.

    Attributes:
        name: as Prometheus shows it.
        kind: counter, gauge or histogram.
        meaning: one sentence, with the unit.
        labels: label names.
        buckets: of a histogram.
        of: the processes that have it: workers, the REST service, or both.
    """

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    meaning: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()
    of: tuple[Process, ...] = ("worker",)


TABLE = (
    Metric("stream_records_total", "counter", "Input records read."),
    Metric(
        "stream_predictions_total",
        "counter",
        "Predictions sent to the output topic, forwarded nulls included.",
    ),
    Metric(
        "stream_dead_letters_total", "counter", "Records sent to the dead-letter topic.", ("reason", "stage")
    ),
    Metric("stream_skips_total", "counter", "Records dropped because the settings say so.", ("reason",)),
    Metric("stream_batch_records", "histogram", "Records, or rows, of a batch.", (), _RECORDS, _BOTH),
    Metric(
        "stream_process_seconds",
        "histogram",
        "Decoding, scoring and encoding of a batch.",
        (),
        _SECONDS,
        _BOTH,
    ),
    Metric("stream_publish_seconds", "histogram", "Handing a batch's outputs to the producer.", (), _SECONDS),
    Metric(
        "stream_commit_seconds", "histogram", "Acknowledgement and commit of a span of batches.", (), _SECONDS
    ),
    Metric("stream_commits_total", "counter", "Spans of batches ended, by result.", ("result",)),
    Metric(
        "stream_rebalances_total", "counter", "Assignments, revocations and losses of partitions.", ("kind",)
    ),
    Metric("stream_partitions", "gauge", "Input partitions owned."),
    Metric("stream_lag_records", "gauge", "Records of an owned partition not read yet.", ("partition",)),
    Metric("stream_unacknowledged_records", "gauge", "Outputs sent and not acknowledged yet."),
    Metric("stream_last_progress_seconds", "gauge", "Seconds since the engine last went round its loop."),
    Metric("stream_ready", "gauge", "1 when assigned, loaded and connected, else 0."),
    Metric(
        "stream_reloads_total",
        "counter",
        "New versions of the model that were found, by result.",
        ("result",),
        of=_BOTH,
    ),
    Metric("stream_model_info", "gauge", "1 for the model that answers.", ("model",), of=_BOTH),
    Metric(
        "stream_requests_total",
        "counter",
        "REST: requests answered, by endpoint and HTTP status.",
        ("endpoint", "status"),
        of=("serve",),
    ),
    Metric(
        "stream_request_seconds",
        "histogram",
        "REST: from a request's head to its answer.",
        (),
        _SECONDS,
        ("serve",),
    ),
    Metric(
        "stream_rows_total",
        "counter",
        "Rows scored, by result: `prediction` or `error`.",
        ("result",),
        of=_BOTH,
    ),
    Metric("stream_requests_in_flight", "gauge", "REST: requests that have no answer yet.", of=("serve",)),
    Metric("stream_queue_rows", "gauge", "REST: rows that wait to be scored.", of=("serve",)),
)

_KINDS = {"counter": Counter, "gauge": Gauge, "histogram": Histogram}


class Metrics:
    """The metrics of one process, in a registry of their own, so that two of them can live in one interpreter."""

    def __init__(self, of: Process = "worker") -> None:
        """
        Args:
            of: the kind of process; it has the metrics of `TABLE` that are declared for it.
        """
        self.registry = CollectorRegistry()
        self._found: dict[str, Counter | Gauge | Histogram] = {}
        for metric in (metric for metric in TABLE if of in metric.of):
            more = {"buckets": metric.buckets} if metric.buckets else {}
            self._found[metric.name] = _KINDS[metric.kind](
                metric.name, metric.meaning, metric.labels, registry=self.registry, **more
            )

    def add(self, name: str, amount: float = 1, **labels: str) -> None:
        """Raise a counter. Raises KeyError for a name that TABLE does not declare."""
        found = self._found[name]
        assert isinstance(found, Counter)
        (found.labels(**labels) if labels else found).inc(amount)

    def set(self, name: str, value: float, **labels: str) -> None:
        """Set a gauge. Raises KeyError for a name that TABLE does not declare."""
        found = self._found[name]
        assert isinstance(found, Gauge)
        (found.labels(**labels) if labels else found).set(value)

    def observe(self, name: str, value: float) -> None:
        """Count a value in a histogram. Raises KeyError for a name that TABLE does not declare."""
        found = self._found[name]
        assert isinstance(found, Histogram)
        found.observe(value)

    def clear(self, name: str) -> None:
        """Forget a gauge's labelled values, such as those of partitions that have gone."""
        self._found[name].clear()

    def value(self, name: str, **labels: str) -> float:
        """The value of a counter or gauge; the sum over all labels when none is given."""
        return sum(
            sample.value
            for family in self.registry.collect()
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )

    def by(self, name: str, label: str) -> dict[str, float]:
        """A counter's values by one of its labels."""
        totals: dict[str, float] = {}
        for family in self.registry.collect():
            for sample in family.samples:
                if sample.name == name:
                    totals[sample.labels[label]] = totals.get(sample.labels[label], 0) + sample.value
        return totals

    def text(self) -> bytes:
        """The exposition, as `/metrics` answers it."""
        return generate_latest(self.registry)
