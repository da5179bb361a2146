"""What a process reports about itself: the table of metrics."""

from stream.telemetry.histogram import Histogram, quantile
from stream.telemetry.memory_limit import memory_limit
from stream.telemetry.metric_table import TABLE, CounterName, GaugeName, HistogramName, Metric
from stream.telemetry.metrics import Metrics
from stream.telemetry.resident_memory import machine_memory, resident_memory
from stream.telemetry.row_count import RowCount
from stream.telemetry.stage_times import StageTimes

__all__ = [
    "TABLE",
    "CounterName",
    "GaugeName",
    "Histogram",
    "HistogramName",
    "Metric",
    "Metrics",
    "RowCount",
    "StageTimes",
    "machine_memory",
    "memory_limit",
    "quantile",
    "resident_memory",
]
