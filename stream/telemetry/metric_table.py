"""
Every metric, declared once: name, kind, meaning, labels. `docs/metrics.md` is written from this table.

Names follow Prometheus' conventions (base units, `_total` for counters, `_timestamp_seconds` for moments).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from stream import reasons

__all__ = ["TABLE", "CounterName", "GaugeName", "HistogramName", "Metric", "Process"]

_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
_STAGE_SECONDS = (0.0002, 0.0005, *_SECONDS)
_LATENCY_SECONDS = (
    *(0.001, 0.002, 0.003, 0.005, 0.007, 0.01, 0.015, 0.02, 0.025, 0.03, 0.04, 0.05, 0.06, 0.08),
    *(0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0),
)
"""A worker answers within 5 to 60 ms as a rule: narrow there, wide where a backlog is worked off."""
_RECORDS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000)


Process: TypeAlias = Literal["worker", "serve"]
"""The commands that run until they are stopped."""

_BOTH: tuple[Process, ...] = ("worker", "serve")

CounterName: TypeAlias = Literal[
    "stream_commits_total",
    "stream_dead_letters_total",
    "stream_predictions_total",
    "stream_rebalances_total",
    "stream_records_total",
    "stream_reloads_total",
    "stream_requests_total",
    "stream_rows_total",
    "stream_skips_total",
    "stream_spans_total",
]
GaugeName: TypeAlias = Literal[
    "stream_build_info",
    "stream_consumable_lag_records",
    "stream_input_partitions",
    "stream_lag_records",
    "stream_lag_seconds",
    "stream_last_commit_timestamp_seconds",
    "stream_last_progress_seconds",
    "stream_memory_limit_bytes",
    "stream_model_created_timestamp_seconds",
    "stream_model_info",
    "stream_model_loaded_timestamp_seconds",
    "stream_partitions",
    "stream_queue_rows",
    "stream_ready",
    "stream_requests_in_flight",
    "stream_time_seconds",
    "stream_unacknowledged_records",
]
HistogramName: TypeAlias = Literal[
    "stream_batch_records",
    "stream_commit_seconds",
    "stream_latency_seconds",
    "stream_process_seconds",
    "stream_publish_seconds",
    "stream_request_seconds",
    "stream_stage_seconds",
]
"""A name that is not among these does not pass the type check where it is counted."""


@dataclass(frozen=True, slots=True)
class Metric:
    """
    One declaration.

    Attributes:
        name: as Prometheus shows it.
        kind: counter, gauge or histogram.
        meaning: one sentence, with the unit.
        labels: label names.
        buckets: of a histogram: upper bounds, ascending, without infinity.
        of: the processes that have it: workers, the REST service, or both.
        series: values of the labels that are shown from the start, as 0: neither `rate` nor `increase` sees a series'
            first value, so that the first of something rare would go unnoticed.
    """

    name: CounterName | GaugeName | HistogramName
    kind: Literal["counter", "gauge", "histogram"]
    meaning: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()
    of: tuple[Process, ...] = ("worker",)
    series: tuple[tuple[str, ...], ...] = ()


_LETTERS = tuple((reason.name, stage) for reason in reasons.TABLE for stage in reason.stages)

TABLE = (
    Metric("stream_records_total", "counter", "Input records read."),
    Metric(
        "stream_predictions_total",
        "counter",
        "Predictions sent to the output topic, forwarded nulls included.",
    ),
    Metric(
        "stream_dead_letters_total",
        "counter",
        "Records sent to the dead-letter topic.",
        ("reason", "stage"),
        series=_LETTERS,
    ),
    Metric(
        "stream_skips_total",
        "counter",
        "Records dropped because the settings say so.",
        ("reason",),
        series=(("null_value",),),
    ),
    Metric(
        "stream_latency_seconds",
        "histogram",
        "From a record's timestamp until its outcome is committed (at-least-once: acknowledged).",
        (),
        _LATENCY_SECONDS,
    ),
    Metric("stream_batch_records", "histogram", "Records, or rows, of a batch.", (), _RECORDS, _BOTH),
    Metric(
        "stream_process_seconds",
        "histogram",
        "Decoding, scoring and encoding of a batch.",
        (),
        _SECONDS,
        _BOTH,
    ),
    Metric(
        "stream_stage_seconds",
        "histogram",
        "One stage of processing a batch: `decode` (with the contract), `score` or `encode`.",
        ("stage",),
        _STAGE_SECONDS,
    ),
    Metric("stream_publish_seconds", "histogram", "Handing a batch's outputs to the producer.", (), _SECONDS),
    Metric(
        "stream_commit_seconds", "histogram", "Acknowledgement and commit of a span of batches.", (), _SECONDS
    ),
    Metric(
        "stream_commits_total",
        "counter",
        "Spans of batches ended, by result.",
        ("result",),
        series=(("ok",), ("moved_on",), ("aborted",), ("unknown",)),
    ),
    Metric(
        "stream_last_commit_timestamp_seconds", "gauge", "When the last span was committed, since the epoch."
    ),
    Metric(
        "stream_rebalances_total",
        "counter",
        "Assignments, revocations and losses of partitions.",
        ("kind",),
        series=(("assigned",), ("revoked",), ("lost",)),
    ),
    Metric("stream_partitions", "gauge", "Input partitions owned."),
    Metric(
        "stream_input_partitions",
        "gauge",
        "Partitions of the input topic, when a broker last answered; 0 before the first answer.",
    ),
    Metric("stream_lag_records", "gauge", "Records of an owned partition not read yet.", ("partition",)),
    Metric(
        "stream_consumable_lag_records",
        "gauge",
        "The same without what can't be read yet: records of upstream transactions that are still open.",
        ("partition",),
    ),
    Metric(
        "stream_lag_seconds",
        "gauge",
        "Age of an owned partition's oldest record that is not committed; 0 when nothing waits.",
        ("partition",),
    ),
    Metric("stream_unacknowledged_records", "gauge", "Outputs sent and not acknowledged yet."),
    Metric("stream_last_progress_seconds", "gauge", "Seconds since the engine last went round its loop."),
    Metric("stream_ready", "gauge", "1 when assigned, loaded and connected, else 0."),
    Metric(
        "stream_reloads_total",
        "counter",
        "New versions of the model that were found, by result.",
        ("result",),
        of=_BOTH,
        series=(("ok",), ("refused",), ("failed",)),
    ),
    Metric("stream_model_info", "gauge", "1 for the model that answers.", ("model",), of=_BOTH),
    Metric(
        "stream_model_created_timestamp_seconds",
        "gauge",
        "When the model that answers was packed, since the epoch.",
        of=_BOTH,
    ),
    Metric(
        "stream_model_loaded_timestamp_seconds",
        "gauge",
        "Since when it answers in this process, since the epoch.",
        of=_BOTH,
    ),
    Metric(
        "stream_build_info",
        "gauge",
        "1 for the versions that run.",
        ("version", "python", "scikit_learn"),
        of=_BOTH,
    ),
    Metric(
        "stream_time_seconds",
        "gauge",
        "This machine's clock at the moment of asking, since the epoch.",
        of=_BOTH,
    ),
    Metric(
        "stream_memory_limit_bytes",
        "gauge",
        "Memory that the process may use by its control groups (container, systemd); `+Inf` without a limit.",
        of=_BOTH,
    ),
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
        "REST: from the head of a request for predictions to its answer.",
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
    Metric(
        "stream_spans_total",
        "counter",
        "Spans for a collector, by result; 0 unless `[telemetry] traces` is on.",
        ("result",),
        of=_BOTH,
        series=(("sent",), ("failed",), ("dropped",)),
    ),
    Metric("stream_queue_rows", "gauge", "REST: rows that wait to be scored.", of=("serve",)),
)
