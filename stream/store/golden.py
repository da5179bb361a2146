"""Golden rows: events with the answers they had when packed, kept to prove later that they are still the same."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import fastavro
import numpy as np

from stream.codec import RecordSchema, container_writer, read_container
from stream.errors import PackageError, SampleError, StreamError
from stream.manifest import Manifest
from stream.scoring import Model, Scored, answer_fields, columns_of, same_answer
from stream.types import Misfit

__all__ = ["MAX_ROWS", "Golden", "check_golden", "choose_golden", "places", "read_golden", "spread",
           "through_avro", "write_golden"]  # fmt: skip

MAX_ROWS = 200
"""As many rows as a package keeps: enough to meet most branches of a model, scored in a second."""

MAX_BYTES = 256 * 1024**2
"""Of all rows together, unpacked: more than a megabyte each."""

_ODD_BATCHES = (3, 7, 31)
"""Batch sizes beside one row and all: BLAS takes other paths below its block sizes (4, 8, 16, 32)."""

_SHOWN = 3
"""Rows named in a message."""

Rows = Sequence[Mapping[str, object]]


@dataclass(frozen=True, slots=True)
class Golden:
    """Golden rows: the events as Avro dicts, and their answers, row by row."""

    events: list[dict[str, object]]
    answers: list[dict[str, object]]


def places(rows: int, count: int) -> list[int]:
    """At most `count` of some rows' indices at even distances, the first and the last among them."""
    found: list[int] = np.unique(np.linspace(0, rows - 1, min(count, rows)).astype(int)).tolist()
    return found


def spread(rows: Rows, count: int) -> list[dict[str, object]]:
    """The rows at `places`."""
    return [dict(rows[i]) for i in places(len(rows), count)]


def through_avro(rows: Rows, features: RecordSchema) -> list[dict[str, object]]:
    """
    Rows as a decoder gives them: floats of 32 bits rounded, times cut to the type's unit, defaults filled in.

    Args:
        rows: Avro records as dicts.
        features: their schema.
    Returns: the same rows after one round through Avro.
    Raises: SampleError if a row doesn't fit the schema.
    """
    stream = io.BytesIO()
    try:
        fastavro.writer(stream, features.parsed, rows)
    except (ValueError, TypeError, KeyError, OverflowError) as error:
        raise SampleError(f"a row doesn't fit the schema {features.name}: {error}") from error
    stream.seek(0)
    return list(fastavro.reader(stream))  # type: ignore[arg-type]


def choose_golden(model: Model, rows: Rows) -> Golden:
    """
    Keep the rows whose answers don't depend on the batch that they are in.

    Args:
        model: under its contract.
        rows: candidates, Avro records as dicts.
    Returns: those with the same answer whole, one by one and in odd batches.
    Raises: PackageError (step `golden`) if there is none.
    """
    manifest = model.manifest
    columns = columns_of(rows, manifest.features)
    whole = _by_row(model.score(columns, len(rows)))
    stable = set(whole)
    for size in (1, *(size for size in _ODD_BATCHES if size < len(rows))):
        for start in range(0, len(rows), size):
            count = min(size, len(rows) - start)
            part = {path: column.slice(start, count) for path, column in columns.items()}
            again = _by_row(model.score(part, count))
            stable -= {
                start + i for i in range(count) if not _same(whole.get(start + i), again.get(i), manifest)
            }
    if not stable:
        raise PackageError(
            f"of {len(rows)} rows the model answers none the same way twice: its answers depend on the batch "
            "or on chance",
            step="golden",
            hint="seed it, or take out what looks at other rows of the batch",
        )
    kept = sorted(stable)
    return Golden([dict(rows[i]) for i in kept], [whole[i] for i in kept])


def write_golden(golden: Golden, features: str, manifest: Manifest) -> bytes:
    """
    Args:
        golden: the rows.
        features: `features.avsc`.
        manifest: of the model.
    Returns: `golden.avro`: an object container file of records with `event` and `answer`.
    """
    fields = [{"name": field.name, "type": field.avro} for field in answer_fields(manifest)]
    schema = {
        "type": "record",
        "name": "GoldenRow",
        "fields": [
            {"name": "event", "type": RecordSchema(features).document},
            {"name": "answer", "type": {"type": "record", "name": "GoldenAnswer", "fields": fields}},
        ],
    }
    stream = io.BytesIO()
    rows = [
        {"event": event, "answer": answer}
        for event, answer in zip(golden.events, golden.answers, strict=True)
    ]
    writer = container_writer(stream, RecordSchema(json.dumps(schema)))
    for row in rows:
        writer.write(row)
    writer.flush()
    return stream.getvalue()


def read_golden(content: bytes) -> Golden:
    """
    Args:
        content: of `golden.avro`, its hash checked.
    Returns: the rows.
    Raises: PackageError (step `golden`) if it can't be read, or has more rows or bytes than a package keeps.
    """
    try:
        schema, values = read_container(content, MAX_ROWS, MAX_BYTES)
        rows: list[Any] = [
            fastavro.schemaless_reader(io.BytesIO(value), schema.parsed, None) for value in values
        ]
        return Golden([row["event"] for row in rows], [row["answer"] for row in rows])
    except (StreamError, ValueError, KeyError, TypeError, EOFError, OverflowError) as error:
        text = error.message if isinstance(error, StreamError) else str(error)
        raise PackageError(
            f"golden.avro: can't be read: {text}", step="golden", hint="pack the model again"
        ) from error


def check_golden(model: Model, golden: Golden) -> None:
    """
    Score the golden rows again.

    Args:
        model: as loaded.
        golden: what it answered when packed.
    Raises: PackageError (step `golden`) naming the first rows whose answers differ.
    """
    if not golden.events:
        raise PackageError("golden.avro: has no rows", step="golden", hint="pack the model again")
    try:
        columns = columns_of(golden.events, model.manifest.features)
    except (KeyError, Misfit) as error:
        raise PackageError(
            f"golden.avro: its rows don't fit the manifest's features: {error}",
            step="golden",
            hint="pack the model again",
        ) from error
    scored = model.score(columns, len(golden.events))
    found = _by_row(scored)
    wrong = [i for i, answer in enumerate(golden.answers) if not _same(answer, found.get(i), model.manifest)]
    if wrong:
        shown = "; ".join(
            f"row {i}: expected {golden.answers[i]}, found {found.get(i) or scored.faults[i].message}"
            for i in wrong[:_SHOWN]
        )
        raise PackageError(
            f"{len(wrong)} of {len(golden.events)} golden rows no longer score the same: {shown}",
            step="golden",
            hint="install the library versions of the manifest, or pack the model again with those here",
        )


def _by_row(scored: Scored) -> dict[int, dict[str, object]]:
    names = list(scored.columns)
    values = zip(*(column.to_pylist() for column in scored.columns.values()), strict=True)
    return {i: dict(zip(names, answer, strict=True)) for i, answer in zip(scored.rows, values, strict=True)}


def _same(one: object, other: object, manifest: Manifest) -> bool:
    return same_answer(one, other, manifest.tolerance, manifest.tolerance)
