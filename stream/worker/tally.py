"""Counts what became of records, and keeps the last dead letters for people to see."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from types import NoneType
from typing import TypeGuard

from stream.live import LETTERS, Seen
from stream.records import Batch, DeadLetter, Outcome, Prediction, Skip
from stream.telemetry import Metrics

__all__ = ["Tally", "all_predictions", "dead"]

TIMED = 64
"""Records of a batch whose latency is measured, each for its neighbours too: they were read and committed together."""


class Tally:
    """Written by the engine's threads; `seen` may be read by others."""

    def __init__(
        self, metrics: Metrics, *, redact: bool = False, wall: Callable[[], float] = time.time
    ) -> None:
        """
        Args:
            metrics: where the counts go.
            redact: keep no text that may quote a payload.
            wall: seconds since the epoch.
        """
        self._metrics = metrics
        self._wall = wall
        self.seen = Seen(redact=redact)
        """The last dead letters, and what the live page shows of predictions."""

    def committed(self, ago_s: float = 0.0) -> None:
        """A span was committed, so many seconds ago."""
        self._metrics.add("stream_commits_total", result="ok")
        self._metrics.set("stream_last_commit_timestamp_seconds", self._wall() - ago_s)

    def count(self, batch: Batch, outcomes: Sequence[Outcome], ago_s: float = 0.0, model: str = "") -> None:
        """
        Take in a batch whose outputs are acknowledged.

        Args:
            batch: n records.
            outcomes: shape (n,).
            ago_s: how long ago they were.
            model: `name@version` that answered.
        """
        odd = [] if all_predictions(outcomes) else list(enumerate(outcomes))
        letters = [(i, o) for i, o in odd if isinstance(o, DeadLetter)]
        skips = Counter(o.reason for _, o in odd if isinstance(o, Skip))
        predictions = len(outcomes) - len(letters) - skips.total()
        self._metrics.add("stream_records_total", len(batch))
        self._metrics.add("stream_predictions_total", predictions)
        self._metrics.observe("stream_batch_records", len(batch))
        for reason, n in skips.items():
            self._metrics.add("stream_skips_total", n, reason=reason)
        now_s = self._wall() - ago_s
        for _, letter in letters:
            self._metrics.add("stream_dead_letters_total", 1, reason=letter.reason, stage=letter.stage)
        for i, letter in letters[-LETTERS:]:
            self.seen.letter(letter, batch, i, round(now_s * 1_000))
        self._metrics.observe_all("stream_latency_seconds", latencies(batch, now_s))
        if self.seen.watched:
            self.seen.batch(batch, outcomes, model, round(now_s * 1_000))


def latencies(batch: Batch, now_s: float) -> list[tuple[float, int]]:
    """
    How old a batch's records are, measured on `TIMED` of them at most.

    Args:
        batch: n records, in the order in which they were read.
        now_s: seconds since the epoch.
    Returns: seconds, and for how many records they stand; the counts add up to n without the records that were asked
        and have no timestamp. A timestamp that is ahead of this machine's clock counts as now.
    """
    n = len(batch)
    step = -(-n // TIMED) or 1
    return [
        (max(0.0, now_s - ms / 1000), min(step, n - row))
        for row, ms in zip(range(0, n, step), batch.timestamps_ms[::step], strict=True)
        if ms > 0
    ]


def all_predictions(outcomes: Sequence[Outcome]) -> TypeGuard[Sequence[Prediction]]:
    """Whether there is neither dead letter nor skip: the usual batch, checked at C speed."""
    return {*map(type, outcomes)} <= {bytes, NoneType}


def dead(outcomes: Sequence[Outcome]) -> tuple[int, DeadLetter | None]:
    """How many are dead letters, and the last of them."""
    if all_predictions(outcomes):
        return 0, None
    letters = [o for o in outcomes if isinstance(o, DeadLetter)]
    return len(letters), letters[-1] if letters else None
