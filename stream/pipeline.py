"""
The heart: a batch of records in, exactly one outcome per record out, in order, for any bytes.

Pure: no socket, file, clock, thread or log. Every door (stream, REST, files, SQL) calls it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import pyarrow as pa

from stream.codec import Decoded
from stream.records import Batch, DeadLetter, Headers, Outcome, Prediction, Skip
from stream.scoring import Scored

__all__ = ["Decode", "Encode", "NullValue", "Pipeline", "Score"]

NullValue = Literal["dead-letter", "skip", "forward"]
"""What becomes of a record without a value."""


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


@dataclass(frozen=True, slots=True)
class Pipeline:
    """
    Decode → score → encode, as one total function.

    Attributes:
        decoder: for the model's features and the carried fields.
        model: the loaded estimator.
        encoder: for `prediction.avsc`.
        name: `name@version`, published with each prediction.
        carry: dotted paths of the event's fields that are copied, with the name each has in the prediction.
        null_value: what becomes of a record without a value.
    """

    decoder: Decode
    model: Score
    encoder: Encode
    name: str
    carry: Mapping[str, str]
    null_value: NullValue = "dead-letter"

    def process(self, batch: Batch) -> list[Outcome]:
        """
        Score a batch.

        Args:
            batch: n records of one topic.
        Returns: n outcomes; outcome i belongs to record i. Never raises for any bytes: what can't be scored
            is a DeadLetter of its own, and the records beside it are scored as if it were not there.
        """
        outcomes: dict[int, Outcome] = {}
        rows = [i for i, value in enumerate(batch.values) if value is not None]
        if len(rows) < len(batch):
            outcomes.update({i: self._null() for i, value in enumerate(batch.values) if value is None})
        if rows:
            self._process(batch, rows, outcomes)
        return [outcomes[i] for i in range(len(batch))]

    def _null(self) -> Outcome:
        if self.null_value == "forward":
            return Prediction(None)
        if self.null_value == "skip":
            return Skip("null_value")
        return DeadLetter("decode", "null_value", "NullValue", "the record has no value")

    def _process(self, batch: Batch, rows: list[int], outcomes: dict[int, Outcome]) -> None:
        """The records at `rows`, which have a value: 1 decode, 2 score, 3 encode."""
        values = [value for value in batch.values if value is not None]
        decoded = self.decoder.decode(values, [batch.headers[i] for i in rows])  # 1
        outcomes.update({rows[i]: fault for i, fault in decoded.faults.items()})
        kept = [rows[i] for i in decoded.rows]
        if not kept:
            return
        scored = self.model.score(decoded.columns, len(kept))  # 2
        outcomes.update({kept[i]: fault for i, fault in scored.faults.items()})
        good = [kept[i] for i in scored.rows]
        if not good:
            return
        carried = {name: decoded.columns[path] for path, name in self.carry.items()}
        if len(good) < len(kept):
            taken = pa.array(scored.rows, pa.int64())
            carried = {name: column.take(taken) for name, column in carried.items()}
        encoded = self.encoder.encode({**carried, **scored.columns, **self._origin(batch, good)})  # 3
        for i, value in zip(good, encoded, strict=True):
            outcomes[i] = Prediction(value) if isinstance(value, bytes) else value

    def _origin(self, batch: Batch, rows: list[int]) -> dict[str, pa.Array]:
        """The columns that say which model answered which record."""
        return {
            "model": pa.repeat(pa.scalar(self.name, pa.string()), len(rows)),
            "source_partition": pa.array([batch.partitions[i] for i in rows], pa.int32()),
            "source_offset": pa.array([batch.offsets[i] for i in rows], pa.int64()),
        }
