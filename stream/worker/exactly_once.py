"""
Exactly-once: a span's outputs and its input offsets are committed in one Kafka transaction.

A span's end is awaited in the background (`Background`) while the loop works on the next batch; nothing is
published before it has ended. Records of a transaction that could not be committed stay in hand: they are
published again as they are, in order, before any others, so that the consumer is never taken back. What goes to
other workers leaves the hand with its partition.

Source: docs/guarantees.md; KIP-98, KIP-447.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Iterable

from stream.background import Background
from stream.deadline import Deadline
from stream.errors import Aborted, MovedOn, OutcomeUnknown, Retriable, StartupTimeout, Stopped, StreamError
from stream.records import Partition
from stream.transport import GroupMetadata, Refusal
from stream.worker.delivery import LOOK_S, Outlets
from stream.worker.pace import Pace
from stream.worker.phases import Event, Phase, Phases
from stream.worker.protocols import Reading, Transacting
from stream.worker.renewal import Renewal
from stream.worker.span import ScoredBatch, Span
from stream.worker.timing import Timing
from stream.worker.uncommitted import Uncommitted

__all__ = ["ExactlyOnce"]

log = logging.getLogger(__name__)

START_S = 60.0
"""For the transaction's coordinator to answer at start; it ends the last transaction of this id meanwhile."""

TRY_S = 2.0
"""For one try of what is tried again and again; then the loop goes round, and the group hears of this worker."""

ABANDON_S = 2.0
"""For the abort of a worker that ends with an error; the broker's own time-out does it otherwise."""

AGAIN_S = 0.1
"""Between two tries when the worker must finish."""


class ExactlyOnce:
    """Used by the engine's thread alone, but for `stop_by`."""

    def __init__(self, outlets: Outlets, sink: Transacting, timing: Timing) -> None:
        """
        Args:
            outlets: where outputs, counts and timings go; its publisher sends to `sink`.
            sink: the transactions.
            timing: how old and how large a transaction may get.
        """
        self._outlets = outlets
        self._sink = sink
        self._timing = timing
        self.stop_by: Deadline | None = None
        """When the worker must have ended; set once it is asked to stop."""
        self.phases = Phases()
        self._hand = Uncommitted(outlets.publisher.topics.dead_letters, outlets.clock)
        self._renewal = Renewal(sink, outlets.clock)
        self._settlement = Background(StreamError)
        self._span: Span | None = None
        self._ending: Span | None = None
        self._ending_since = 0.0
        self._ended_at = 0.0
        self._gone: set[Partition] = set()
        """Partitions that went while the span before was being committed."""
        self._refusals: list[Refusal] = []
        self._opened = 0.0
        self._pace = Pace(timing)
        self._source: Reading

    # ---- the usual way ----

    @property
    def settling(self) -> bool:
        """See `Delivery.settling`."""
        return self._settlement.running

    def open(self, source: Reading, pause: Callable[[float], bool]) -> None:
        """See `Delivery.open`. Raises: StartupTimeout when the coordinator does not answer."""
        self._source = source
        deadline = Deadline.after(START_S)
        while True:
            try:
                self._sink.start(Deadline.after(TRY_S))
            except Retriable as error:
                log.warning("waiting for the transaction coordinator: %s", error.message)
                if deadline.over:
                    raise StartupTimeout(error.message, hint="look at the brokers") from error
                if pause(AGAIN_S):
                    return
            except OutcomeUnknown as error:
                raise Stopped(error.message, hint="restart the worker") from error
            else:
                self.phases.on(Event.STARTED)
                return

    def publish(self, scored: ScoredBatch) -> None:
        """See `Delivery.publish`. Blocks until the span before has ended, and while the producer's queue is full."""
        self._await(None)
        if self.holding:
            self._hand.add(scored)
            return
        started = self._outlets.clock()
        self._pace.judging_s = scored.seconds
        try:
            if self._span is None:
                self._begin()
                self._span = Span(started)
            self._span.add(scored)
            self._outlets.publisher.publish(scored)
        except (Aborted, OutcomeUnknown) as error:
            span, self._span = self._span, None
            self._fail(error, span.batches if span else [scored])
        self._outlets.metrics.observe("stream_publish_seconds", self._outlets.clock() - started)

    def tend(self, *, drained: bool) -> None:
        """See `Delivery.tend`."""
        if drained and self._settlement.busy:
            self._look()
        if self._span is not None and self._pace.due(self._span, self._outlets.clock(), drained=drained):
            self._end(None)

    def patience_s(self, idle_s: float) -> float:
        """See `Delivery.patience_s`: an open transaction is not kept open for a record that may not come."""
        return self._pace.patience_s(self._span, self._outlets.clock(), idle_s)

    def _begin(self) -> None:
        self._opened = self._outlets.clock()
        try:
            self._sink.begin()
        except Aborted as error:
            raise OutcomeUnknown(error.message) from error
        self.phases.on(Event.OPENED)

    def _end(self, budget: Deadline | None) -> None:
        """Start the end of the open span in the background."""
        self._await(budget)
        span, self._span = self._span, None
        if span is None:
            return
        self._ending, self._ending_since, self._gone = span, self._outlets.clock(), set()
        self.phases.on(Event.ENDING)
        group, deadline = self._source.group(), Deadline.after(self._sink.timeout_s)
        self._settlement.start(lambda: self._settle_behind(span.next_offsets, group, deadline))

    def _settle_behind(self, offsets: dict[Partition, int], group: GroupMetadata, deadline: Deadline) -> None:
        self._settle(offsets, group, deadline)
        # Here, and not where it is noticed: the loop may be waiting for a record meanwhile.
        self._ended_at = self._outlets.clock()

    def _settle(self, offsets: dict[Partition, int], group: GroupMetadata, deadline: Deadline) -> None:
        """
        End the open transaction: 1 outputs are written, 2 offsets belong to it, 3 it is committed.

        Raises: Aborted, MovedOn, OutcomeUnknown, a kind of Stopped; nothing is visible but perhaps after
            OutcomeUnknown.
        """
        self._refusals = self._sink.flush(deadline)  # 1
        if self._refusals:
            one, together = self._refusals[0], any(each.doubtful for each in self._refusals)
            number = f"one or more of {len(self._refusals)}" if together else f"{len(self._refusals)}"
            raise Aborted(f"{number} outputs of {one.topic} were refused: {one.message}")
        self._sink.add_offsets(offsets, group, deadline)  # 2
        self._sink.commit(deadline)  # 3

    def _await(self, budget: Deadline | None) -> None:
        """Wait for the end of the span before. An unreachable broker makes this long, so it beats."""
        while not self._look(LOOK_S):
            self._outlets.progress.beat()
            over = budget or self.stop_by
            if over is not None and over.over:
                raise Stopped(
                    "a transaction was not committed in the time there was; nobody sees anything of it",
                    hint="look at the brokers; whoever reads these records next scores them again",
                )

    def _look(self, wait_s: float = 0.0) -> bool:
        """Whether the span before has ended; if so, it is dealt with."""
        try:
            if not self._settlement.wait(wait_s):
                return False
        except (Aborted, MovedOn, OutcomeUnknown) as error:
            span, self._ending = self._ending, None
            self._fail(error, span.batches if span else [], self._gone)
            return True
        span, self._ending = self._ending, None
        if span is not None:
            self.phases.on(Event.COMMITTED)
            self._count(span.batches, self._ended_at - self._ending_since)
        return True

    def _count(self, batches: Iterable[ScoredBatch], seconds: float) -> None:
        self._pace.committed(seconds)
        self._outlets.metrics.add("stream_commits_total", result="ok")
        self._outlets.metrics.observe("stream_commit_seconds", seconds)
        for scored in batches:
            self._outlets.tally.count(scored.batch, scored.outcomes)

    # ---- when a transaction can't be committed ----

    @property
    def holding(self) -> str:
        """See `Delivery.holding`."""
        return self._hand.why if self._hand or self.phases.now is Phase.UNSURE else ""

    def _fail(self, error: StreamError, batches: list[ScoredBatch], gone: Collection[Partition] = ()) -> None:
        """Take a transaction's records in hand, but those of partitions that went meanwhile, and end it."""
        if error.message != self._hand.why or not self._hand:
            log.warning("a transaction is not committed, its records are sent again: %s", error.message)
        self._hand.take_back(batches, error.message, gone)
        result = {MovedOn: "moved_on", OutcomeUnknown: "unknown"}.get(type(error), "aborted")
        self._outlets.metrics.add("stream_commits_total", result=result)
        if isinstance(error, OutcomeUnknown):
            self._doubt(error)
        else:
            self.phases.on(Event.FAILED)
            self._abort(Deadline.after(self._sink.timeout_s))
        refusals, self._refusals = self._refusals, []
        self._hand.note(refusals)

    def _doubt(self, error: OutcomeUnknown) -> None:
        self.phases.on(Event.DOUBTED)
        self._renewal.need(error, self._outlets.clock() - self._opened)

    def _abort(self, deadline: Deadline) -> None:
        self._outlets.progress.allow(self._sink.timeout_s)
        try:
            self._sink.abort(deadline)
        except OutcomeUnknown as error:
            self._doubt(error)
        else:
            self.phases.on(Event.ABORTED)
        self._emptied()

    def _emptied(self) -> None:
        if not self._hand and self.phases.now is Phase.HOLDING:
            self.phases.on(Event.EMPTIED)

    def retry(self) -> None:
        """See `Delivery.retry`. Raises: Stopped when it has been tried for too long."""
        self._attempt(Deadline.after(TRY_S))
        if self.holding and self._hand.age_s > self._timing.hold_s:
            raise Stopped(
                f"transactions could not be committed for {self._hand.age_s:.0f} s: {self.holding}",
                hint="look at the brokers; a restart goes on at the last commit",
            )

    def _attempt(self, budget: Deadline) -> None:
        """Publish what is in hand, a transaction for each batch, until one fails."""
        if self.phases.now is Phase.UNSURE and not self._renew(budget):
            return
        while self._hand and self.phases.now in (Phase.HOLDING, Phase.READY):
            self._outlets.progress.beat()
            try:
                self._again(self._hand.first)
            except (Aborted, MovedOn, OutcomeUnknown) as error:
                refused = bool(self._refusals)
                self._fail(error, [])
                if not refused:
                    return
        self._emptied()
        if not self.holding:
            log.info("the records in hand are committed; going on")

    def _again(self, scored: ScoredBatch) -> None:
        """One batch in hand, in a transaction of its own. Raises: as `_settle`."""
        started = self._outlets.clock()
        self._begin()
        self._outlets.publisher.publish(scored)
        self.phases.on(Event.ENDING)
        deadline = Deadline.after(self._sink.timeout_s)
        self._settle(scored.next_offsets(), self._source.group(), deadline)
        self.phases.on(Event.COMMITTED)
        self._hand.committed()
        self._count([scored], self._outlets.clock() - started)

    def _renew(self, budget: Deadline) -> bool:
        """A new producer; then the group's offsets tell what was committed. False = not yet."""
        self._outlets.progress.allow(self._sink.timeout_s)
        if self._renewal.twin:
            self.phases.on(Event.TWIN)
        try:
            self._renewal.take(budget)
            offsets = self._source.committed(self._hand.partitions, Deadline.after(TRY_S))
        except (Retriable, MovedOn) as error:
            log.warning("waiting for a new producer: %s", error.message)
            return False
        except OutcomeUnknown as error:
            self._doubt(error)
            return False
        self._hand.skip_to(offsets)
        self.phases.on(Event.STARTED)
        self._emptied()
        return True

    # ---- when the worker stops, or partitions go ----

    def finish(self, budget: Deadline) -> None:
        """See `Delivery.finish`."""
        if not self._finished(budget):
            raise Stopped(
                f"not everything was committed in the time there was: {self.holding}",
                hint="look at the brokers; whoever reads these records next scores them again",
            )

    def _finished(self, budget: Deadline) -> bool:
        self._await(budget)
        if self._span is not None:
            self._end(budget)
            self._await(budget)
        while self.holding and not budget.over:
            self._attempt(Deadline.after(budget.left_s(TRY_S)))
            if self.holding:
                time.sleep(budget.left_s(AGAIN_S))
        return not self.holding

    def give_up(self, partitions: Iterable[Partition], budget: Deadline) -> None:
        """See `Delivery.give_up`."""
        gone = set(partitions)
        try:
            if not self._finished(budget):
                log.warning("given up, the next owner scores them: records in hand (%s)", self.holding)
        finally:
            self._forget(gone)

    def lose(self, partitions: Iterable[Partition]) -> None:
        """See `Delivery.lose`: an open transaction with records of theirs is aborted."""
        self._await(Deadline.after(2 * self._sink.timeout_s))
        span, self._span = self._span, None
        if span is not None:
            self.phases.on(Event.LOST)
            self._hand.take_back(span.batches, "partitions were lost", ())
            self._abort(Deadline.after(self._sink.timeout_s))
        self._forget(set(partitions))

    def _forget(self, gone: set[Partition]) -> None:
        self._gone |= gone
        self._hand.drop(gone)
        self._emptied()

    def abandon(self) -> None:
        """See `Delivery.abandon`."""
        deadline = Deadline.after(ABANDON_S)
        try:
            if self._settlement.wait(deadline.left_s()) and self.phases.now in (
                Phase.OPEN,
                Phase.COMMITTING,
            ):
                self._sink.abort(deadline)
        except StreamError as error:
            log.warning("the open transaction is left to the broker's time-out: %s", error.message)
        self._span = self._ending = None
        self.phases.on(Event.STOPPED)
