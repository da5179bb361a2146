"""
Spans of the REST service: one per request that is traced, a child of what its `traceparent` names.

Source: https://opentelemetry.io/docs/specs/semconv/http/http-spans/.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from opentelemetry.trace import SpanContext, SpanKind, TraceState

from stream.settings import TelemetrySettings
from stream.tracing.conventions import Attribute
from stream.tracing.sampling import Sampler
from stream.tracing.span_queue import Attributes, SpanQueue, context_of

__all__ = ["Exchange", "RequestSpans"]

_SERVER_ERROR = 500


@dataclass(frozen=True, slots=True)
class Exchange:
    """
    A request and how it was answered.

    Attributes:
        method: HTTP's.
        scheme: `http` or `https`.
        route: the endpoint.
        status: the answer's.
        model: `name@version` that answers.
    """

    method: str
    scheme: str
    route: str
    status: int
    model: str


class RequestSpans:
    """Used by the event loop's thread alone."""

    def __init__(
        self,
        queue: SpanQueue,
        settings: TelemetrySettings,
        clock: Callable[[], float] = time.monotonic,
        wall_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        """
        Args:
            queue: where spans go.
            settings: sampling.
            clock: monotonic seconds.
            wall_ns: nanoseconds since the epoch.
        """
        self._queue = queue
        self._clock = clock
        self._wall_ns = wall_ns
        self._sampler = Sampler(settings.sample, settings.max_per_second, clock, queue.drop)

    def answered(
        self, exchange: Exchange, traceparents: Sequence[str], tracestates: Sequence[str], since_s: float
    ) -> None:
        """
        A request has its answer, just now.

        Args:
            exchange: what was asked and answered.
            traceparents: the request's headers of that name.
            tracestates: the same.
            since_s: monotonic seconds when it came.
        """
        wanted, parent = self._sampler.request(traceparents)
        if not wanted:
            return
        now = self._wall_ns()
        times = now - int((self._clock() - since_s) * 1e9), now
        above = None
        trace_id = parent.trace_id if parent else self._sampler.new_trace()
        context = context_of(trace_id, self._sampler.new_span(), parent.flags if parent else 1)
        if parent is not None:
            above = context_of(trace_id, parent.span_id, parent.flags, remote=True)
            state = TraceState.from_header(list(tracestates))
            context = SpanContext(trace_id, context.span_id, False, context.trace_flags, state)
        name = f"{exchange.method} {exchange.route}"
        self._queue.put([self._queue.span(name, SpanKind.SERVER, context, above, times, _about(exchange))])


def _about(exchange: Exchange) -> Attributes:
    failed: Attributes = {Attribute.ERROR: str(exchange.status)} if exchange.status >= _SERVER_ERROR else {}
    return {
        Attribute.METHOD: exchange.method,
        Attribute.SCHEME: exchange.scheme,
        Attribute.ROUTE: exchange.route,
        Attribute.PATH: exchange.route,
        Attribute.STATUS: exchange.status,
        Attribute.MODEL: exchange.model,
        **failed,
    }
