"""Counts what became of records, and keeps the last dead letters for people to see."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Sequence

from stream.records import Batch, DeadLetter, Outcome, Prediction, Skip
from stream.telemetry import Metrics

__all__ = ["Tally", "all_predictions", "dead"]

RECENT = 10
"""Dead letters kept for the status."""


class Tally:
    """Written by the engine's threads; `recent` may be read by others."""

    def __init__(self, metrics: Metrics, *, redact: bool = False) -> None:
        """
        Args:
            metrics: where the counts go.
            redact: keep no text that may quote a payload.
        """
        self._metrics = metrics
        self._redact = redact
        self.recent: deque[dict[str, str | int]] = deque(maxlen=RECENT)

    def count(self, batch: Batch, outcomes: Sequence[Outcome]) -> None:
        """Take in a batch whose outputs are acknowledged."""
        odd = [] if all_predictions(outcomes) else list(enumerate(outcomes))
        letters = [(i, o) for i, o in odd if isinstance(o, DeadLetter)]
        skips = Counter(o.reason for _, o in odd if isinstance(o, Skip))
        predictions = len(outcomes) - len(letters) - skips.total()
        self._metrics.add("stream_records_total", len(batch))
        self._metrics.add("stream_predictions_total", predictions)
        self._metrics.observe("stream_batch_records", len(batch))
        for reason, n in skips.items():
            self._metrics.add("stream_skips_total", n, reason=reason)
        for i, letter in letters:
            self._letter(letter, str(batch.place(i)))

    def _letter(self, letter: DeadLetter, place: str) -> None:
        self._metrics.add("stream_dead_letters_total", 1, reason=letter.reason, stage=letter.stage)
        message = "redacted" if self._redact else letter.message
        self.recent.append(
            {"place": place, "stage": letter.stage, "reason": letter.reason, "message": message}
        )


def all_predictions(outcomes: Iterable[Outcome]) -> bool:
    """Whether there is neither dead letter nor skip: the usual batch, checked at C speed."""
    return {*map(type, outcomes)} <= {Prediction}


def dead(outcomes: Sequence[Outcome]) -> tuple[int, str]:
    """How many are dead letters, and the message of the last."""
    if all_predictions(outcomes):
        return 0, ""
    letters = [o for o in outcomes if not isinstance(o, Prediction | Skip)]
    return len(letters), f"{letters[-1].reason}: {letters[-1].message}" if letters else ""
