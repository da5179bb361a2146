"""
A process's metrics as OTLP has them.

They are read from the counters that `/metrics` shows, when they are sent: nothing is counted twice. Sums are cumulative
since the process began.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import isfinite
from typing import cast

from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    MetricsData,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.samples import Sample

from stream.settings import Settings
from stream.tracing.conventions import MESSAGING_METRICS, Attribute, MessagingMetric, own_name

__all__ = ["metrics_data"]

Times = tuple[int, int]
Attributes = Mapping[str, str]
Families = Sequence[tuple[Family, Attributes]]

_CUMULATIVE = AggregationTemporality.CUMULATIVE

_NAMES = {"reason": Attribute.REASON.value, "stage": Attribute.STAGE.value}
"""Labels whose attribute has another name under the conventions' names."""


def metrics_data(
    families: Iterable[Family],
    settings: Settings | None,
    resource: Resource,
    scope: InstrumentationScope,
    times_ns: Times,
) -> MetricsData:
    """
    All that is counted, under our names, and under the conventions' where they have one.

    Args:
        families: with their values.
        settings: a worker's, for topics and group; None = this is no worker, and has nothing to do with messages.
        resource: whose they are.
        scope: what counts them.
        times_ns: when the process began, and now; nanoseconds since the epoch.
    """
    found = {family.name: family for family in families}
    metrics = [_own(family, times_ns) for family in found.values()]
    if settings is not None:
        metrics += _messaging(found, settings, times_ns)
    by_scope = ScopeMetrics(scope, metrics, scope.schema_url or "")
    return MetricsData([ResourceMetrics(resource, [by_scope], resource.schema_url)])


def _own(family: Family, times: Times) -> Metric:
    name, unit = own_name(family.name)
    return _metric(name, unit, [(family, {})], times)


def _messaging(found: Mapping[str, Family], settings: Settings, times: Times) -> Iterator[Metric]:
    """The conventions' metrics; several of ours may be one of theirs, with another destination."""
    by_name: dict[str, list[MessagingMetric]] = {}
    for row in MESSAGING_METRICS:
        by_name.setdefault(row.name, []).append(row)
    for name, rows in by_name.items():
        families = [(found[row.source.removesuffix("_total")], _attributes(row, settings)) for row in rows]
        yield _metric(name, rows[0].unit, families, times)


def _attributes(row: MessagingMetric, settings: Settings) -> Attributes:
    topics = dict(zip(("input", "output", "dead_letters"), settings.topics, strict=True))
    return {
        Attribute.SYSTEM: "kafka",
        Attribute.OPERATION: row.operation.name,
        Attribute.OPERATION_TYPE: row.operation.type,
        Attribute.DESTINATION: topics[row.topic],
        **({Attribute.GROUP: settings.kafka.group} if row.group else {}),
    }


def _metric(name: str, unit: str, families: Families, times: Times) -> Metric:
    """One metric of one or more families of one kind, each with attributes of its own."""
    about = " ".join(dict.fromkeys(family.documentation for family, _ in families))
    kind = families[0][0].type
    if kind == "histogram":
        spread = [
            _spread(samples, _named(labels, more), times)
            for family, more in families
            for labels, samples in _rows(family.samples)
        ]
        return Metric(name, about, unit, Histogram(spread, _CUMULATIVE))
    numbers = [
        NumberDataPoint(_named(sample.labels, more), *times, sample.value)
        for family, more in families
        for sample in family.samples
        if not sample.name.endswith("_created") and isfinite(sample.value)  # no limit is no number
    ]
    data = Sum(numbers, _CUMULATIVE, is_monotonic=True) if kind == "counter" else Gauge(numbers)
    return Metric(name, about, unit, data)


def _named(labels: Attributes, more: Attributes) -> dict[str, str]:
    return {**more, **{_NAMES.get(name, name) if more else name: value for name, value in labels.items()}}


def _rows(samples: Sequence[Sample]) -> Iterator[tuple[Attributes, list[Sample]]]:
    """A histogram's samples by their labels."""
    found: dict[tuple[tuple[str, str], ...], list[Sample]] = {}
    for sample in samples:
        key = tuple((name, value) for name, value in sample.labels.items() if name != "le")
        found.setdefault(key, []).append(sample)
    for labels, each in found.items():
        yield dict(labels), each


def _spread(samples: Iterable[Sample], attributes: dict[str, str], times: Times) -> HistogramDataPoint:
    """Prometheus' buckets count what lies below each bound; OTLP's what lies between two."""
    bounds: list[float] = []
    below: list[int] = []
    total, summed = 0, 0.0
    for sample in samples:
        if sample.name.endswith("_bucket"):
            bounds.append(float(sample.labels["le"]))
            below.append(int(sample.value))
        elif sample.name.endswith("_count"):
            total = int(sample.value)
        elif sample.name.endswith("_sum"):
            summed = sample.value
    counts = [now - before for before, now in zip([0, *below[:-1]], below, strict=True)]
    # Nobody knows the least and the greatest; the encoder leaves out what is None, its types don't.
    unknown = cast(float, None)
    return HistogramDataPoint(
        attributes, *times, total, summed, counts, bounds[:-1], min=unknown, max=unknown
    )
