"""What the worker says of itself: the metric table."""

from stream.telemetry.metrics import TABLE, Metric, Metrics

__all__ = ["TABLE", "Metric", "Metrics"]
