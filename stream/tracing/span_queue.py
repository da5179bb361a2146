"""Spans that wait to be sent: so many at most, and nobody waits for room."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags

from stream.telemetry import Metrics
from stream.tracing.conventions import Attribute

__all__ = ["MOST_LINKS", "Attributes", "SpanQueue", "context_of"]

MOST_SPANS = 4_096
"""That wait: a few MB. More are dropped, and counted."""

FULL = 512
"""Spans that are sent together: the SDK's own number."""

MOST_LINKS = 128
"""Of a span: the SDK's own limit."""

Attributes = dict[str, str | int | bool]

_UNSET, _ERROR = Status(StatusCode.UNSET), Status(StatusCode.ERROR)


def context_of(trace_id: int, span_id: int, flags: int = 1, *, remote: bool = False) -> SpanContext:
    """A span's context; it is sampled."""
    return SpanContext(trace_id, span_id, remote, TraceFlags(flags | TraceFlags.SAMPLED))


class SpanQueue:
    """Spans are added by the threads that work, and taken by the one that sends."""

    def __init__(self, metrics: Metrics, resource: Resource, scope: InstrumentationScope) -> None:
        """
        Args:
            metrics: count what becomes of spans.
            resource: who makes them.
            scope: with what.
        """
        self._metrics = metrics
        self._resource = resource
        self._scope = scope
        self._waiting: deque[ReadableSpan] = deque()
        self.full = threading.Event()
        """Set while there is enough to be sent."""

    def __len__(self) -> int:
        return len(self._waiting)

    def span(
        self,
        name: str,
        kind: SpanKind,
        context: SpanContext,
        parent: SpanContext | None,
        times_ns: tuple[int, int],
        attributes: Attributes,
        links: Sequence[SpanContext] = (),
    ) -> ReadableSpan:
        """A span that has ended; it failed where its attributes hold an `error.type`."""
        return ReadableSpan(
            name,
            context,
            parent,
            self._resource,
            attributes,
            (),
            [Link(each) for each in links[:MOST_LINKS]],
            kind,
            None,
            _ERROR if Attribute.ERROR in attributes else _UNSET,
            *times_ns,
            self._scope,
        )

    def put(self, spans: Sequence[ReadableSpan]) -> None:
        """Add spans; those for which there is no room are dropped. Never blocks."""
        room = max(0, MOST_SPANS - len(self._waiting))
        self._waiting.extend(spans[:room])
        if len(spans) > room:
            self.drop(len(spans) - room)
        if len(self._waiting) >= FULL:
            self.full.set()

    def drop(self, count: int) -> None:
        """So many spans are not sent."""
        self._metrics.add("stream_spans_total", count, result="dropped")

    def take(self) -> list[ReadableSpan]:
        """The oldest, `FULL` at most."""
        taken = [self._waiting.popleft() for _ in range(min(FULL, len(self._waiting)))]
        if len(self._waiting) < FULL:
            self.full.clear()
        return taken
