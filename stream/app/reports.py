"""What a process sends to an OpenTelemetry collector, if anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream.extras import require
from stream.settings import Settings
from stream.telemetry import Metrics

if TYPE_CHECKING:
    from stream.tracing import BatchSpans, Reporting, RequestSpans

__all__ = ["REPORT_S", "batch_spans", "reporting_of", "request_spans", "sends_telemetry"]

REPORT_S = 0.8
"""For what is left to be sent when the process ends; a worker must end within 10 s, whatever its collector does."""


def sends_telemetry(settings: Settings) -> bool:
    """Whether anything is sent. Raises: SettingsError when something is, and the extra is not installed."""
    chosen = settings.telemetry
    if not chosen.traces and not chosen.metrics:
        return False
    modules = "opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http"
    require("[telemetry]", "otel", *modules, otherwise=", or turn traces and metrics off there")
    return True


def reporting_of(
    settings: Settings, metrics: Metrics, service: str, instance: str, *, worker: bool
) -> Reporting | None:
    """
    What reports to the collector of `[telemetry]`; nothing is sent yet.

    Args:
        settings: the configuration.
        metrics: the process's.
        service: its name among others.
        instance: its own name among those of the service.
        worker: whether it reads and writes topics.
    Returns: None where nothing is reported: no library is loaded then.
    Raises: SettingsError when the extra is not installed, or the collector's address can't be used.
    """
    if not sends_telemetry(settings):
        return None
    from stream.tracing import Who, open_reporting

    return open_reporting(settings, metrics, Who(service, instance, worker))


def batch_spans(reporting: Reporting | None, settings: Settings) -> BatchSpans | None:
    """What makes a worker's spans; None where none are made."""
    if reporting is None or reporting.queue is None:
        return None
    from stream.tracing import BatchSpans

    return BatchSpans(reporting.queue, settings)


def request_spans(reporting: Reporting | None, settings: Settings) -> RequestSpans | None:
    """What makes the REST service's spans; None where none are made."""
    if reporting is None or reporting.queue is None:
        return None
    from stream.tracing import RequestSpans

    return RequestSpans(reporting.queue, settings.telemetry)
