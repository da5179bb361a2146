"""
The core: a batch of records in, exactly one outcome per record out, in order, for any bytes.

Pure: no socket, file, clock, thread or log. Every door (stream, REST, files, SQL) calls it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeVar

import pyarrow as pa

from stream.codec import Decoded
from stream.errors import RecordError, class_name
from stream.records import Batch, DeadLetter, Headers, Outcome, Skip
from stream.scoring import Scored, prediction_columns

__all__ = ["Decode", "Encode", "NullValue", "Observer", "Pipeline", "Score"]

NullValue = Literal["dead-letter", "skip", "forward"]
"""What becomes of a record without a value."""

T = TypeVar("T")


class Decode(Protocol):
    """Values → columns of those that are sound, faults of the others."""

    def decode(self, values: Sequence[bytes], headers: Sequence[Headers | None] | None = None) -> Decoded:
        """See `stream.codec.Decoder.decode`."""


class Score(Protocol):
    """Columns → answers of the rows that have one, faults of the others."""

    def score(self, columns: Mapping[str, pa.Array], n: int) -> Scored:
        """See `stream.scoring.Model.score`."""


class Encode(Protocol):
    """Columns → one value per row."""

    def encode(self, columns: Mapping[str, pa.Array]) -> list[bytes | DeadLetter]:
        """See `stream.codec.Encoder.encode`."""


class Observer(Protocol):
    """Sees what was scored, batch by batch, in the thread that scores: slow work belongs elsewhere."""

    def saw(self, columns: Mapping[str, pa.Array], scored: Scored) -> None:
        """
        Take note of a batch.

        Args:
            columns: of the n ≥ 1 rows that the model was asked for, by path; not to be changed.
            scored: an answer or a fault for each.
        Raises: nothing; what it raises ends the worker.
        """


@dataclass(frozen=True, slots=True)
class Pipeline:
    """
    Decode → score → encode, as one total function.

    Attributes:
        decoder: for the model's features and the carried fields.
        model: the loaded estimator.
        encoder: for `prediction.avsc`.
        name: `name@version` of the model, for dead letters and logs; predictions have that of `Scored.models`.
        carry: dotted paths of the event's fields that are copied, with the name each has in the prediction.
        null_value: what becomes of a record without a value.
        observer: sees each batch that was scored.
    """

    decoder: Decode
    model: Score
    encoder: Encode
    name: str
    carry: Mapping[str, str]
    null_value: NullValue = "dead-letter"
    observer: Observer | None = None

    def process(self, batch: Batch) -> list[Outcome]:
        """
        Score a batch.

        Args:
            batch: n records of one topic.
        Returns: n outcomes; outcome i belongs to record i. Never raises for any bytes: what can't be scored
            is a DeadLetter of its own, and the records beside it are scored as if it were not there.
        """
        values = batch.values
        if None not in values:
            return self._process(batch, range(len(batch))) if values else []
        rows = [i for i, value in enumerate(values) if value is not None]
        outcomes = iter(self._process(batch, rows) if rows else [])
        return [self._null() if value is None else next(outcomes) for value in values]

    def _null(self) -> Outcome:
        if self.null_value == "forward":
            return None
        if self.null_value == "skip":
            return Skip("null_value")
        return DeadLetter("decode", "null_value", class_name(RecordError), "the record has no value")

    def _process(self, batch: Batch, rows: Sequence[int]) -> list[Outcome]:
        """The records at `rows`, which have a value: 1 decode, 2 score, 3 encode, 4 one outcome for each."""
        values = [value for value in batch.values if value is not None]
        decoded = self.decoder.decode(values, _at(batch.headers, rows))  # 1
        if not decoded.rows:
            return [decoded.faults[i] for i in range(len(rows))]
        scored = self.model.score(decoded.columns, len(decoded.rows))  # 2
        if self.observer is not None:
            self.observer.saw(decoded.columns, scored)
        kept = _at(decoded.rows, scored.rows)
        encoded: list[Outcome] = self._encode(batch, _at(rows, kept), decoded, scored) if kept else []  # 3
        if len(encoded) == len(rows):  # 4
            return encoded
        found: dict[int, Outcome] = dict(decoded.faults)
        found |= {decoded.rows[i]: fault for i, fault in scored.faults.items()}
        found |= dict(zip(kept, encoded, strict=True))
        return [found[i] for i in range(len(rows))]

    def _encode(self, batch: Batch, rows: Sequence[int], decoded: Decoded, scored: Scored) -> list[Outcome]:
        """The values of the predictions for the records at `rows`, those that were scored."""
        origin = {
            "source_partition": pa.array(_at(batch.partitions, rows), pa.int32()),
            "source_offset": pa.array(_at(batch.offsets, rows), pa.int64()),
        }
        predictions = prediction_columns(decoded.columns, len(decoded.rows), scored, self.carry)
        return [*self.encoder.encode({**predictions, **origin})]


def _at(items: Sequence[T], rows: Sequence[int]) -> Sequence[T]:
    """The items at `rows`, ascending and each once; as they are when that is all of them."""
    return items if len(rows) == len(items) else [items[i] for i in rows]
