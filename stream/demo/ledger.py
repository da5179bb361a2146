"""What was sent and what came back: every event accounted for by its flight's id."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from stream.deadletter import Letter
from stream.demo.feed import Feed

__all__ = ["Ledger", "Sighting", "Summary", "area_under_curve", "percentile_ms"]

LATEST = 6
"""Predictions kept for people to see."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """
    A prediction as it was read, beside the truth.

    Attributes:
        flight_id: which flight.
        route: `EWR → IAH`.
        delay_min: departure delay, known to the model.
        score: predicted probability of arriving late.
        label: the prediction.
        late: the truth; None where the flight landed elsewhere.
    """

    flight_id: str
    route: str
    delay_min: float
    score: float
    label: bool
    late: bool | None


@dataclass(frozen=True, slots=True)
class Summary:
    """The demo's last line, as the contract has it; `duplicates` are records beyond the first of an event."""

    events: int
    predictions: int
    dead_letters: int
    auc: float | None
    events_per_second: float
    p50_ms: float | None
    p99_ms: float | None
    duplicates: int


@dataclass(slots=True)
class Ledger:
    """
    One run's accounts. The sending thread writes `sent_at`; one other thread writes the rest and reads.

    Attributes:
        feed: what is to be sent.
        sent_at: monotonic seconds by flight id.
        sightings: predictions by flight id.
        letters: dead letters by flight id.
        latencies_s: produce → prediction read, a prediction each, in the order they were read.
        reasons: dead letters by reason.
        duplicates: further predictions or dead letters of an event that already had one.
        unexpected: ids that came back and were never sent.
        latest: the last predictions.
        right: predictions that came true.
        judged: predictions whose truth is known.
        last_read: monotonic seconds of the last record that came back.
    """

    feed: Feed
    sent_at: dict[str, float] = field(default_factory=dict)
    sightings: dict[str, Sighting] = field(default_factory=dict)
    letters: dict[str, Letter] = field(default_factory=dict)
    latencies_s: list[float] = field(default_factory=list)
    reasons: Counter[str | None] = field(default_factory=Counter)
    duplicates: int = 0
    unexpected: list[str] = field(default_factory=list)
    latest: deque[Sighting] = field(default_factory=lambda: deque(maxlen=LATEST))
    right: int = 0
    judged: int = 0
    last_read: float = 0.0

    @property
    def events(self) -> int:
        """How many are to be sent."""
        return len(self.feed.messages)

    @property
    def sent(self) -> int:
        """How many have been sent."""
        return len(self.sent_at)

    @property
    def answered(self) -> int:
        """How many have come back, as a prediction or a dead letter."""
        return len(self.sightings) + len(self.letters)

    @property
    def lag(self) -> int:
        """Sent, and not come back yet."""
        return self.sent - self.answered

    @property
    def complete(self) -> bool:
        """Every event has come back."""
        return self.answered >= self.events

    def predicted(self, row: Mapping[str, object], now: float) -> None:
        """
        Take in a prediction.

        Args:
            row: its fields.
            now: monotonic seconds when it was read.
        """
        flight_id = str(row["flight_id"])
        if not self._new(flight_id, now):
            return
        late = self.feed.late[flight_id]
        sighting = Sighting(
            flight_id,
            f"{row['origin']} → {row['dest']}",
            self.feed.delays_min[flight_id],
            float(str(row["score"])),
            bool(row["label"]),
            late,
        )
        self.sightings[flight_id] = sighting
        self.latest.append(sighting)
        self.latencies_s.append(now - self.sent_at[flight_id])
        if late is not None:
            self.judged += 1
            self.right += sighting.label == late

    def dead(self, letter: Letter, now: float) -> None:
        """Take in a dead letter, read at `now` (monotonic seconds); its key is the flight's id."""
        flight_id = (letter.key or b"").decode("utf-8", "replace")
        if self._new(flight_id, now):
            self.letters[flight_id] = letter
            self.reasons[letter.reason] += 1

    def _new(self, flight_id: str, now: float) -> bool:
        self.last_read = now
        if flight_id not in self.sent_at:
            self.unexpected.append(flight_id)
            return False
        if flight_id in self.sightings or flight_id in self.letters:
            self.duplicates += 1
            return False
        return True

    def missing(self) -> list[str]:
        """Ids of the events that have not come back, in the order they are sent."""
        ids = (str(m.key, "utf-8") for m in self.feed.messages if m.key is not None)
        return [i for i in ids if i not in self.sightings and i not in self.letters]

    def summary(self) -> Summary:
        """The accounts so far. Speed: from the first event sent to the last record read."""
        seconds = self.last_read - min(self.sent_at.values(), default=self.last_read)
        judged = [s for s in self.sightings.values() if s.late is not None]
        return Summary(
            self.events,
            len(self.sightings),
            len(self.letters),
            area_under_curve([bool(s.late) for s in judged], [s.score for s in judged]),
            round(self.answered / seconds, 1) if seconds > 0 else 0.0,
            percentile_ms(self.latencies_s, 50),
            percentile_ms(self.latencies_s, 99),
            self.duplicates,
        )


def area_under_curve(truth: Sequence[bool], scores: Sequence[float]) -> float | None:
    """
    The area under the ROC curve, rounded to 4 digits.

    Args:
        truth: n outcomes.
        scores: n scores, higher for True.
    Returns: None when only one of the two outcomes came (or none).
    """
    from sklearn.metrics import roc_auc_score

    return round(float(roc_auc_score(truth, scores)), 4) if len(set(truth)) > 1 else None


def percentile_ms(seconds: Sequence[float], percent: float) -> float | None:
    """A percentile of durations in seconds, as milliseconds with one decimal; None when there are none."""
    return round(float(np.percentile(seconds, percent)) * 1000, 1) if seconds else None
