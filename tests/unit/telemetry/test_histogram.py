"""Histograms: the exposition is Prometheus' own, and a share of the values lies where Prometheus says."""

from __future__ import annotations

from math import inf

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client import Histogram as Reference

from stream.telemetry import Histogram, quantile

VALUES = (0.0, 0.001, 0.0011, 0.5, 0.9999, 1.0, 7.0, 3600.0, 5000.0)
BOUNDS = (0.001, 1.0, 3600.0)


def _lines(registry: CollectorRegistry) -> list[str]:
    """Without the time at which the client library's own was made."""
    return [line for line in generate_latest(registry).decode().splitlines() if "_created" not in line]


@pytest.mark.parametrize("labels", [(), ("stage",)])
def test_exposition_is_that_of_the_client_library(labels: tuple[str, ...]) -> None:
    """Value by value, with labels and without, on bounds and beyond them."""
    theirs, ours = CollectorRegistry(), CollectorRegistry()
    reference = Reference("h_seconds", "Meaning.", labels, buckets=BOUNDS, registry=theirs)
    found = Histogram("h_seconds", "Meaning.", labels, BOUNDS)
    ours.register(found)
    assert _lines(theirs) == _lines(ours)
    for value in VALUES:
        (reference.labels(*labels) if labels else reference).observe(value)
        found.observe(value, labels)

    assert _lines(theirs) == _lines(ours)


def test_weighted_values_count_as_often_as_they_say() -> None:
    """Counts and sum are those of single values."""
    one, many = (Histogram("h", "Meaning.", (), BOUNDS) for _ in range(2))
    one.observe_all([(0.5, 3), (7.0, 2)])
    for value in (0.5, 0.5, 0.5, 7.0, 7.0):
        many.observe(value)

    assert (many.counts(), many.sum()) == (one.counts(), one.sum())


@pytest.mark.parametrize(
    ("counts", "q", "expected"),
    [
        ((0, 0, 0), 0.5, None),
        ((10, 0, 0), 0.5, 0.5),
        ((0, 10, 0), 0.5, 2.0),
        ((5, 5, 0), 0.5, 1.0),
        ((5, 5, 0), 0.75, 2.0),
        ((0, 0, 4), 0.5, 3.0),
        ((0, 4, 0), 0.0, 1.0),
    ],
)
def test_quantile_is_as_prometheus_estimates_it(
    counts: tuple[int, ...], q: float, expected: float | None
) -> None:
    """By straight line within a bucket; beyond the last bound, that bound."""
    assert expected == quantile((1.0, 3.0, inf), counts, q)
