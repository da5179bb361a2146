"""What the worker says of itself: the metric table."""

from stream.telemetry.metrics import TABLE, Metric, Metrics
from stream.telemetry.row_count import RowCount

__all__ = ["TABLE", "Metric", "Metrics", "RowCount"]
