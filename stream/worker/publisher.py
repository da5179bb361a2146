"""Outcomes → records of the output and dead-letter topics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from stream.deadletter import Author, Letter
from stream.errors import DeadLetterRefused, RecordError, class_name
from stream.records import DeadLetter, Headers, Outgoing, Prediction
from stream.transport import Refusal
from stream.worker.protocols import Sending
from stream.worker.span import ScoredBatch
from stream.worker.tally import all_predictions

__all__ = ["Publisher", "Topics", "letter_of", "onward", "refused_dead_letter"]

SCHEMA_HEADER = "__value_schema_id"
"""Describes the input's value, so a prediction does not keep it. Source: Confluent's serializers."""


@dataclass(frozen=True, slots=True)
class Topics:
    """
    Where outputs go.

    Attributes:
        predictions: topic of predictions.
        dead_letters: topic of dead letters.
        redact: keep payload values out of the headers.
    """

    predictions: str
    dead_letters: str
    redact: bool = False


class Publisher:
    """Sends what became of a batch, in the batch's order."""

    def __init__(self, sink: Sending, topics: Topics, author: Author) -> None:
        """
        Args:
            sink: the producer side.
            topics: where to.
            author: who writes dead letters.
        """
        self._sink = sink
        self._author = author
        self.topics = topics

    def publish(self, scored: ScoredBatch) -> None:
        """
        Send the predictions and dead letters of a batch; skips send nothing.

        Args:
            scored: the batch and what became of it.
        Raises: Stopped when the producer can't go on. Blocks while its queue is full.
        """
        batch, outcomes = scored.batch, scored.outcomes
        if all_predictions(outcomes):
            self._predictions(scored, outcomes, range(len(batch)))
            return
        rows = [i for i, outcome in enumerate(outcomes) if isinstance(outcome, Prediction)]
        self._predictions(scored, [o for o in outcomes if isinstance(o, Prediction)], rows)
        for i, outcome in enumerate(outcomes):
            if isinstance(outcome, DeadLetter):
                self.bury(scored, i, outcome, now=i in scored.restamped)

    def _predictions(self, scored: ScoredBatch, values: Sequence[Prediction], rows: Sequence[int]) -> None:
        batch = scored.batch
        headers = batch.headers if scored.traced is None else scored.traced.onto(batch.headers)
        if any(headers):
            headers = [onward(h) if h else None for h in headers]
        keys, timestamps = batch.keys, batch.timestamps_ms
        if len(rows) < len(batch):
            keys = [keys[i] for i in rows]
            timestamps = [timestamps[i] for i in rows]
            headers = [headers[i] for i in rows]
        self._sink.send(Outgoing(self.topics.predictions, keys, values, timestamps, headers))

    def bury(self, scored: ScoredBatch, i: int, letter: DeadLetter, *, now: bool = False) -> None:
        """
        Send record i to the dead-letter topic.

        Args:
            scored: where it is.
            i: its row.
            letter: why.
            now: stamp it with the current time, because the broker refuses its own timestamp.
        """
        dead = Letter.for_failure(
            letter, scored.batch, i, scored.model, self._author, redact=self.topics.redact
        )
        stamp = 0 if now else dead.timestamp_ms
        self._sink.send(
            Outgoing.one(self.topics.dead_letters, dead.key, dead.value, stamp, dead.wire_headers())
        )


def refused_dead_letter(refusal: Refusal) -> DeadLetterRefused:
    """The error for a record that not even the dead-letter topic takes; it names the record's place."""
    place = Letter.parse(refusal.headers).place or "a record of an unknown place"
    size = len(refusal.value or b"")
    return DeadLetterRefused(
        f"{place}: {refusal.topic} refused the record as a dead letter ({refusal.message}); its value has"
        f" {size} bytes; it was not skipped",
        hint=f"raise max.message.bytes of {refusal.topic} above {size + 65_536}, then restart",
    )


def letter_of(refusal: Refusal) -> DeadLetter:
    """What a refused prediction's record becomes."""
    text = f"{refusal.topic}: {refusal.exception}: {refusal.message}"
    return DeadLetter("publish", refusal.reason, class_name(RecordError), text)


def onward(headers: Headers) -> Headers:
    """The headers that a prediction keeps."""
    if any(name == SCHEMA_HEADER for name, _ in headers):
        return [(name, value) for name, value in headers if name != SCHEMA_HEADER]
    return headers
