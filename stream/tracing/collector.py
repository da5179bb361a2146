"""
The collector: where it is, and what is sent to it.

The SDK's exporters send, and try again for the time they have; what they would log at each attempt is silenced, since
one line when a collector stops answering and one when it answers again is what people need.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NoReturn
from urllib.parse import SplitResult, urlsplit

import requests
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics.export import MetricExportResult, MetricsData
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.util.re import parse_env_headers
from requests.adapters import HTTPAdapter

from stream.errors import SettingsError
from stream.settings import TelemetrySettings

__all__ = ["MetricCollector", "Signal", "SpanCollector", "address", "check_headers", "place_of", "refusal_of"]

log = logging.getLogger(__name__)

Signal = Literal["traces", "metrics"]

_DEFAULT = "http://localhost:4318"
"""OTLP over HTTP's own."""

_GRPC_PORT = 4317


def address(signal: Signal, settings: TelemetrySettings, environ: Mapping[str, str]) -> str:
    """
    Where a signal is sent to.

    Args:
        signal: which.
        settings: theirs come first.
        environ: the SDK's own variables come next.
    Raises: SettingsError for an address that can't be used.
    """
    own, common = f"OTEL_EXPORTER_OTLP_{signal.upper()}_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"
    if settings.endpoint:
        return _checked("[telemetry] endpoint", settings.endpoint, f"/v1/{signal}")
    if not environ.get(own) and not environ.get(common):
        return f"{_DEFAULT}/v1/{signal}"
    protocol = environ.get(f"OTEL_EXPORTER_OTLP_{signal.upper()}_PROTOCOL") or environ.get(
        "OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"
    )
    if protocol != "http/protobuf":
        raise SettingsError(
            f"OTEL_EXPORTER_OTLP_PROTOCOL: {protocol}: spans and metrics are sent by http/protobuf only",
            hint="set [telemetry] endpoint to the collector's address for OTLP over HTTP, often port 4318",
        )
    if environ.get(own):
        return _checked(own, environ[own], "")
    return _checked(common, environ[common], f"/v1/{signal}")


def check_headers(environ: Mapping[str, str]) -> None:
    """
    Refuse variables with headers that the SDK can't read: it would log them, and they hold keys.

    Raises: SettingsError that names the variable.
    """
    refused: list[logging.LogRecord] = []

    def kept_back(record: logging.LogRecord) -> bool:
        refused.append(record)
        return False

    parsing = logging.getLogger(parse_env_headers.__module__)
    parsing.addFilter(kept_back)
    try:
        for signal in ("", "TRACES_", "METRICS_"):
            name = f"OTEL_EXPORTER_OTLP_{signal}HEADERS"
            parse_env_headers(environ.get(name, ""), liberal=True)
            if refused:
                raise SettingsError(
                    f"{name}: expected name=value, separated by commas",
                    hint="correct it, or give them in [telemetry] headers",
                )
    finally:
        parsing.removeFilter(kept_back)


def _checked(where: str, given: str, path: str) -> str:
    """A whole address from what a setting or variable says; what it says is not repeated: it may hold a secret."""
    expected = "expected an address such as http://collector:4318"
    try:
        parts = urlsplit(given)
        port = parts.port
    except ValueError:
        parts, port = SplitResult("", "", "", "", ""), None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise SettingsError(f"{where}: {expected}", hint="name the collector with http:// or https://")
    if parts.username is not None or parts.password is not None:
        raise SettingsError(
            f"{where}: holds a user", hint="give what the collector asks for in [telemetry] headers"
        )
    if path and (parts.query or parts.fragment or parts.path.rstrip("/").endswith(path)):
        raise SettingsError(f"{where}: {expected}", hint=f"{path} is added to it; leave out what follows")
    if port == _GRPC_PORT:
        log.warning("%s: port %d is gRPC's as a rule; OTLP over HTTP has 4318", where, port)
    return f"{given.rstrip('/')}{path}" if path else given


class _Watched(HTTPAdapter):
    """Keeps how the last request ended, without its address, which may hold a secret."""

    last = ""

    def send(self, *args: Any, **options: Any) -> requests.Response:
        """Send a request. Raises: what requests raises, also for a redirection: what was sent is not followed there."""
        try:
            answer = super().send(*args, **options)
        except OSError as error:  # requests' own errors, and files of certificates that are not there
            self.last = type(error).__name__
            raise
        self.last = f"HTTP {answer.status_code}"
        if answer.is_redirect or 300 <= answer.status_code < 400:
            _refuse(answer)
        return answer


def _refuse(answer: requests.Response) -> NoReturn:
    answer.close()
    raise requests.TooManyRedirects("the collector sends elsewhere")


def place_of(url: str) -> str:
    """An address without its path, which may hold a secret."""
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port else "")


def refusal_of(signal: Signal, url: str, headers: Mapping[str, str], timeout_s: float) -> str:
    """
    How a collector answers a request in which nothing is.

    Args:
        signal: what it is asked to take.
        url: whole, with its path.
        headers: sent along; the SDK's variable may name more.
        timeout_s: for all attempts.
    Returns: empty where it takes it; else how the last attempt ended.
    """
    session, watched = _session(url)
    given: dict[str, Any] = {"endpoint": url, "headers": headers, "session": session, "timeout": timeout_s}
    if signal == "traces":
        taken = OTLPSpanExporter(**given).export([]) is SpanExportResult.SUCCESS
    else:
        taken = OTLPMetricExporter(**given).export(MetricsData([])) is MetricExportResult.SUCCESS
    return "" if taken else watched.last or "no answer"


class _Line:
    """Says once that a collector takes nothing, and once that it does again."""

    def __init__(self, what: str, url: str, watched: _Watched) -> None:
        self._place = place_of(url)
        self._what = what
        self._watched = watched
        self.down = False
        self.over = False
        """Set when the process ends: that nothing is taken any more is no news then."""

    def note(self, *, taken: bool) -> bool:
        """How one attempt ended; returns it."""
        if not taken and not self.down and not self.over:
            log.warning(
                "%s takes no %s (%s); they are dropped until it does",
                self._place,
                self._what,
                self._watched.last or "no answer",
            )
        elif taken and self.down:
            log.info("%s takes %s again", self._place, self._what)
        self.down = not taken
        return taken


def _session(url: str) -> tuple[requests.Session, _Watched]:
    # Each attempt of the exporters is logged with the address; `_Line` says what matters of it.
    logging.getLogger("opentelemetry.exporter").setLevel(logging.CRITICAL)
    session, watched = requests.Session(), _Watched()
    session.mount(url.partition(":")[0] + "://", watched)
    return session, watched


class SpanCollector:
    """Takes spans. Used by one thread, except for `give_up`."""

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        """
        Args:
            url: whole, with its path.
            headers: sent with each request; the SDK's variable may name more.
        """
        session, watched = _session(url)
        self._exporter = OTLPSpanExporter(endpoint=url, headers=headers, session=session)
        self._line = _Line("spans", url, watched)

    @property
    def down(self) -> bool:
        """Whether it did not take the last that it was given."""
        return self._line.down

    def take(self, spans: Sequence[ReadableSpan]) -> bool:
        """Send spans; False when they are lost. Blocks for the exporter's timeout at most, 10 s by default."""
        return self._line.note(taken=self._exporter.export(spans) is SpanExportResult.SUCCESS)

    def give_up(self) -> None:
        """Wait for no further attempt. Any thread may call it; nothing can be sent any more."""
        self._line.over = True
        self._exporter.shutdown()  # type: ignore[no-untyped-call]


class MetricCollector:
    """Takes metrics. Used by one thread, except for `give_up`."""

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        """Args: as `SpanCollector`."""
        session, watched = _session(url)
        self._exporter = OTLPMetricExporter(endpoint=url, headers=headers, session=session)
        self._line = _Line("metrics", url, watched)

    @property
    def down(self) -> bool:
        """Whether it did not take the last that it was given."""
        return self._line.down

    def take(self, metrics: MetricsData) -> bool:
        """Send metrics; False when it does not take them. Blocks as `SpanCollector.take`."""
        return self._line.note(taken=self._exporter.export(metrics) is MetricExportResult.SUCCESS)

    def give_up(self) -> None:
        """As `SpanCollector.give_up`."""
        self._line.over = True
        self._exporter.shutdown()
