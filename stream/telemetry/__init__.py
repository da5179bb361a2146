"""What a process reports about itself: the table of metrics."""

from stream.telemetry.metrics import TABLE, Metric, Metrics
from stream.telemetry.row_count import RowCount

__all__ = ["TABLE", "Metric", "Metrics", "RowCount"]
