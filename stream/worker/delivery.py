"""
The seam between the loop and a delivery guarantee: what the engine asks for, and where a delivery's effects go.

Words: a *span* is what was published since the last commit; it ends in one commit, or not at all. Records *in
hand* were published in a transaction that was aborted, and wait to be published again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from stream.deadline import Deadline
from stream.errors import MovedOn, OutcomeUnknown, StreamError
from stream.log_events import tell
from stream.records import Batch, Partition
from stream.telemetry import Metrics
from stream.worker.progress import Progress
from stream.worker.protocols import Reading
from stream.worker.publisher import Publisher
from stream.worker.span import ScoredBatch
from stream.worker.tally import Tally

if TYPE_CHECKING:
    from stream.tracing import BatchSpans

__all__ = ["Delivery", "Outlets"]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Outlets:
    """
    Where a delivery's effects go.

    Attributes:
        publisher: outcomes → topics.
        tally: counts what is acknowledged.
        metrics: for results and timings.
        progress: told that waiting for a broker is not a stuck loop.
        clock: monotonic seconds.
        spans: what is sent to a collector; None = nothing.
    """

    publisher: Publisher
    tally: Tally
    metrics: Metrics
    progress: Progress
    clock: Callable[[], float]
    spans: BatchSpans | None = None

    def traced(self, scored: ScoredBatch) -> ScoredBatch:
        """A batch that was scored just now, with its spans; once for each batch."""
        if self.spans is None:
            return scored
        found = self.spans.processed(scored.batch, scored.outcomes, scored.model, scored.seconds)
        return scored if found is None else replace(scored, traced=found)

    def published(self, scored: ScoredBatch, since: float) -> None:
        """A batch's outputs were handed to the producer, since then and until now."""
        self.metrics.observe("stream_publish_seconds", self.clock() - since)
        if self.spans is not None and scored.traced is not None:
            self.spans.sent(scored.traced, scored.predictions, since)

    def committed(self, batches: Sequence[ScoredBatch], since: float, until: float) -> None:
        """A span was committed; its end was begun and came at these monotonic seconds."""
        ago_s = self.clock() - until
        self.tally.committed(ago_s)
        self.metrics.observe("stream_commit_seconds", until - since)
        for scored in batches:
            self.tally.count(scored.batch, scored.outcomes, ago_s, scored.model)
        self.ended(batches, since, until)

    def failed(self, batches: Sequence[ScoredBatch], error: StreamError, told: str) -> None:
        """
        A span was not committed, as is seen now.

        Args:
            batches: of the span.
            error: why.
            told: what that means, for the log; empty = it was said already.
        """
        if told:
            more = {"error": type(error).__name__, "reason": error.message}
            tell(log, logging.WARNING, "commit_failed", "%s: %s", told, error.message, **more)
        result = {MovedOn: "moved_on", OutcomeUnknown: "unknown"}.get(type(error), "aborted")
        self.metrics.add("stream_commits_total", result=result)
        self.ended(batches, self.clock(), self.clock(), result)

    def ended(self, batches: Sequence[ScoredBatch], since: float, until: float, error: str = "") -> None:
        """A span has ended, as `committed`, and is counted already."""
        if self.spans is not None:
            traced = [each.traced for each in batches if each.traced is not None]
            records = sum(len(each.batch) for each in batches)
            self.spans.committed(traced, records, since, until, error)


class Delivery(Protocol):
    """One guarantee. Used by the engine's thread alone, except for `stop_by` and `settling`."""

    @property
    def holding(self) -> str:
        """Why records are in hand that must be published before any others; empty when there are none."""

    @property
    def settling(self) -> bool:
        """Whether the end of a span is being awaited in the background; any thread may ask."""

    def stop_by(self, deadline: Deadline) -> None:
        """The worker is asked to stop, and must have ended by then. Does not block; any thread may call it."""

    def open(self, source: Reading, pause: Callable[[float], bool]) -> None:
        """
        Get ready, before the input is subscribed to.

        Args:
            source: the input.
            pause: waits so many seconds; True = the worker is asked to stop.
        Raises: Stopped when it can't be done.
        """

    def publish(self, scored: ScoredBatch) -> None:
        """Publish a batch. Raises: Stopped when the worker can't go on; nothing of it is committed then."""

    def tend(self, *, drained: bool) -> None:
        """
        End what is due; called once a round.

        Args:
            drained: the input holds nothing more at the moment.
        Raises: Stopped as `publish`.
        """

    def uncommitted(self) -> Iterator[Batch]:
        """What was published, or waits to be published again, and is not committed; oldest first."""

    def patience_s(self, idle_s: float) -> float:
        """How long the next poll may wait for a first record, idle_s at most."""

    def ready_s(self) -> float:
        """How long a batch that is not full may wait for more because it could not be published sooner; a guess."""

    def retry(self) -> None:
        """Try to publish what is in hand. Raises: Stopped as `publish`."""

    def finish(self, budget: Deadline) -> None:
        """End everything and wait for it. Raises: Stopped as `publish`, also when the budget ran out."""

    def give_up(self, partitions: Iterable[Partition], budget: Deadline) -> None:
        """Finish what can be finished for partitions that go; the rest is left to their next owner."""

    def lose(self, partitions: Iterable[Partition]) -> None:
        """Commit nothing more for these partitions: they belong to others already."""

    def abandon(self) -> None:
        """The worker ends with an error: leave nothing open that others would wait for. Raises nothing."""
