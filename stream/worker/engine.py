"""
The loop: poll → process → settle the span before → publish → end the span when it is due.

One thread owns the loop and the consumer. A span of batches ends in two steps: its outputs are awaited in the
background (`Settlement`) while the loop works on the next batch; then the loop commits its offsets. Nothing is
published before the span before has ended, so an offset is never committed while an output before it is still
on its way. The commit is the loop's own: one from another thread never returns once a rebalance callback runs
(confluent-kafka 2.16).
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from stream.errors import OutcomeUnknown, Retriable, Stopped, StreamError
from stream.records import Batch, Outcome, Partition
from stream.telemetry import Metrics
from stream.transport import Deadline
from stream.worker.brake import Brake
from stream.worker.progress import Progress
from stream.worker.publisher import Publisher
from stream.worker.settlement import Settlement
from stream.worker.span import Judged, Span
from stream.worker.state import Life, State
from stream.worker.tally import Tally, dead

__all__ = ["Engine", "Process", "Reading", "Timing"]

log = logging.getLogger(__name__)


LAG_S = 1.0
"""Between two looks at the lag."""


AGAIN_S = 1.0
"""Before a batch is tried again whose schemas could not be looked up."""

COMMIT_AGAIN_S = 0.2
"""Between two tries of a commit that failed for now."""


class Reading(Protocol):
    """What the engine needs of `stream.transport.Source`."""

    joined: bool

    @property
    def owned(self) -> list[Partition]:
        """See `Source.owned`."""

    def subscribe(self) -> None:
        """See `Source.subscribe`."""

    def poll(self, idle_s: float) -> Batch:
        """See `Source.poll`."""

    def commit(self, offsets: Mapping[Partition, int]) -> None:
        """See `Source.commit`."""

    def lag(self) -> dict[Partition, int]:
        """See `Source.lag`."""

    def close(self) -> None:
        """See `Source.close`."""


class Process(Protocol):
    """What the engine needs of `stream.pipeline.Pipeline`."""

    @property
    def name(self) -> str:
        """`name@version` of its model."""

    def process(self, batch: Batch) -> list[Outcome]:
        """See `Pipeline.process`."""


@dataclass(frozen=True, slots=True)
class Timing:
    """
    The engine's budgets, in seconds.

    Attributes:
        idle_s: how long a poll waits for a first record; a stop is noticed after this.
        span_s: a span ends when it is this old. What a kill -9 makes others do again.
        span_records: a span ends when it has this many records.
        span_bytes: a span ends when its input values take this much memory.
        settle_s: for outputs to be acknowledged; librdkafka gives up on a record after 300 s.
        revoke_s: to finish when partitions go; the group waits for it, and it waits 300 s at most.
        answer_s: for a service that scoring needs, a schema registry, to answer; a member that stays away
            from its group for 300 s is thrown out.
        stop_s: to finish when asked to stop; the process must end within 10 s.
    """

    idle_s: float = 0.1
    span_s: float = 0.1
    span_records: int = 50_000
    span_bytes: int = 64 * 1024 * 1024
    settle_s: float = 120.0
    revoke_s: float = 20.0
    answer_s: float = 240.0
    stop_s: float = 7.0


class Engine:
    """Runs in the thread that calls `run`; `stop` may be called from any."""

    def __init__(
        self,
        pipeline: Process,
        publisher: Publisher,
        brake: Brake,
        tally: Tally,
        metrics: Metrics,
        timing: Timing,
        clock: Callable[[], float],
    ) -> None:
        """
        Args:
            pipeline: records → outcomes.
            publisher: outcomes → topics.
            brake: stops on too many dead letters.
            tally: counts outcomes.
            metrics: for the timings.
            timing: budgets.
            clock: monotonic seconds.
        """
        self._pipeline = pipeline
        self._publisher = publisher
        self._brake = brake
        self._tally = tally
        self._metrics = metrics
        self._timing = timing
        self._clock = clock
        self.life = Life()
        self.progress = Progress(clock)
        self.lag: Mapping[Partition, int] = {}
        """Records not read yet, per owned partition, at most a second old; replaced, never changed."""
        self.blocked = ""
        """What the batch in hand waits for; empty while the loop goes on."""
        self._lag_at = clock()
        self._next: Process | None = None
        self._stop = threading.Event()
        self._stop_by: Deadline | None = None
        self._span: Span | None = None
        self._ending: Span | None = None
        self._ending_since = 0.0
        self._owed: dict[Partition, int] = {}
        self._settlement = Settlement()
        self._source: Reading | None = None

    def stop(self) -> None:
        """Ask the loop to finish, commit and leave. Does not block; a second call changes nothing."""
        if not self._stop.is_set():
            self._stop_by = Deadline.after(self._timing.stop_s)
            self._stop.set()

    def swap(self, pipeline: Process) -> None:
        """
        Score with another model from the next batch on. Does not block; may be called from any thread.

        Args:
            pipeline: ready to score; a batch in hand is finished with the one before.
        """
        self._next = pipeline

    @property
    def model(self) -> str:
        """`name@version` of the model that answers."""
        return self._pipeline.name

    def _take_swap(self) -> None:
        pipeline, self._next = self._next, None
        if pipeline is not None:
            log.info("%s answers from here on, %s did before", pipeline.name, self._pipeline.name)
            self._pipeline = pipeline

    def pause(self, seconds: float) -> bool:
        """Wait; returns True at once when `stop` is called meanwhile, False when the time is over."""
        self.life.move(State.WAITING)
        self.progress.beat()
        return self._stop.wait(seconds)

    @property
    def stopping(self) -> bool:
        """Whether `stop` was called."""
        return self._stop.is_set()

    def run(self, source: Reading) -> None:
        """
        Work until stopped.

        Args:
            source: the input; this thread becomes its owner and closes it.
        Raises: Stopped when the worker can't go on; what was not committed is read again by whoever comes
            next. Anything else is a bug, and ends the worker too.
        """
        self._source = source
        self.life.move(State.WAITING)
        self.life.move(State.JOINING)
        try:
            source.subscribe()
            while not self._stop.is_set():
                self._round(source)
            self.life.move(State.STOPPING)
            self._finish(self._stop_by or Deadline.after(self._timing.stop_s))
            source.close()
            self.life.move(State.STOPPED)
        finally:
            if self.life.state is not State.STOPPED:
                self.life.move(State.FAILED)
                # Leave the group at once, so that others need not wait for the session to run out.
                with contextlib.suppress(StreamError):
                    source.close()

    def _round(self, source: Reading) -> None:
        batch = source.poll(self._timing.idle_s)
        self.progress.resume()
        self._take_swap()
        self.life.move(State.RUNNING if source.owned else State.JOINING)
        if batch:
            self._work(batch)
        elif self._settlement.wait(0):
            self._conclude(None)
        if self._due():
            self._end_span()
        if self._clock() - self._lag_at >= LAG_S:
            self.lag = source.lag()
            self._lag_at = self._clock()

    def _work(self, batch: Batch) -> None:
        started = self._clock()
        outcomes = self._process(batch)
        if outcomes is None:
            return
        judged = Judged(batch, outcomes, self._pipeline.name)
        self._metrics.observe("stream_process_seconds", self._clock() - started)
        self._brake.check(len(batch), *dead(outcomes))
        self._await_settlement(None)
        started = self._clock()
        self._publisher.publish(judged)
        self._metrics.observe("stream_publish_seconds", self._clock() - started)
        self._span = self._span or Span(started)
        self._span.add(judged)

    def _process(self, batch: Batch) -> list[Outcome] | None:
        """The batch's outcomes; None when asked to stop before what they need (a registry) answered."""
        deadline = Deadline.after(self._timing.answer_s)
        while True:
            try:
                outcomes = self._pipeline.process(batch)
                self.blocked = ""
                return outcomes
            except Retriable as error:
                self.blocked = error.message
                if deadline.over:
                    raise Stopped(error.message, mend="look at the service that is named") from error
                log.warning("the batch is tried again: %s", error.message)
            if self._stop.wait(AGAIN_S):
                return None
            self.progress.beat()

    def _due(self) -> bool:
        if self._span is None:
            return bool(self._owed) and not self._settlement.busy
        old = self._clock() - self._span.started >= self._timing.span_s
        large = self._span.value_bytes >= self._timing.span_bytes
        return old or large or self._span.records >= self._timing.span_records

    def _end_span(self, budget: Deadline | None = None) -> None:
        """Start the end of the open span in the background."""
        self._await_settlement(budget)
        span = self._span or Span(self._clock())
        self._span = None
        for partition, offset in self._owed.items():
            span.next_offsets.setdefault(partition, offset)
        self._owed = {}
        deadline = budget or Deadline.after(self._timing.settle_s)
        self._ending, self._ending_since = span, self._clock()
        self._settlement.start(lambda: self._settle(span, deadline))

    def _settle(self, span: Span, deadline: Deadline) -> None:
        """In the background: await the outputs."""
        self._publisher.settle(span, deadline)
        for judged in span.batches:
            self._tally.count(judged.batch, judged.outcomes)

    def _conclude(self, budget: Deadline | None) -> None:
        """Commit the span whose outputs are there."""
        span, self._ending = self._ending, None
        if span is None:
            return
        # An unreachable broker makes the commit long; that is no dead loop.
        self.progress.allow(self._timing.settle_s)
        self._commit(span, budget or self._stop_by or Deadline.after(self._timing.settle_s))
        self.progress.resume()
        self._metrics.observe("stream_commit_seconds", self._clock() - self._ending_since)

    def _commit(self, span: Span, deadline: Deadline) -> None:
        source = self._source
        if source is None or not span.next_offsets:
            return
        while True:
            try:
                source.commit(span.next_offsets)
            except OutcomeUnknown as error:
                # The group is rebalancing. What stays ours is committed with the next span; what goes is
                # read again by its new owner.
                log.warning("not committed, the group has moved on: %s", error.message)
                self._metrics.add("stream_commits_total", result="moved_on")
                self._owed = dict(span.next_offsets)
                return
            except Retriable as error:
                if deadline.over:
                    raise Stopped(error.message, mend="look at the group's coordinator") from error
                log.warning("commit is tried again: %s", error.message)
                time.sleep(deadline.left_s(COMMIT_AGAIN_S))
            else:
                self._metrics.add("stream_commits_total", result="ok")
                return

    def _await_settlement(self, budget: Deadline | None) -> None:
        """
        Wait for the span before, and commit it. An unreachable broker makes this long; that is no dead loop,
        so it beats.

        Raises: Stopped when the outputs could not be delivered, or the budget ran out.
        """
        while not self._settlement.wait(0.2):
            self.progress.beat()
            over = budget or self._stop_by
            if over is not None and over.over:
                raise Stopped(
                    "outputs were not acknowledged in the time there was; nothing of them is committed",
                    mend="look at the brokers; whoever reads these records next scores them again",
                )
        self._conclude(budget)

    def _finish(self, budget: Deadline) -> None:
        """End the open span and wait for it."""
        self._await_settlement(budget)
        if self._span is not None or self._owed:
            self._end_span(budget)
            self._await_settlement(budget)

    # ---- stream.transport.Listener: called inside source.poll and source.close ----

    def assigned(self, partitions: Sequence[Partition]) -> None:
        """Partitions have come; they are read from the next poll on."""
        self._metrics.add("stream_rebalances_total", kind="assigned")

    def revoked(self, partitions: Sequence[Partition], *, lost: bool) -> None:
        """
        Partitions go: finish what is in hand for them, or, when lost, forget it.

        No batch is in hand here: a poll's records are published before the next poll.
        """
        self._metrics.add("stream_rebalances_total", kind="lost" if lost else "revoked")
        if lost or self.life.state is State.FAILED:
            self._forget(partitions)
            return
        budget = Deadline.after(self._timing.revoke_s)
        self.progress.allow(self._timing.revoke_s)
        try:
            self._finish(budget)
        finally:
            self._forget(partitions)

    def _forget(self, partitions: Sequence[Partition]) -> None:
        for span in (self._span, self._ending):
            if span is not None:
                span.forget(partitions)
        for partition in partitions:
            self._owed.pop(partition, None)
