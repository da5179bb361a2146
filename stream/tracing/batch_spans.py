"""
A worker's spans.

A batch with a record that is traced has a *process* span, a *send* span below it, and a link from the *commit* span of
its transaction: the conventions' structure for batches, where one span can't have every record's as its parent. Each
record that is traced has a span of its own besides, a child of the span that its `traceparent` names; the prediction
carries that span's id on. So a trace goes from the producer through the worker to who reads the prediction. A dead
letter keeps the headers that its record came with, so that one that is sent back goes on with its own trace.

A batch that is published again, after a transaction that was aborted, keeps the ids that it has. After a crash the
records are scored again: the trace is the same, with another span.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanContext, SpanKind, TraceState

from stream.records import Batch, DeadLetter, Headers, Outcome, Prediction
from stream.settings import Settings
from stream.tracing.conventions import COMMIT, PROCESS, SEND, Attribute, Operation
from stream.tracing.sampling import Sampler
from stream.tracing.span_queue import MOST_LINKS, Attributes, SpanQueue, context_of
from stream.tracing.trace_context import TRACESTATE, Parent, continued, traceparent

__all__ = ["BatchSpans", "Traced"]

Times = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Traced:
    """
    What a batch's spans leave for those after them.

    Attributes:
        batch: the batch's span.
        records: spans of its records, `MOST_LINKS` at most.
        headers: row → the headers that its prediction is sent with.
    """

    batch: SpanContext
    records: Sequence[SpanContext]
    headers: Mapping[int, Headers]

    def onto(self, headers: Sequence[Headers | None]) -> list[Headers | None]:
        """The headers of a batch's predictions, from those of its records; shape (n,)."""
        return [self.headers.get(i, each) for i, each in enumerate(headers)]

    def at(self, rows: Sequence[int]) -> Traced:
        """For some of the batch's records, as `Batch.take` takes them."""
        new = {old: i for i, old in enumerate(rows)}
        kept = {new[i]: headers for i, headers in self.headers.items() if i in new}
        return Traced(self.batch, self.records, kept)


class BatchSpans:
    """Used by the engine's thread and, one at a time, by the one that ends a transaction in its place."""

    def __init__(
        self,
        queue: SpanQueue,
        settings: Settings,
        clock: Callable[[], float] = time.monotonic,
        wall_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        """
        Args:
            queue: where spans go.
            settings: topics, group and sampling.
            clock: monotonic seconds.
            wall_ns: nanoseconds since the epoch.
        """
        self._queue = queue
        self._clock = clock
        self._wall_ns = wall_ns
        self._input, self._output = settings.input.topic, settings.output.topic
        self._group = settings.kafka.group
        chosen = settings.telemetry
        self._sampler = Sampler(chosen.sample, chosen.max_per_second, clock, queue.drop)

    def processed(
        self, batch: Batch, outcomes: Sequence[Outcome], model: str, seconds: float
    ) -> Traced | None:
        """
        A batch was scored, just now.

        Args:
            batch: n records.
            outcomes: shape (n,).
            model: `name@version` that answered.
            seconds: how long it took.
        Returns: None where none of its records is traced.
        """
        rows = self._sampler.rows(batch.headers)
        if not rows:
            return None
        now = self._clock()
        times = self._unix_ns(now - seconds), self._unix_ns(now)
        whole = context_of(self._sampler.new_trace(), self._sampler.new_span())
        shared = {**self._about(PROCESS, self._input, grouped=True), Attribute.MODEL: model}
        spans, headers = [], {}
        for i, parent in rows.items():
            span = self._of_record(batch, i, outcomes[i], parent, whole, times, shared)
            spans.append(span)
            if isinstance(outcomes[i], Prediction):
                context = span.context
                value = traceparent(context.trace_id, context.span_id, context.trace_flags)
                headers[i] = continued(batch.headers[i], value)
        parents = [span.parent for span in spans if span.parent is not None]
        attributes = {**shared, Attribute.COUNT: len(batch)}
        name = f"{PROCESS.name} {self._input}"
        self._queue.put(
            [*spans, self._queue.span(name, SpanKind.CONSUMER, whole, None, times, attributes, parents)]
        )
        return Traced(whole, [span.context for span in spans[:MOST_LINKS]], headers)

    def sent(self, traced: Traced, predictions: int, since_s: float) -> None:
        """A batch's predictions were handed to the producer, since then and until now, monotonic seconds."""
        if not predictions:
            return
        self._of_many(
            SEND,
            self._output,
            traced.batch,
            predictions,
            self._times(since_s, self._clock()),
            traced.records,
        )

    def committed(
        self, traced: Iterable[Traced], records: int, since_s: float, until_s: float, error: str = ""
    ) -> None:
        """
        A transaction, or what is committed without one, has ended.

        Args:
            traced: its batches with spans; without any, there is none for this either.
            records: of all its batches.
            since_s: monotonic seconds when its end was begun.
            until_s: monotonic seconds when it came.
            error: why it is not committed.
        """
        batches = [each.batch for each in traced]
        if batches:
            self._of_many(COMMIT, self._input, None, records, self._times(since_s, until_s), batches, error)

    def _of_record(
        self,
        batch: Batch,
        i: int,
        outcome: Outcome,
        parent: Parent | None,
        whole: SpanContext,
        times: Times,
        shared: Attributes,
    ) -> ReadableSpan:
        attributes = {
            **shared,
            Attribute.PARTITION: str(batch.partitions[i]),
            Attribute.OFFSET: batch.offsets[i],
            **_about(outcome),
        }
        if batch.values[i] is None:
            attributes[Attribute.TOMBSTONE] = True
        above = None
        trace_id, flags = self._sampler.new_trace() if parent is None else parent.trace_id, 1
        if parent is not None:
            flags = parent.flags
            above = context_of(trace_id, parent.span_id, flags, remote=True)
        context = context_of(trace_id, self._sampler.new_span(), flags)
        if parent is not None and (state := _state(batch.headers[i])):
            context = SpanContext(trace_id, context.span_id, False, context.trace_flags, state)
        return self._queue.span(
            f"{PROCESS.name} {self._input}", SpanKind.CONSUMER, context, above, times, attributes, [whole]
        )

    def _of_many(
        self,
        operation: Operation,
        topic: str,
        parent: SpanContext | None,
        records: int,
        times: Times,
        links: Sequence[SpanContext],
        error: str = "",
    ) -> None:
        attributes = {**self._about(operation, topic, grouped=operation is COMMIT), Attribute.COUNT: records}
        if error:
            attributes[Attribute.ERROR] = error
        trace_id = parent.trace_id if parent else self._sampler.new_trace()
        context = context_of(trace_id, self._sampler.new_span())
        name = f"{operation.name} {topic}"
        self._queue.put([self._queue.span(name, SpanKind.CLIENT, context, parent, times, attributes, links)])

    def _about(self, operation: Operation, topic: str, *, grouped: bool) -> Attributes:
        return {
            Attribute.SYSTEM: "kafka",
            Attribute.OPERATION: operation.name,
            Attribute.OPERATION_TYPE: operation.type,
            Attribute.DESTINATION: topic,
            **({Attribute.GROUP: self._group} if grouped else {}),
        }

    def _times(self, since_s: float, until_s: float) -> Times:
        return self._unix_ns(since_s), self._unix_ns(until_s)

    def _unix_ns(self, at_s: float) -> int:
        return self._wall_ns() - int((self._clock() - at_s) * 1e9)


def _about(outcome: Outcome) -> Attributes:
    if isinstance(outcome, DeadLetter):
        return {
            Attribute.OUTCOME: "dead_letter",
            Attribute.ERROR: outcome.reason,
            Attribute.REASON: outcome.reason,
            Attribute.STAGE: outcome.stage,
        }
    return {Attribute.OUTCOME: "prediction" if isinstance(outcome, Prediction) else "skip"}


def _state(headers: Headers | None) -> TraceState | None:
    """What tracing systems keep for themselves in `tracestate`; None where there is none."""
    found = [v.decode("latin-1") for name, v in headers or () if name == TRACESTATE and v]
    return TraceState.from_header(found) if found else None
