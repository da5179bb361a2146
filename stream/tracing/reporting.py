"""The composition: settings → what makes spans, and what sends them and the metrics."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version

from opentelemetry.sdk.metrics.export import MetricsData
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from stream.settings import Settings, TelemetrySettings
from stream.telemetry import Metrics
from stream.tracing.collector import (
    MetricCollector,
    Signal,
    SpanCollector,
    address,
    check_headers,
    place_of,
    refusal_of,
)
from stream.tracing.conventions import SCHEMA_URL
from stream.tracing.otlp_metrics import metrics_data
from stream.tracing.reporter import Reporter
from stream.tracing.span_queue import SpanQueue

__all__ = ["Reporting", "Who", "ask_collectors", "open_reporting"]

log = logging.getLogger(__name__)

_PROGRAM = "prediction-stream"

_NOT_READ = ("OTEL_TRACES_SAMPLER", "OTEL_PROPAGATORS", "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE")
"""Variables of the SDK that somebody may have set, and that change nothing here."""


@dataclass(frozen=True, slots=True)
class Who:
    """
    The process, as a collector knows it.

    Attributes:
        service: `service.name`, unless OTEL_SERVICE_NAME says otherwise.
        instance: `service.instance.id`.
        worker: whether it reads and writes topics.
    """

    service: str
    instance: str
    worker: bool


@dataclass(frozen=True, slots=True)
class Reporting:
    """
    What a process has when it reports to a collector.

    Attributes:
        queue: where spans go; None = none are made.
        reporter: sends them and the metrics.
    """

    queue: SpanQueue | None
    reporter: Reporter


def open_reporting(
    settings: Settings,
    metrics: Metrics,
    who: Who,
    environ: Mapping[str, str] = os.environ,
) -> Reporting | None:
    """
    Get ready to report; nothing is sent yet.

    Args:
        settings: `[telemetry]`, of which something is on.
        metrics: the process's.
        who: the process.
        environ: the SDK's own variables; those that are not named here it reads itself.
    Returns: None where OTEL_SDK_DISABLED is `true`.
    Raises: SettingsError for an address or for headers that can't be used.
    """
    chosen = settings.telemetry
    if _disabled(environ):
        log.info("OTEL_SDK_DISABLED is set: nothing is sent to a collector")
        return None
    for name in _NOT_READ:
        if environ.get(name):
            log.warning("%s is set, but not read: docs/tracing.md says what decides in its place", name)
    check_headers(environ)
    headers = _headers(chosen)
    resource = _resource(who)
    scope = InstrumentationScope(_PROGRAM, version(_PROGRAM), SCHEMA_URL)
    queue = spans = measured = None
    if chosen.traces:
        queue = SpanQueue(metrics, resource, scope)
        spans = SpanCollector(address("traces", chosen, environ), headers)
    if chosen.metrics:
        measured = MetricCollector(address("metrics", chosen, environ), headers)
    began_ns = time.time_ns()

    def measure() -> MetricsData:
        messaging = settings if who.worker else None
        times = began_ns, time.time_ns()
        return metrics_data(metrics.own(), messaging, resource, scope, times)

    return Reporting(queue, Reporter(metrics, queue, spans, measure, measured, chosen.interval))


def ask_collectors(
    settings: Settings, timeout_s: float, environ: Mapping[str, str] = os.environ
) -> list[tuple[Signal, str, str]]:
    """
    Send each collector of a configuration a request in which nothing is.

    Args:
        settings: `[telemetry]`, of which something is on.
        timeout_s: for each.
        environ: as of `open_reporting`.
    Returns: signal, the collector's address without its path, and how it refused, empty where it did not; nothing
        where OTEL_SDK_DISABLED is `true`.
    Raises: as `open_reporting`.
    """
    chosen = settings.telemetry
    if _disabled(environ):
        return []
    check_headers(environ)
    wanted: dict[Signal, bool] = {"traces": chosen.traces, "metrics": chosen.metrics}
    urls = {signal: address(signal, chosen, environ) for signal, on in wanted.items() if on}
    headers = _headers(chosen)
    return [
        (signal, place_of(url), refusal_of(signal, url, headers, timeout_s)) for signal, url in urls.items()
    ]


def _disabled(environ: Mapping[str, str]) -> bool:
    return environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"


def _headers(chosen: TelemetrySettings) -> dict[str, str]:
    return {name: value.reveal() for name, value in chosen.headers.items()}


def _resource(who: Who) -> Resource:
    """Who reports: what the variables say counts more than what we know."""
    known = {
        "service.name": who.service,
        "service.version": version(_PROGRAM),
        "service.instance.id": who.instance,
        "telemetry.sdk.language": "python",
        "telemetry.sdk.name": "opentelemetry",
        "telemetry.sdk.version": version("opentelemetry-sdk"),
    }
    return Resource(known).merge(OTELResourceDetector().detect())
