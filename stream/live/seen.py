"""
What is kept of records for people to look at: the last dead letters, and some predictions while somebody looks.

With `redact` nothing of a record's key and value is kept of dead letters, nor a message that may quote them.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from stream.records import Batch, DeadLetter, Headers, Outcome

__all__ = ["LETTERS", "Seen", "SeenLetter", "SeenPrediction"]

LETTERS = 10
"""Dead letters kept."""

PREDICTIONS = 64
"""Predictions kept between two looks, a second apart: decoding them takes a millisecond."""

OF_A_BATCH = 8
"""Predictions taken of a batch at most; a worker may end hundreds of batches in a second."""

WHOLE_BYTES = 65_536
"""A dead letter's value is kept whole up to here, so that it can be decoded; of a longer one only its beginning."""

SHOWN_BYTES = 256
"""Of a value, shown byte by byte."""


@dataclass(frozen=True, slots=True, eq=False)
class SeenLetter:
    """
    A dead letter, or a row that REST could not score; each is its own.

    Attributes:
        at_ms: when it was found, in milliseconds since the epoch.
        stage: where it failed.
        reason: a stable code.
        field: that failed, where it is one.
        place: on the input; None for a row of a request.
        size: of its value in bytes; None without one.
        message: the error's text; None = redacted.
        key: of its record; None = none, or redacted.
        value: of its record, whole or its beginning; None = none, or redacted.
        headers: of its record, where its value is whole.
    """

    at_ms: int
    stage: str
    reason: str
    field: str | None
    place: str | None = None
    size: int | None = None
    message: str | None = None
    key: bytes | None = None
    value: bytes | None = None
    headers: Headers | None = None

    @property
    def is_whole(self) -> bool:
        """Whether the value is kept whole."""
        return self.value is not None and len(self.value) == self.size


@dataclass(frozen=True, slots=True)
class SeenPrediction:
    """
    A prediction.

    Attributes:
        at_ms: when it was committed or answered, in milliseconds since the epoch.
        model: `name@version` that answered.
        value: as it was written, with its framing; or its fields as JSON has them.
        place: of its record on the input; None for a row of a request.
        key: of its record.
    """

    at_ms: int
    model: str
    value: bytes | Mapping[str, object]
    place: str | None = None
    key: bytes | None = None


class Seen:
    """Written by the threads that do the work; `take` and the letters may be asked for by another one."""

    def __init__(self, *, redact: bool = False) -> None:
        """
        Args:
            redact: keep nothing that may hold a payload.
        """
        self.redact = redact
        self.watched = False
        """Whether somebody looks; predictions are kept only then."""
        self.letters: deque[SeenLetter] = deque(maxlen=LETTERS)
        """The last dead letters, the newest last."""
        self.reasons: Counter[tuple[str, ...]] = Counter()
        """Rows of requests that could not be scored, by reason and stage."""
        self._predictions: deque[SeenPrediction] = deque(maxlen=PREDICTIONS)

    def watch(self, watched: bool) -> None:
        """Somebody begins to look, or nobody does any longer."""
        self.watched = watched
        if not watched:
            self._predictions.clear()

    def take(self) -> list[SeenPrediction]:
        """The predictions since the last call, the newest last."""
        found: list[SeenPrediction] = []
        while self._predictions:
            found.append(self._predictions.popleft())
        return found

    def batch(self, batch: Batch, outcomes: Sequence[Outcome], model: str, at_ms: int) -> None:
        """
        Take some predictions of a batch, at even distances; called only while somebody looks.

        Args:
            batch: n records.
            outcomes: shape (n,).
            model: `name@version` that answered.
            at_ms: when they were committed.
        """
        for i in range(0, len(batch), -(-len(batch) // OF_A_BATCH) or 1):
            outcome = outcomes[i]
            if isinstance(outcome, bytes):
                key = None if self.redact else batch.keys[i]
                self._predictions.append(SeenPrediction(at_ms, model, outcome, str(batch.place(i)), key))

    def answers(self, answers: Sequence[Mapping[str, object] | DeadLetter], model: str, at_ms: int) -> None:
        """
        Take note of the answers to a request: of all that are none, and of some predictions while somebody looks.

        Args:
            answers: a prediction's fields as JSON has them, or why a row has none.
            model: `name@version` that answered.
            at_ms: now.
        """
        for answer in answers:
            if isinstance(answer, DeadLetter):
                self.reasons[answer.reason, answer.stage] += 1
                message = None if self.redact else answer.message
                self.letters.append(
                    SeenLetter(at_ms, answer.stage, answer.reason, answer.field, message=message)
                )
        if self.watched:
            for answer in answers[:: -(-len(answers) // OF_A_BATCH) or 1]:
                if not isinstance(answer, DeadLetter):
                    self._predictions.append(SeenPrediction(at_ms, model, dict(answer)))

    def letter(self, letter: DeadLetter, batch: Batch, i: int, at_ms: int) -> None:
        """
        Keep a dead letter.

        Args:
            letter: why.
            batch: where its record is.
            i: its row.
            at_ms: now.
        """
        value = batch.values[i]
        size = None if value is None else len(value)
        found = SeenLetter(at_ms, letter.stage, letter.reason, letter.field, str(batch.place(i)), size)
        if not self.redact:
            whole = value is not None and len(value) <= WHOLE_BYTES
            found = SeenLetter(
                found.at_ms,
                found.stage,
                found.reason,
                found.field,
                found.place,
                size,
                letter.message,
                batch.keys[i],
                value if whole or value is None else value[:SHOWN_BYTES],
                batch.headers[i] if whole else None,
            )
        self.letters.append(found)
