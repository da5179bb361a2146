"""The end of a span, awaited in the background while the loop works on the next batch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from stream.background import Background
from stream.deadline import Deadline
from stream.errors import Stopped, StreamError
from stream.records import Batch
from stream.worker.progress import Progress
from stream.worker.span import Span

__all__ = ["Ended", "Settlement"]

LOOK_S = 0.2
"""Between two looks at what is awaited; each is a sign of life."""


@dataclass(frozen=True, slots=True)
class Ended:
    """
    A span whose end has come.

    Attributes:
        span: what was published.
        since: monotonic seconds when its end was begun.
        until: when it came, not when it was noticed.
        error: why it did not end well; None = it did.
    """

    span: Span
    since: float
    until: float
    error: StreamError | None = None


class Settlement:
    """A slot for one span. Used by the engine's thread alone, except for `stop_by` and `running`."""

    def __init__(self, progress: Progress, clock: Callable[[], float], late: str) -> None:
        """
        Args:
            progress: told that waiting for a broker is not a stuck loop.
            clock: monotonic seconds.
            late: what it means when time runs out, for people.
        """
        self._progress = progress
        self._clock = clock
        self._late = late
        self._background = Background(StreamError)
        self._since = self._until = 0.0
        self.span: Span | None = None
        """The span whose end is awaited, if any."""
        self.stop_by: Deadline | None = None
        """When the worker must have ended; set once it is asked to stop."""

    @property
    def busy(self) -> bool:
        """Whether an end is awaited that nobody has looked at yet."""
        return self._background.busy

    @property
    def since(self) -> float | None:
        """Monotonic seconds when the end that is awaited was begun; None = none is awaited."""
        return self._since if self.busy else None

    @property
    def running(self) -> bool:
        """Whether an end is on its way at this moment; any thread may ask."""
        return self._background.running

    def batches(self, following: Span | None, in_hand: Iterable[Batch] = ()) -> Iterator[Batch]:
        """What is not committed: of the span whose end is awaited, of the one after it, and what is in hand."""
        for span in (self.span, following):
            yield from (scored.batch for scored in (span.batches if span else ()))
        yield from in_hand

    def start(self, span: Span, procedure: Callable[[], object]) -> None:
        """
        Begin the end of a span.

        Args:
            span: what was published.
            procedure: returns when the span has ended well; run in the background.
        """

        def timed() -> None:
            procedure()
            # Here, and not where it is noticed: the loop may be waiting for a record meanwhile.
            self._until = self._clock()

        self.span, self._since = span, self._clock()
        self._background.start(timed)

    def look(self, wait_s: float = 0.0) -> Ended | None:
        """
        The span whose end has come, once.

        Args:
            wait_s: how long to wait for it.
        Returns: None when none is awaited, or its end has not come yet.
        """
        error = None
        try:
            if not self._background.wait(wait_s):
                return None
        except StreamError as raised:
            error = raised
        span, self.span = self.span, None
        return None if span is None else Ended(span, self._since, self._until, error)

    def wait(self, budget: Deadline | None) -> Ended | None:
        """
        Wait for the end that is awaited. An unreachable broker makes this long, so it beats.

        Args:
            budget: when to give up; None = when the worker must have ended.
        Returns: None when none is awaited.
        Raises: Stopped when time ran out.
        """
        while self.busy:
            if (ended := self.look(LOOK_S)) is not None:
                return ended
            self._progress.beat()
            over = budget or self.stop_by
            if over is not None and over.over:
                raise Stopped(
                    self._late,
                    hint="look at the brokers; whoever reads these records next scores them again",
                )
        return None
