"""How old records are when their outcomes are committed."""

from __future__ import annotations

import pytest

from stream.records import Batch
from stream.telemetry import Metrics, quantile
from stream.worker import Tally


def _batch(timestamps_ms: list[int]) -> Batch:
    n = len(timestamps_ms)
    nothing: list[bytes | None] = [None] * n
    return Batch("in", [0] * n, list(range(n)), timestamps_ms, nothing, nothing, [None] * n)


@pytest.mark.parametrize("n", [1, 63, 64, 65, 127, 1_999, 2_000])
def test_latency_counts_each_record_once(n: int) -> None:
    """However many of a batch are measured, as many are counted as there are; so old as they were then."""
    metrics = Metrics()
    tally = Tally(metrics, wall=lambda: 1_000.0)
    tally.count(_batch([999_000] * n), [b""] * n, ago_s=0.4)
    found = metrics.histogram("stream_latency_seconds")

    assert n == sum(found.counts())
    assert pytest.approx(0.6 * n) == found.sum()


def test_latency_tells_five_milliseconds_from_sixty() -> None:
    """The buckets are narrow where a worker's answers lie."""
    metrics = Metrics()
    tally = Tally(metrics, wall=lambda: 1_000.0)
    ages_ms = [5] * 90 + [60] * 10
    tally.count(_batch([1_000_000 - age for age in ages_ms]), [b""] * 100)
    found = metrics.histogram("stream_latency_seconds")
    p50, p99 = (quantile(found.bounds, found.counts(), q) for q in (0.5, 0.99))

    assert p50 is not None
    assert p99 is not None
    assert (True, True) == (0.003 <= p50 <= 0.007, 0.05 <= p99 <= 0.08)


def test_record_without_timestamp_has_no_latency() -> None:
    """Nor has one that is ahead of the clock a negative one."""
    metrics = Metrics()
    Tally(metrics, wall=lambda: 1_000.0).count(_batch([0, 2_000_000]), [b""] * 2)
    found = metrics.histogram("stream_latency_seconds")

    assert (1, 0.0) == (sum(found.counts()), found.sum())
