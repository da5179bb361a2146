"""
At-least-once: a batch's outputs are published, acknowledged, and only then its offsets committed.

Batches are gathered in spans. A span ends in two steps: its outputs are awaited in the background
(`Settlement`) while the loop works on the next batch; then the loop commits its offsets. Nothing is published
before the span before has ended, so an offset is never committed while an output before it is still on its
way. The commit is the loop's own: one from another thread never returns once a rebalance callback runs
(confluent-kafka 2.16).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator

from stream.deadline import Deadline
from stream.errors import DeadLetterRefused, DeliveryFailed, MovedOn, Retriable, Stopped
from stream.records import Batch, Outgoing, Partition
from stream.transport import Refusal
from stream.worker.delivery import Outlets
from stream.worker.pace import Pace
from stream.worker.positions import Positions
from stream.worker.protocols import Reading, Sending
from stream.worker.publisher import letter_of, refused_dead_letter
from stream.worker.settlement import Ended, Settlement
from stream.worker.span import ScoredBatch, Span
from stream.worker.timing import Timing

__all__ = ["AtLeastOnce"]

log = logging.getLogger(__name__)

COMMIT_AGAIN_S = 0.2
"""Between two attempts at a commit that failed for now."""


class AtLeastOnce:
    """Used by the engine's thread alone, except for `stop_by` and `settling`."""

    def __init__(self, outlets: Outlets, sink: Sending, timing: Timing) -> None:
        """
        Args:
            outlets: where outputs, counts and timings go; its publisher sends to `sink`.
            sink: the producer side.
            timing: how old and how large a span may get, and how long its end may take.
        """
        self._outlets = outlets
        self._sink = sink
        self._timing = timing
        self._pace = Pace(timing)
        self._span: Span | None = None
        self._owed: dict[Partition, int] = {}
        self._unanswered: dict[Partition, int] = {}
        self._positions = Positions(outlets.clock)
        self._settlement = Settlement(
            outlets.progress,
            outlets.clock,
            "outputs were not acknowledged in the time there was; nothing of them is committed",
        )
        self._source: Reading

    @property
    def holding(self) -> str:
        """Never anything: the client retries outputs; whoever starts after a crash reads the records again."""
        return ""

    @property
    def settling(self) -> bool:
        """See `Delivery.settling`."""
        return self._settlement.running

    def stop_by(self, deadline: Deadline) -> None:
        """See `Delivery.stop_by`."""
        self._settlement.stop_by = deadline

    def open(self, source: Reading, pause: Callable[[float], bool]) -> None:
        """See `Delivery.open`."""
        self._source = source

    def uncommitted(self) -> Iterator[Batch]:
        """See `Delivery.uncommitted`."""
        return self._settlement.batches(self._span)

    def patience_s(self, idle_s: float) -> float:
        """See `Delivery.patience_s`."""
        return idle_s

    def ready_s(self) -> float:
        """See `Delivery.ready_s`: outputs may be on their way while others are."""
        return 0.0

    def retry(self) -> None:
        """See `Delivery.retry`: nothing is in hand."""

    def publish(self, scored: ScoredBatch) -> None:
        """
        See `Delivery.publish`.

        Blocks until the outputs of the span before are acknowledged, and while the producer's queue is full.
        """
        scored = self._outlets.traced(scored)
        self._await(None)
        started = self._outlets.clock()
        self._outlets.publisher.publish(scored)
        self._outlets.published(scored, started)
        self._span = self._span or Span(started)
        self._span.add(scored)

    def tend(self, *, drained: bool) -> None:
        """See `Delivery.tend`."""
        # What one commit could not make known is committed with the next one, never with an older offset.
        for partition, offset in self._source.not_committed().items():
            self._owed[partition] = max(
                offset, self._owed.get(partition, 0), self._unanswered.get(partition, 0)
            )
        self._positions.reached(self._source.ends())
        if drained:
            self._conclude(self._settlement.look(), None)
        if self._due():
            self._end(None)

    def finish(self, budget: Deadline) -> None:
        """See `Delivery.finish`."""
        self._await(budget)
        # The last commit must be answered, so what was committed without waiting is committed once more.
        for partition, offset in self._unanswered.items():
            self._owed[partition] = max(offset, self._owed.get(partition, 0))
        if self._span is not None or self._owed or self._positions:
            self._end(budget)
            self._await(budget)

    def give_up(self, partitions: Iterable[Partition], budget: Deadline) -> None:
        """See `Delivery.give_up`. Raises: as `finish`."""
        try:
            self.finish(budget)
        finally:
            self.lose(partitions)

    def abandon(self) -> None:
        """See `Delivery.abandon`: nobody waits for an output that is not acknowledged."""

    def lose(self, partitions: Iterable[Partition]) -> None:
        """See `Delivery.lose`."""
        gone = list(partitions)
        for span in (self._span, self._settlement.span):
            for partition in gone:
                if span is not None:
                    span.next_offsets.pop(partition, None)
        self._positions.forget(gone)
        for partition in gone:
            self._owed.pop(partition, None)
            self._unanswered.pop(partition, None)

    def _due(self) -> bool:
        if self._span is None:
            return (bool(self._owed) or self._positions.due) and not self._settlement.busy
        return self._pace.due(self._span, self._outlets.clock(), drained=False)

    def _end(self, budget: Deadline | None) -> None:
        """Start the end of the open span in the background."""
        self._await(budget)
        span = self._span or Span(self._outlets.clock())
        self._span = None
        for partition, offset in self._owed.items():
            span.next_offsets.setdefault(partition, offset)
        self._owed = {}
        self._positions.join(span.next_offsets)
        deadline = budget or Deadline.after(self._timing.settle_s)
        self._settlement.start(span, lambda: self._settle(span, deadline))

    # ---- in the background: outputs are awaited, and what is refused becomes a dead letter ----

    def _settle(self, span: Span, deadline: Deadline) -> None:
        """
        Wait until every output of a span is acknowledged; what the broker refused becomes a dead letter.

        Raises: DeadLetterRefused when the dead-letter topic refuses one for anything but its timestamp;
            Stopped when something could not be delivered. Nothing of the span may then be committed.
        """
        refusals = self._sink.flush(deadline)
        while refusals and not deadline.over:
            for refusal in refusals:
                if refusal.topic == self._outlets.publisher.topics.dead_letters:
                    self._bury_again(refusal)
                else:
                    self._bury(span, refusal)
            refusals = self._sink.flush(deadline)
        if refusals:
            raise DeliveryFailed(f"{refusals[0].topic} went on refusing records: {refusals[0].message}")
        for scored in span.batches:
            self._outlets.tally.count(scored.batch, scored.outcomes, model=scored.model)

    def _bury(self, span: Span, refusal: Refusal) -> None:
        """
        A refused prediction: its record becomes a dead letter.

        Each record is found once: forwarded nulls of one key look alike.
        """
        letter = letter_of(refusal)
        for scored in span.batches:
            row = scored.find(refusal.key, refusal.value)
            if row is not None:
                scored.outcomes[row] = letter
                now = refusal.reason == "timestamp_refused"
                self._outlets.publisher.bury(scored, row, letter, now=now)
                return
        raise DeadLetterRefused(
            f"{refusal.topic} refused a record that is not of this span: {refusal.message}"
        )

    def _bury_again(self, refusal: Refusal) -> None:
        """A refused dead letter: sent again with the current time if it was the timestamp; else the worker stops."""
        if refusal.reason != "timestamp_refused":
            raise refused_dead_letter(refusal)
        self._sink.send(Outgoing.one(refusal.topic, refusal.key, refusal.value, 0, refusal.headers))

    # ---- in the engine's thread: offsets are committed ----

    def _await(self, budget: Deadline | None) -> None:
        self._conclude(self._settlement.wait(budget), budget)

    def _conclude(self, ended: Ended | None, budget: Deadline | None) -> None:
        """Commit the span whose outputs are acknowledged."""
        if ended is None:
            return
        if ended.error is not None:
            raise ended.error
        # An unreachable broker makes the commit slow; that is not a stuck loop.
        self._outlets.progress.allow(self._timing.settle_s)
        last = budget or self._settlement.stop_by
        # The last commit before partitions or the worker go must be answered; the others need not be waited for.
        self._commit(ended, last or Deadline.after(self._timing.settle_s), wait=last is not None)
        self._outlets.progress.resume()
        self._outlets.metrics.observe("stream_commit_seconds", self._outlets.clock() - ended.since)

    def _commit(self, ended: Ended, deadline: Deadline, *, wait: bool) -> None:
        span = ended.span
        while span.next_offsets:
            try:
                self._source.commit(span.next_offsets, wait=wait)
            except MovedOn as error:
                # The group is rebalancing. What stays ours is committed with the next span; what goes is
                # read again by its new owner.
                self._outlets.failed(span.batches, error, "not committed, the group has moved on")
                self._owed = dict(span.next_offsets)
                return
            except Retriable as error:
                if deadline.over:
                    raise Stopped(error.message, hint="look at the group's coordinator") from error
                log.warning("commit is tried again: %s", error.message)
                time.sleep(deadline.left_s(COMMIT_AGAIN_S))
            else:
                self._unanswered = {} if wait else {**self._unanswered, **span.next_offsets}
                self._positions.committed(span.next_offsets)
                self._outlets.tally.committed()
                self._outlets.ended(span.batches, ended.since, self._outlets.clock())
                return
