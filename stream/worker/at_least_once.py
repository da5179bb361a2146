"""
At-least-once: a batch's outputs are published, acknowledged, and only then its offsets committed.

Batches are gathered in spans. A span ends in two steps: its outputs are awaited in the background
(`Background`) while the loop works on the next batch; then the loop commits its offsets. Nothing is published
before the span before has ended, so an offset is never committed while an output before it is still on its
way. The commit is the loop's own: one from another thread never returns once a rebalance callback runs
(confluent-kafka 2.16).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable

from stream.background import Background
from stream.deadline import Deadline
from stream.errors import MovedOn, Retriable, Stopped, StreamError
from stream.records import Partition
from stream.worker.delivery import LOOK_S, Outlets
from stream.worker.protocols import Reading
from stream.worker.span import ScoredBatch, Span
from stream.worker.timing import Timing

__all__ = ["AtLeastOnce"]

log = logging.getLogger(__name__)

COMMIT_AGAIN_S = 0.2
"""Between two tries of a commit that failed for now."""


class AtLeastOnce:
    """Used by the engine's thread alone, but for `stop_by`."""

    def __init__(self, outlets: Outlets, timing: Timing) -> None:
        """
        Args:
            outlets: where outputs, counts and timings go.
            timing: how old and how large a span may get, and how long its end may take.
        """
        self._outlets = outlets
        self._timing = timing
        self._source: Reading | None = None
        self.stop_by: Deadline | None = None
        """When the worker must have ended; set once it is asked to stop."""
        self._span: Span | None = None
        self._ending: Span | None = None
        self._ending_since = 0.0
        self._owed: dict[Partition, int] = {}
        self._unanswered: dict[Partition, int] = {}
        self._settlement = Background(StreamError)

    @property
    def holding(self) -> str:
        """Never anything: outputs are repeated by the client, records by whoever starts after a crash."""
        return ""

    @property
    def settling(self) -> bool:
        """See `Delivery.settling`."""
        return self._settlement.running

    def open(self, source: Reading, pause: Callable[[float], bool]) -> None:
        """See `Delivery.open`."""
        self._source = source

    def patience_s(self, idle_s: float) -> float:
        """See `Delivery.patience_s`."""
        return idle_s

    def retry(self) -> None:
        """See `Delivery.retry`: nothing is in hand."""

    def publish(self, scored: ScoredBatch) -> None:
        """
        Publish a batch once the span before has ended.

        Raises: Stopped when outputs can't be delivered; nothing of them is committed.
        Blocks until the outputs of the span before are acknowledged, and while the producer's queue is full.
        """
        self._await(None)
        started = self._outlets.clock()
        self._outlets.publisher.publish(scored)
        self._outlets.metrics.observe("stream_publish_seconds", self._outlets.clock() - started)
        self._span = self._span or Span(started)
        self._span.add(scored)

    def tend(self, *, drained: bool) -> None:
        """See `Delivery.tend`."""
        if self._source is not None:
            # What a commit could not make known is made up for by the next one, never by an older offset.
            for partition, offset in self._source.not_committed().items():
                self._owed[partition] = max(
                    offset, self._owed.get(partition, 0), self._unanswered.get(partition, 0)
                )
        if drained and self._settlement.wait(0):
            self._conclude(None)
        if self._due():
            self._end(None)

    def finish(self, budget: Deadline) -> None:
        """
        End everything and wait for it. Raises: Stopped as `publish`, also when the budget ran out.

        Args:
            budget: when to give up.
        """
        self._await(budget)
        # The last word must be answered: what was committed without waiting is committed once more.
        for partition, offset in self._unanswered.items():
            self._owed[partition] = max(offset, self._owed.get(partition, 0))
        if self._span is not None or self._owed:
            self._end(budget)
            self._await(budget)

    def give_up(self, partitions: Iterable[Partition], budget: Deadline) -> None:
        """See `Delivery.give_up`. Raises: Stopped as `publish`, also when the budget ran out."""
        try:
            self.finish(budget)
        finally:
            self.lose(partitions)

    def abandon(self) -> None:
        """See `Delivery.abandon`: nobody waits for an output that is not acknowledged."""

    def lose(self, partitions: Iterable[Partition]) -> None:
        """See `Delivery.lose`."""
        gone = list(partitions)
        for span in (self._span, self._ending):
            if span is not None:
                span.forget(gone)
        for partition in gone:
            self._owed.pop(partition, None)
            self._unanswered.pop(partition, None)

    def _due(self) -> bool:
        if self._span is None:
            return bool(self._owed) and not self._settlement.busy
        old = self._outlets.clock() - self._span.started >= self._timing.span_s
        large = self._span.value_bytes >= self._timing.span_bytes
        return old or large or self._span.records >= self._timing.span_records

    def _end(self, budget: Deadline | None) -> None:
        """Start the end of the open span in the background."""
        self._await(budget)
        span = self._span or Span(self._outlets.clock())
        self._span = None
        for partition, offset in self._owed.items():
            span.next_offsets.setdefault(partition, offset)
        self._owed = {}
        deadline = budget or Deadline.after(self._timing.settle_s)
        self._ending, self._ending_since = span, self._outlets.clock()
        self._settlement.start(lambda: self._settle(span, deadline))

    def _settle(self, span: Span, deadline: Deadline) -> None:
        """In the background: await the outputs."""
        self._outlets.publisher.settle(span, deadline)
        for scored in span.batches:
            self._outlets.tally.count(scored.batch, scored.outcomes)

    def _await(self, budget: Deadline | None) -> None:
        """Wait for the span before, and commit it. An unreachable broker makes this long, so it beats."""
        while not self._settlement.wait(LOOK_S):
            self._outlets.progress.beat()
            over = budget or self.stop_by
            if over is not None and over.over:
                raise Stopped(
                    "outputs were not acknowledged in the time there was; nothing of them is committed",
                    hint="look at the brokers; whoever reads these records next scores them again",
                )
        self._conclude(budget)

    def _conclude(self, budget: Deadline | None) -> None:
        """Commit the span whose outputs are there."""
        span, self._ending = self._ending, None
        if span is None:
            return
        # An unreachable broker makes the commit long; that is no dead loop.
        self._outlets.progress.allow(self._timing.settle_s)
        last = budget or self.stop_by
        # The last commit before partitions or the worker go must be answered; the others need not be waited for.
        self._commit(span, last or Deadline.after(self._timing.settle_s), wait=last is not None)
        self._outlets.progress.resume()
        self._outlets.metrics.observe("stream_commit_seconds", self._outlets.clock() - self._ending_since)

    def _commit(self, span: Span, deadline: Deadline, *, wait: bool) -> None:
        while self._source is not None and span.next_offsets:
            try:
                self._source.commit(span.next_offsets, wait=wait)
            except MovedOn as error:
                # The group is rebalancing. What stays ours is committed with the next span; what goes is
                # read again by its new owner.
                log.warning("not committed, the group has moved on: %s", error.message)
                self._outlets.metrics.add("stream_commits_total", result="moved_on")
                self._owed = dict(span.next_offsets)
                return
            except Retriable as error:
                if deadline.over:
                    raise Stopped(error.message, hint="look at the group's coordinator") from error
                log.warning("commit is tried again: %s", error.message)
                time.sleep(deadline.left_s(COMMIT_AGAIN_S))
            else:
                self._unanswered = {} if wait else {**self._unanswered, **span.next_offsets}
                self._outlets.metrics.add("stream_commits_total", result="ok")
                return
