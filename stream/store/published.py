"""What a package would publish for events: the bytes of each through decode, score and encode, and read back."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import fastavro
import pyarrow as pa

from stream.codec import Decoder, Encoder, RecordSchema, read_row
from stream.records import DeadLetter
from stream.scoring import Model, answer_fields, carried_names, prediction_columns
from stream.store.own_answers import Answer

__all__ = ["Published", "publish"]


@dataclass(frozen=True, slots=True)
class Published:
    """
    What becomes of n events.

    Attributes:
        columns: what the model was given, by path, for each of `rows`.
        rows: the events that decoded, ascending.
        answers: by event, the answer's fields in its prediction.
        faults: by event, why it has no prediction.
    """

    columns: dict[str, pa.Array]
    rows: Sequence[int]
    answers: dict[int, Answer] = field(default_factory=dict)
    faults: dict[int, DeadLetter] = field(default_factory=dict)


def publish(
    model: Model, features: RecordSchema, prediction: RecordSchema, events: Sequence[Mapping[str, object]]
) -> Published:
    """
    Do what a worker does, as `stream.pipeline` does it, by the last way that it takes.

    The first batch is answered by the reference, later ones by faster ways: where there are some, it is asked twice.

    Args:
        model: under its contract.
        features: the schema that the events are written with.
        prediction: the schema of predictions.
        events: n ≥ 1 Avro records as dicts, that fit the schema.
    Returns: a prediction or a fault for each.
    """
    manifest = model.manifest
    decoded = Decoder(features, manifest.needed, "bare", features).decode(
        [_bytes(features, event) for event in events]
    )
    scored = model.score(decoded.columns, len(decoded.rows))
    if model.ways:
        scored = model.score(decoded.columns, len(decoded.rows))
    kept = [decoded.rows[i] for i in scored.rows]
    faults = dict(decoded.faults) | {decoded.rows[i]: fault for i, fault in scored.faults.items()}
    columns = prediction_columns(decoded.columns, len(decoded.rows), scored, carried_names(manifest.carry))
    columns["source_partition"] = pa.repeat(pa.scalar(0, pa.int32()), len(kept))
    columns["source_offset"] = pa.array(kept, pa.int64())
    answers: dict[int, Answer] = {}
    for row, value in zip(kept, Encoder(prediction).encode(columns), strict=True):
        if isinstance(value, DeadLetter):
            faults[row] = value
        else:
            read = read_row(prediction, value)
            answers[row] = {answer.name: read[answer.name] for answer in answer_fields(manifest)}
    return Published(decoded.columns, decoded.rows, answers, faults)


def _bytes(schema: RecordSchema, event: Mapping[str, object]) -> bytes:
    stream = io.BytesIO()
    fastavro.schemaless_writer(stream, schema.parsed, dict(event))
    return stream.getvalue()
