"""Rates, means and quantiles of the last seconds and of the last quarter of an hour."""

from __future__ import annotations

from typing import Any

import pytest

from stream.live import OF_SERVICE, OF_WORKER, STEP_S, Counters, Trail
from stream.telemetry import Metrics


def test_now_is_what_happened_since_about_ten_seconds() -> None:
    """Rates, the mean time of a batch, and quantiles; what is older doesn't count."""
    metrics, trail = Metrics(), Trail(OF_WORKER)
    metrics.observe_all("stream_latency_seconds", [(5.0, 100)])
    metrics.observe("stream_process_seconds", 2.0)
    trail.tick(Counters.read(metrics, 100.0), 0)
    for second in range(1, 31):
        metrics.add("stream_records_total", 50)
        metrics.add("stream_predictions_total", 49)
        metrics.add("stream_dead_letters_total", 1, reason="truncated", stage="decode")
        metrics.observe("stream_batch_records", 50)
        metrics.observe("stream_process_seconds", 0.004)
        metrics.observe_all("stream_latency_seconds", [(0.02, 49), (0.5, 1)])
        now = trail.now(Counters.read(metrics, 100.0 + second))

    assert (50.0, 49.0, 1.0) == tuple(
        now[f"{name}_per_second"] for name in ("records", "predictions", "dead_letters")
    )
    assert (50.0, 4.0, None) == (now["batch_records"], now["process_ms"], now["commit_ms"])
    assert now["p50_ms"] is not None
    assert now["p99_ms"] is not None
    assert 10 < now["p50_ms"] <= 25 < 200 < now["p99_ms"] <= 500


def test_history_keeps_a_quarter_of_an_hour() -> None:
    """A step without anything has no quantiles; the oldest go."""
    metrics, trail = Metrics(), Trail(OF_WORKER)
    for step in range(120):
        if step % 2:
            metrics.add("stream_records_total", 10 * step)
            metrics.observe_all("stream_latency_seconds", [(0.01, 1)])
        trail.tick(Counters.read(metrics, float(STEP_S * step)), step)
    found: Any = trail.history()

    assert 90 == len(found["lag_records"])
    assert [117, 118, 119] == found["lag_records"][-3:]
    assert [117.0, 0.0, 119.0] == found["records_per_second"][-3:]
    assert [True, False, True] == [each is not None for each in found["p50_ms"][-3:]]


def test_service_counts_rows_by_result() -> None:
    """Rows without a prediction take the place of dead letters."""
    metrics, trail = Metrics("serve"), Trail(OF_SERVICE)
    trail.tick(Counters.read(metrics, 0.0), None)
    metrics.add("stream_rows_total", 30, result="prediction")
    metrics.add("stream_rows_total", 10, result="error")
    now = trail.now(Counters.read(metrics, 10.0))

    assert (4.0, 3.0, 1.0) == tuple(
        now[f"{name}_per_second"] for name in ("records", "predictions", "dead_letters")
    )
    assert now["publish_ms"] is None


@pytest.mark.parametrize("of", ["worker", "serve"])
def test_first_look_has_no_rate(of: str) -> None:
    """One moment is not enough for one."""
    metrics = Metrics("worker" if of == "worker" else "serve")

    assert 0.0 == Trail(OF_WORKER).now(Counters.read(metrics, 5.0))["records_per_second"]
