"""
Exactly-once: a span's outputs and its input offsets are committed in one Kafka transaction.

A *span* is the batches published since the last commit: one transaction. It ends when the input is drained, or when
it is old or large enough (`Pace`). What comes until the broker has answered is the next one's, so that transactions are
as short as the broker answers. `Phases` holds where the transaction is; its table has every move that there is.

The engine's thread owns consumer, producer, phases and records. One background thread (`Settlement`) awaits the end
of a span: offsets added, outputs written, committed. Meanwhile the engine's thread scores the next batch, and touches
neither producer nor transaction: nothing is published before the end of the span before was looked at.

Committed is, per partition, the offset after the span's last record, or the partition's end where that is known to lie
further (`Positions`); the broker checks it against the generation that the consumer had when the end began. What else
can happen:

- Aborted (an output refused or late, the group moved on): nothing is visible. The records stay *in hand*
  (`Uncommitted`) as they were scored, and are published again, a transaction for each batch, before any others.
- Outcome unknown (no answer to the commit, a fatal error of the client): a new producer takes the transactional id,
  which ends the old transaction either way; then the group's offsets tell what was committed (`ProducerLife`).
- Fenced: by the broker's time-out, as above; before it, by another worker of the same id, and this one ends.
- Partitions go: when revoked, the span is finished in the time there is; when lost, its transaction is aborted. Their
  records leave the hand: they are the next owner's.

Source: docs/guarantees.md; KIP-98, KIP-447.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

from stream.deadline import Deadline
from stream.errors import Aborted, MovedOn, OutcomeUnknown, Stopped, StreamError
from stream.log_events import tell
from stream.records import Batch, Partition
from stream.worker.delivery import Outlets
from stream.worker.pace import Pace
from stream.worker.phases import Event, Phase, Phases
from stream.worker.positions import Positions
from stream.worker.producer_life import AGAIN_S, TRY_S, ProducerLife
from stream.worker.protocols import Reading, Transacting
from stream.worker.settlement import Ended, Settlement
from stream.worker.span import ScoredBatch, Span
from stream.worker.timing import Timing
from stream.worker.uncommitted import Uncommitted

__all__ = ["ExactlyOnce"]

log = logging.getLogger(__name__)


class ExactlyOnce:
    """Used by the engine's thread alone, except for `stop_by` and `settling`."""

    def __init__(self, outlets: Outlets, sink: Transacting, timing: Timing) -> None:
        """
        Args:
            outlets: where outputs, counts and timings go; its publisher sends to `sink`.
            sink: the transactions.
            timing: how old and how large one may get.
        """
        self._outlets = outlets
        self._sink = sink
        self._timing = timing
        self.phases = Phases()
        self._hand = Uncommitted(outlets.publisher.topics.dead_letters, outlets.clock)
        self._producer = ProducerLife(sink, self.phases, outlets.clock)
        late = "a transaction was not committed in the time there was; nobody sees anything of it"
        self._settlement = Settlement(outlets.progress, outlets.clock, late)
        self._span: Span | None = None
        self._gone: set[Partition] = set()
        """Partitions that went while the span before was being committed."""
        self._pace = Pace(timing)
        self._positions = Positions(outlets.clock)
        self._source: Reading

    # ---- the usual way ----

    def open(self, source: Reading, pause: Callable[[float], bool]) -> None:
        """See `Delivery.open`. Raises: StartupTimeout when the coordinator does not answer."""
        self._source = source
        self._producer.start(pause)

    def stop_by(self, deadline: Deadline) -> None:
        """See `Delivery.stop_by`."""
        self._settlement.stop_by = deadline

    @property
    def settling(self) -> bool:
        """See `Delivery.settling`."""
        return self._settlement.running

    def publish(self, scored: ScoredBatch) -> None:
        """See `Delivery.publish`. Blocks until the span before has ended, and while the producer's queue is full."""
        scored = self._outlets.traced(scored)
        self._await(None)
        if self.holding:
            self._hand.add(scored)
            return
        if self._span is None and self._source.drained:
            self._producer.rest()  # under load the client waits, and the next batch is scored meanwhile
        started = self._outlets.clock()
        self._pace.scoring_s = scored.seconds
        try:
            self._open_span(started).add(scored)
            self._outlets.publisher.publish(scored)
        except (Aborted, OutcomeUnknown) as error:
            span, self._span = self._span, None
            self._fail(error, span.batches if span else [scored])
        self._outlets.published(scored, started)

    def tend(self, *, drained: bool) -> None:
        """See `Delivery.tend`."""
        if drained:
            self._conclude(self._settlement.look())
        self._positions.reached(self._source.ends())
        alone = self._span is None and self._positions.due and not self._settlement.busy
        if alone or (self._span and self._pace.due(self._span, self._outlets.clock(), drained=drained)):
            self._end(None)

    def _open_span(self, started: float) -> Span:
        if self._span is None:
            self._producer.begin()
            self._span = Span(started)
        return self._span

    def patience_s(self, idle_s: float) -> float:
        """See `Delivery.patience_s`: an open transaction is not kept open for a record that may not come."""
        return self._pace.patience_s(self._span, self._outlets.clock(), idle_s)

    def ready_s(self) -> float:
        """See `Delivery.ready_s`: nothing is published before the transaction before has ended."""
        now, since, lull = self._outlets.clock(), self._settlement.since, self._producer.lull
        return lull.left_s(now) if since is None else self._pace.ready_s(now, since) + lull.seconds

    def _end(self, budget: Deadline | None) -> None:
        """Start the end of the open span in the background; positions go along, or alone where no span is open."""
        self._await(budget)
        try:
            if self._positions and not self.holding:
                self._open_span(self._outlets.clock())
        except OutcomeUnknown as error:
            self._fail(error, [])
        span, self._span = self._span, None
        if span is None:
            return
        self._positions.join(span.next_offsets)
        self._gone = set()
        self.phases.on(Event.ENDING)
        group, deadline = self._source.group(), Deadline.after(self._sink.timeout_s)
        self._settlement.start(span, lambda: self._producer.settle(span.next_offsets, group, deadline))

    def _await(self, budget: Deadline | None) -> None:
        self._conclude(self._settlement.wait(budget))

    def _conclude(self, ended: Ended | None) -> None:
        """Deal with a span that has ended."""
        if ended is None:
            return
        if ended.error is None:
            self.phases.on(Event.COMMITTED)
            self._positions.committed(ended.span.next_offsets)
            self._count(ended.span.batches, ended.since, ended.until)
        elif isinstance(ended.error, Aborted | MovedOn | OutcomeUnknown):
            self._fail(ended.error, ended.span.batches, self._gone)
        else:
            raise ended.error

    def uncommitted(self) -> Iterator[Batch]:
        """See `Delivery.uncommitted`."""
        return self._settlement.batches(self._span, self._hand)

    def _count(self, batches: Sequence[ScoredBatch], since: float, until: float) -> None:
        self._pace.committed(until - since)
        self._outlets.committed(batches, since, until)

    # ---- when a transaction can't be committed ----

    @property
    def holding(self) -> str:
        """See `Delivery.holding`."""
        return self._hand.why if self._hand or self.phases.now is Phase.UNSURE else ""

    def _fail(self, error: StreamError, batches: list[ScoredBatch], gone: Collection[Partition] = ()) -> None:
        """Take a transaction's records in hand, except those of partitions that went meanwhile, and end it."""
        known = bool(self._hand) and error.message == self._hand.why
        self._hand.take_back(batches, error.message, gone)
        told = "" if known else "a transaction is not committed, its records are sent again"
        self._outlets.failed(batches, error, told)
        if isinstance(error, OutcomeUnknown):
            self._producer.doubt(error)
        else:
            self.phases.on(Event.FAILED)
            self._abort()
        self._hand.note(self._producer.take_refusals())

    def _abort(self) -> None:
        self._outlets.progress.allow(self._sink.timeout_s)
        self._producer.abort(Deadline.after(self._sink.timeout_s))
        self._emptied()

    def _emptied(self) -> None:
        if not self._hand and self.phases.now is Phase.HOLDING:
            self.phases.on(Event.EMPTIED)

    def retry(self) -> None:
        """See `Delivery.retry`. Raises: Stopped when it has been tried for too long."""
        self._attempt(Deadline.after(TRY_S))
        if self.holding:
            self._hand.check_age(self._timing.hold_s)

    def _attempt(self, budget: Deadline) -> None:
        """Publish what is in hand, a transaction for each batch, until one fails."""
        if self.phases.now is Phase.UNSURE and not self._renew(budget):
            return
        while self._hand and self.phases.now in (Phase.HOLDING, Phase.READY):
            self._outlets.progress.beat()
            try:
                self._again(self._hand.first)
            except (Aborted, MovedOn, OutcomeUnknown) as error:
                refused = bool(self._producer.refusals)
                self._fail(error, [])
                if not refused:
                    return
        self._emptied()
        if not self.holding:
            tell(log, logging.INFO, "records_recovered", "the records in hand are committed; going on")

    def _again(self, scored: ScoredBatch) -> None:
        """One batch in hand, in a transaction of its own. Raises: as `ProducerLife.settle`."""
        started = self._outlets.clock()
        self._producer.begin()
        self._outlets.publisher.publish(scored)
        self.phases.on(Event.ENDING)
        offsets, deadline = scored.next_offsets(), Deadline.after(self._sink.timeout_s)
        self._producer.settle(offsets, self._source.group(), deadline)
        self.phases.on(Event.COMMITTED)
        self._positions.committed(offsets)
        self._hand.committed()
        self._count([scored], started, self._outlets.clock())

    def _renew(self, budget: Deadline) -> bool:
        """A new producer; then the group's offsets tell what was committed. False = not yet."""
        self._outlets.progress.allow(self._sink.timeout_s)
        offsets = self._producer.renew(self._source, self._hand.partitions, budget)
        if offsets is None:
            return False
        self._positions.committed(offsets)
        self._hand.skip_to(offsets)
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
            self._abort()
        self._forget(set(partitions))

    def _forget(self, gone: set[Partition]) -> None:
        self._gone |= gone
        self._positions.forget(gone)
        self._hand.drop(gone)
        self._emptied()

    def abandon(self) -> None:
        """See `Delivery.abandon`."""
        self._producer.abandon(self._settlement)
        self._span = None
