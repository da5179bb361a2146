"""
The loop: poll → process → publish, and what else is due.

One thread owns the loop and the consumer. What is guaranteed about the outputs is up to `delivery`.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Sequence

from stream.deadline import Deadline
from stream.errors import Retriable, Stopped, StreamError
from stream.log_events import tell
from stream.records import Batch, Outcome, Partition
from stream.telemetry import Metrics
from stream.worker.backlog import Backlog
from stream.worker.batch_size import BatchSize
from stream.worker.brake import Brake
from stream.worker.delivery import Delivery
from stream.worker.gathering import Gathering
from stream.worker.progress import Progress
from stream.worker.protocols import Measured, Reading
from stream.worker.span import ScoredBatch
from stream.worker.state import Life, State
from stream.worker.tally import dead
from stream.worker.timing import Timing

__all__ = ["Engine"]

log = logging.getLogger(__name__)

LAG_S = 1.0
"""Between two looks at the lag."""

SLOWER = 4
"""A batch may take so many times what is expected of it."""

AGAIN_S = 1.0
"""Before a batch whose schemas could not be looked up is retried."""


class Engine:
    """Runs in the thread that calls `run`; `stop` may be called from any."""

    def __init__(
        self,
        pipeline: Measured,
        delivery: Delivery,
        brake: Brake,
        metrics: Metrics,
        progress: Progress,
        timing: Timing,
        clock: Callable[[], float],
    ) -> None:
        """
        Args:
            pipeline: records → outcomes.
            delivery: outcomes → topics, and the offsets with them.
            brake: stops on too many dead letters.
            metrics: for the timings.
            progress: told of every round.
            timing: budgets.
            clock: monotonic seconds.
        """
        self._pipeline = pipeline
        self._size = BatchSize(timing.pause_s)
        self._gathering = Gathering(clock)
        self._brake = brake
        self._metrics = metrics
        self._timing = timing
        self._clock = clock
        self.life = Life()
        self.progress = progress
        self.backlog = Backlog()
        """What waits in the owned partitions, at most a second old."""
        self.blocked = ""
        """What the batch in hand waits for; empty while the loop goes on."""
        self._lag_at = clock()
        self._next: Measured | None = None
        self._stop = threading.Event()
        self._stop_by: Deadline | None = None
        self._delivery = delivery

    def stop(self) -> None:
        """Ask the loop to finish, commit and leave. Does not block; a second call changes nothing."""
        if not self._stop.is_set():
            self._stop_by = Deadline.after(self._timing.stop_s)
            self._delivery.stop_by(self._stop_by)
            self._stop.set()

    def swap(self, pipeline: Measured) -> None:
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
            name, before = pipeline.name, self._pipeline.name
            message = "%s answers from here on, %s did before"
            tell(log, logging.INFO, "model_swapped", message, name, before, model=name, previous=before)
            self._pipeline = pipeline
            self._size = BatchSize(self._timing.pause_s)

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
        self.life.move(State.WAITING)
        try:
            self._delivery.open(source, self.pause)
            self.life.move(State.JOINING)
            source.subscribe()
            while not self._stop.is_set():
                self._round(source)
            self.life.move(State.STOPPING)
            self._delivery.finish(self._stop_by or Deadline.after(self._timing.stop_s))
            source.close()
            self.life.move(State.STOPPED)
        finally:
            if self.life.state is not State.STOPPED:
                self.life.move(State.FAILED)
                self._delivery.abandon()
                # Leave the group at once, so that others need not wait for the session to run out.
                with contextlib.suppress(StreamError):
                    source.close()

    def _round(self, source: Reading) -> None:
        self.blocked = self._delivery.holding
        if self.blocked:
            source.serve(self._timing.idle_s)
            self.progress.resume()
            self._delivery.retry()
            self._look(source)
            return
        batch = source.poll(self._delivery.patience_s(self._timing.idle_s), self._size.most, self._company())
        began = self._clock()
        self.progress.resume()
        self._take_swap()
        self.life.move(State.RUNNING if source.owned else State.JOINING)
        if batch and not self._work(batch, source):
            return
        self._delivery.tend(drained=source.drained)
        if batch:
            self._gathering.took(len(batch), began)
        else:
            self._gathering.rested()
        self._look(source)

    def _company(self) -> Deadline:
        """Until when a batch that is not full waits for more."""
        worth_s = min(self._gathering.wait_s, self._timing.company_s)
        return Deadline.after(max(worth_s, min(self._delivery.ready_s(), self._timing.ready_s)))

    def _look(self, source: Reading) -> None:
        """See what waits, once a second."""
        if self._clock() - self._lag_at >= LAG_S:
            self.backlog.look(source.unread(), self._delivery.uncommitted())
            self._lag_at = self._clock()

    def _work(self, batch: Batch, source: Reading) -> bool:
        """Score and publish a batch; False when asked to stop before that: nothing after it may be committed."""
        self.backlog.working(batch)
        self.progress.allow(self._expected_s())
        started = self._clock()
        outcomes = self._process(batch, source)
        if outcomes is None:
            return False
        seconds = self._clock() - started
        scored = ScoredBatch(batch, outcomes, self._pipeline.name, seconds)
        self._metrics.observe("stream_process_seconds", seconds)
        self._brake.check(len(batch), *dead(outcomes))
        self._delivery.publish(scored)
        self.backlog.working(None)
        return True

    def _expected_s(self) -> float:
        """How long a batch may take before the loop counts as stuck; several times what is known of the model."""
        known = max(self._pipeline.golden_s, self._size.expected_s)
        return min(self._timing.first_s, SLOWER * known)

    def _learn(self, records: int, seconds: float) -> None:
        """Take the size of the next batch from how long this one took; say once that a model is slow."""
        slow_before = self._size.slow
        self._size.took(records, seconds)
        if self._size.slow and not slow_before:
            log.warning(
                "%s takes about %.3g s a record: batches have %d records at most from here on, so that a stop or a "
                "rebalance need not wait for it",
                self._pipeline.name,
                self._size.record_s,
                self._size.most,
            )

    def _process(self, batch: Batch, source: Reading) -> list[Outcome] | None:
        """The batch's outcomes; None when asked to stop before what they need (a registry) answered."""
        deadline = Deadline.after(self._timing.answer_s)
        while True:
            try:
                began = self._clock()
                outcomes = self._pipeline.process(batch)
                self._learn(len(batch), self._clock() - began)
                self.blocked = ""
                return outcomes
            except Retriable as error:
                self.blocked = error.message
                if deadline.over:
                    raise Stopped(error.message, hint="look at the service that is named") from error
                log.warning("the batch is tried again: %s", error.message)
            if self._stop.wait(AGAIN_S):
                return None
            self.progress.beat()
            self._look(source)

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
            self._delivery.lose(partitions)
            return
        self.progress.allow(self._timing.revoke_s)
        self._delivery.give_up(partitions, Deadline.after(self._timing.revoke_s))
