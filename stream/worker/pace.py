"""How long a transaction is kept open: it ends as soon as the input is drained, and grows under load."""

from __future__ import annotations

from stream.worker.span import Span
from stream.worker.timing import Timing

__all__ = ["Pace"]

_RECENT = 0.25
"""Weight of the last commit in the average: one that was held up must not slow the next ones down for long."""


class Pace:
    """Decides when the open span ends. Knows how long commits take, and how long the last batch took."""

    def __init__(self, timing: Timing) -> None:
        """
        Args:
            timing: the bounds.
        """
        self._timing = timing
        self._commit_s = 0.0
        self.scoring_s = 0.0
        """How long the last batch took; the next may take as long."""

    def committed(self, seconds: float) -> None:
        """A commit took so long, not counting how long it waited to be noticed."""
        self._commit_s += (seconds - self._commit_s) * _RECENT

    def due(self, span: Span, now: float, *, drained: bool) -> bool:
        """
        Whether a span must end.

        Args:
            span: the open one.
            now: monotonic seconds.
            drained: the input holds nothing more at the moment.
        """
        # The next batch is not waited for when it would come too late: a slow model must not keep it open.
        old = now - span.started + self.scoring_s >= self._timing.span_s
        large = span.value_bytes >= self._timing.span_bytes or span.records >= self._timing.span_records
        return old or large or drained

    def patience_s(self, span: Span | None, now: float, idle_s: float) -> float:
        """How long a poll may wait for a record that may not come, idle_s at most; a full batch is soon followed."""
        if span is None:
            return idle_s
        left_s = span.started + self._timing.span_s - now
        return max(0.0, min(idle_s, self._timing.quiet_s, left_s))

    def ready_s(self, now: float, ending_since: float) -> float:
        """How long until the end of the transaction before is expected, less what scoring takes meanwhile."""
        return max(0.0, ending_since + self._commit_s - self.scoring_s - now)
