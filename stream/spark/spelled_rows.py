"""Spark's rows in text, spelled as by every other door (`stream.types`, docs/types.md)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from stream.types import AvroType, json_text, type_for, type_of

__all__ = ["LINE", "csv_columns", "csv_schema", "json_lines", "own_names"]

Batches: TypeAlias = Iterator[pa.RecordBatch]
Answer: TypeAlias = Mapping[str, AvroType]

LINE = pa.schema([("value", pa.string())])
"""A row as a JSON object."""


def own_names(names: Sequence[str]) -> list[str]:
    """A name of its own for each column: JSON can't hold one twice, so the second is called `name_1`."""
    taken = set(names)
    found: list[str] = []
    for name in names:
        own, i = name, 0
        while own in found or (i and own in taken):
            i += 1
            own = f"{name}_{i}"
        found.append(own)
    return found


def json_lines(answer: Answer, batches: Batches) -> Batches:
    """
    On an executor: rows as JSON objects.

    Args:
        answer: the fields of a model's predictions, whose types say more than Spark's do: a struct of exactly these is
            one.
        batches: of any rows.
    Returns: as many rows of `LINE`; what is null is null there, NaN and infinity too.
    """
    for batch in batches:
        names = own_names(batch.schema.names)
        columns = [json_values(column, answer) for column in batch.columns]
        lines = [json_text(dict(zip(names, row, strict=True))) for row in zip(*columns, strict=True)]
        yield pa.RecordBatch.from_arrays([pa.array(lines, pa.string())], schema=LINE)


def csv_schema(schema: pa.Schema) -> pa.Schema:
    """
    Args:
        schema: of any rows.
    Returns: of the same rows as a csv's writer is given them: whole numbers, booleans and texts.
    """
    names = own_names(schema.names)
    return pa.schema([(name, _csv_type(field.type)) for name, field in zip(names, schema, strict=True)])


def csv_columns(answer: Answer, batches: Batches) -> Batches:
    """
    On an executor: rows for a csv's writer.

    Args:
        answer: as for `json_lines`.
        batches: of any rows.
    Returns: the same of `csv_schema`; what is nested is JSON.
    """
    for batch in batches:
        schema = csv_schema(batch.schema)
        columns = [
            _csv_column(column, field.type, answer)
            for column, field in zip(batch.columns, schema, strict=True)
        ]
        yield pa.RecordBatch.from_arrays(columns, schema=schema)


def json_values(column: pa.Array, answer: Answer) -> list[Any]:
    """
    Args:
        column: of any type.
        answer: as for `json_lines`.
    Returns: its values as JSON has them.
    """
    kind = column.type
    if pa.types.is_struct(kind):
        return _structs(column, answer)
    if pa.types.is_map(kind):
        return _maps(column, answer)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        places = iter(json_values(column.flatten(), answer))
        lengths = pc.list_value_length(column).to_pylist()
        return [None if n is None else [next(places) for _ in range(n)] for n in lengths]
    found = _type(kind)
    if found is None:
        return [None if value is None else str(value) for value in column.to_pylist()]
    return found.json_values(_own(found, column))


def _structs(column: pa.Array, answer: Answer) -> list[Any]:
    given = [field.name for field in column.type]
    names = own_names(given)
    if given == list(answer):
        typed = zip(answer.values(), column.flatten(), strict=True)
        parts = [kind.json_values(_own(kind, part)) for kind, part in typed]
    else:
        parts = [json_values(part, answer) for part in column.flatten()]
    rows = [dict(zip(names, row, strict=True)) for row in zip(*parts, strict=True)]
    return _gaps(column, rows or [{}] * len(column))


def _maps(column: pa.Array, answer: Answer) -> list[Any]:
    keys, items = json_values(column.keys, answer), json_values(column.items, answer)
    ends = column.offsets.to_pylist()
    texts = [key if isinstance(key, str) else json_text(key) for key in keys]
    rows = [dict(zip(texts[start:stop], items[start:stop], strict=True)) for start, stop in pairwise(ends)]
    return _gaps(column, rows)


def _gaps(column: pa.Array, rows: list[Any]) -> list[Any]:
    return [row if there else None for row, there in zip(rows, column.is_valid().to_pylist(), strict=True)]


def _type(kind: pa.DataType) -> AvroType | None:
    """Whose spelling a column has; None for what Avro has no type for."""
    if pa.types.is_null(kind):
        return type_of("null")
    if pa.types.is_timestamp(kind) and kind.tz is None:
        return type_of("long", "local-timestamp-micros")
    return type_for(kind, exact=True)


def _own(found: AvroType, column: pa.Array) -> pa.Array:
    made, wrong = found.from_column(column, text=False)
    for misfit in wrong.values():
        raise ValueError(f"{column.type} is not {found.full_name}: {misfit}")
    return made


def _csv_type(kind: pa.DataType) -> pa.DataType:
    return kind if pa.types.is_integer(kind) or pa.types.is_boolean(kind) else pa.string()


def _csv_column(column: pa.Array, target: pa.DataType, answer: Answer) -> pa.Array:
    if column.type == target:
        return column
    if pa.types.is_nested(column.type):
        values = json_values(column, answer)
        return pa.array([None if value is None else json_text(value) for value in values], target)
    found = _type(column.type)
    if found is None:
        return pa.array([None if value is None else str(value) for value in column.to_pylist()], target)
    return found.csv_column(_own(found, column)).cast(target)
