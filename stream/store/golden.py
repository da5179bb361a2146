"""Golden rows: events with the answers they had when packed, kept to prove later that they are still the same."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import fastavro
import numpy as np

from stream.codec import RecordSchema, container_writer, read_bare, read_container
from stream.errors import PackageError, SampleError, StreamError
from stream.manifest import Manifest
from stream.scoring import Model, Scored, answer_fields, columns_of, same_answer
from stream.types import Misfit

__all__ = ["MAX_ROWS", "Golden", "check_golden", "choose_golden", "places", "read_golden", "rows_for",
           "spread", "through_avro", "write_golden"]  # fmt: skip

MAX_ROWS = 200
"""As many rows as a package keeps: enough to meet most branches of a model, scored in a second."""

_MAX_VALUES = 100_000
"""Of all rows together where a row has thousands; each is scored alone while packing."""

_LEAST_ROWS = 20
"""Kept whatever their width."""

MAX_BYTES = 256 * 1024**2
"""Of all rows together, unpacked: more than a megabyte each."""

_ODD_BATCHES = (3, 7, 31)
"""Batch sizes beside one row and all: BLAS takes other paths below its block sizes (4, 8, 16, 32)."""

_SHOWN = 3
"""Rows named in a message."""

_NOT_OF_THE_ROW = "its answers depend on the rows beside a row, on its place among them, or on chance"
_OWN_ROW = (
    "let each answer depend on its own row alone: seed what is random, and take out what looks at the other rows of a "
    "batch or at the index (a mean, a rank, the row before)"
)

Rows = Sequence[Mapping[str, object]]


@dataclass(frozen=True, slots=True)
class Golden:
    """
    Golden rows: the events as Avro dicts, and their answers, row by row.

    Attributes:
        candidates: as many rows as they were chosen of; 0 where nobody chose.
    """

    events: list[dict[str, object]]
    answers: list[dict[str, object]]
    candidates: int = 0


def rows_for(width: int, rows: int = MAX_ROWS, values: int = _MAX_VALUES) -> int:
    """So many rows of so many values each are looked at: at most `rows`, fewer where they are wide."""
    return max(_LEAST_ROWS, min(rows, values // max(width, 1)))


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
    found: list[dict[str, object]] = []
    for row in rows:
        try:
            value = _bytes(row, features)
        except (ValueError, TypeError, KeyError, OverflowError) as error:
            raise SampleError(f"a row doesn't fit the schema {features.name}: {error}") from error
        found.append(_read(features, value))
    return found


def _bytes(row: Mapping[str, object], features: RecordSchema) -> bytes:
    stream = io.BytesIO()
    fastavro.schemaless_writer(stream, features.parsed, dict(row))
    return stream.getvalue()


def _read(schema: RecordSchema, value: bytes) -> dict[str, object]:
    """With fastavro's classes for logical types; as bare numbers where a time is before year 1 or after 9999."""
    try:
        found: Any = fastavro.schemaless_reader(io.BytesIO(value), schema.parsed, None)
    except (OverflowError, ValueError):
        return read_bare(schema, value)
    return dict(found)


def choose_golden(model: Model, answered: Rows, *, allow: bool = False) -> Golden:
    """
    Keep rows whose answers don't depend on the batch that they are in.

    Args:
        model: under its contract.
        answered: rows that it answers, Avro records as dicts.
        allow: whether those that are kept may be few.
    Returns: of at most `MAX_ROWS` spread over them (fewer where they are wide), those with the same answer
        whole, one by one, in odd batches, and all of those that are kept together.
    Raises: PackageError (step `golden`) if there is none, or these are less than half unless that is allowed.
    """
    manifest = model.manifest
    rows = spread(answered, rows_for(len(manifest.features)))
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
    kept = _together(model, rows, whole, sorted(stable))
    if not kept or (len(kept) < len(rows) / 2 and not allow):
        raise PackageError(
            f"of {len(rows)} rows the model answers {len(kept) or 'none'} the same way whatever the batch: "
            f"{_NOT_OF_THE_ROW}",
            step="golden",
            hint=f"{_OWN_ROW}; --allow-difference packs it as it is" if kept else _OWN_ROW,
        )
    return Golden([rows[i] for i in kept], [whole[i] for i in kept], len(rows))


def _together(
    model: Model, rows: Rows, answers: Mapping[int, Mapping[str, object]], kept: list[int]
) -> list[int]:
    """Without those that answer otherwise among the others that are kept, which is how they are scored later."""
    while kept:
        part = [rows[i] for i in kept]
        found = _by_row(model.score(columns_of(part, model.manifest.features), len(part)))
        same = [row for i, row in enumerate(kept) if _same(answers[row], found.get(i), model.manifest)]
        if len(same) == len(kept):
            break
        kept = same
    return kept


def write_golden(golden: Golden, features: RecordSchema, manifest: Manifest) -> bytes:
    """
    Args:
        golden: the rows.
        features: the schema of the events.
        manifest: of the model.
    Returns: `golden.avro`: an object container file of records with `event` and `answer`.
    """
    fields = [{"name": field.name, "type": field.avro} for field in answer_fields(manifest)]
    schema = {
        "type": "record",
        "name": "GoldenRow",
        "fields": [
            {"name": "event", "type": features.document},
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
        rows: list[Any] = [_read(schema, value) for value in values]
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
        alone = _answered_alone(model, golden, wrong[:_SHOWN], found)
        raise PackageError(
            f"{len(wrong)} of {len(golden.events)} golden rows no longer score the same: {shown}"
            f"{'' if alone else f'; {_NOT_OF_THE_ROW}'}",
            step="golden",
            hint="install the library versions of the manifest, or pack the model again with those here"
            if alone
            else _OWN_ROW,
        )


def _answered_alone(
    model: Model, golden: Golden, rows: Sequence[int], found: Mapping[int, Mapping[str, object]]
) -> bool:
    """Whether the model answers each of some rows alone as it did among the others."""
    for row in rows:
        columns = columns_of([golden.events[row]], model.manifest.features)
        if not _same(found.get(row), _by_row(model.score(columns, 1)).get(0), model.manifest):
            return False
    return True


def _by_row(scored: Scored) -> dict[int, dict[str, object]]:
    names = list(scored.columns)
    values = zip(*(column.to_pylist() for column in scored.columns.values()), strict=True)
    return {i: dict(zip(names, answer, strict=True)) for i, answer in zip(scored.rows, values, strict=True)}


def _same(one: object, other: object, manifest: Manifest) -> bool:
    return same_answer(one, other, manifest.tolerance, manifest.tolerance)
