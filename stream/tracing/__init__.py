"""
Spans and metrics for an OpenTelemetry collector: what the extra `otel` adds.

Its libraries are loaded only by those that ask for one of these names.
"""

from typing import TYPE_CHECKING

from stream.lazy import lazy_face

if TYPE_CHECKING:
    from stream.tracing.batch_spans import BatchSpans, Traced
    from stream.tracing.conventions import ATTRIBUTES, MESSAGING_METRICS, SCHEMA_URL, own_name
    from stream.tracing.reporter import Reporter
    from stream.tracing.reporting import Reporting, Who, ask_collectors, open_reporting
    from stream.tracing.request_spans import Exchange, RequestSpans

__all__ = [
    "ATTRIBUTES",
    "MESSAGING_METRICS",
    "SCHEMA_URL",
    "BatchSpans",
    "Exchange",
    "Reporter",
    "Reporting",
    "RequestSpans",
    "Traced",
    "Who",
    "ask_collectors",
    "open_reporting",
    "own_name",
]

__getattr__ = lazy_face(__name__)
