"""Columns in, values out: every row is either the bytes of a value or a dead letter."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

from stream.codec.arrow import FAST_FROM_ROWS, serialize
from stream.codec.fallback import SlowWriter, dead_letter
from stream.codec.leaf import Leaf
from stream.codec.schema import RecordSchema
from stream.codec.subset import column_name
from stream.errors import RecordError, SchemaError
from stream.records import DeadLetter
from stream.types import List, Nested

__all__ = ["Encoder"]


class Encoder:
    """Encodes columns as values of one schema, framing included. May be used by several threads at once."""

    def __init__(self, schema: RecordSchema, prefix: bytes = b"") -> None:
        """
        Args:
            schema: what to write.
            prefix: what stands before each value (`single_object_prefix`, `confluent_prefix`; bare: nothing).
        Raises: SchemaError when a field can't be written from a column.
        """
        self._schema, self._prefix = schema, prefix
        self._leaves = tuple(schema.leaf(name) for name in schema.fields)
        if not self._leaves:
            raise SchemaError(f"record {schema.name} has no fields", hint="give it at least one")
        self._slow = SlowWriter(schema.root)
        self._fast = schema.rust if all(map(_is_plain, self._leaves)) else None

    def encode(self, columns: Mapping[str, pa.Array]) -> list[bytes | DeadLetter]:
        """
        Encode rows.

        Args:
            columns: an array of n rows per field of the schema, by its name; others are ignored. Each is cast
                to its field's type; a row whose value doesn't fit becomes a dead letter of stage `encode`.
        Returns: n values or dead letters, in order.
        Raises: ValueError when a column is missing, has another length, or can never fit (a bug,
                never data); nothing was encoded.
        """
        rows = self._length(columns)
        faults: dict[int, RecordError] = {}
        arrays = [_fitted(leaf, columns[leaf.path], faults) for leaf in self._leaves]
        if not faults:
            return self._write(arrays)
        good = [i for i in range(rows) if i not in faults]
        index = pa.array(good, pa.int64())
        values = iter(self._write([array.take(index) for array in arrays]))
        return [dead_letter("encode", faults[i]) if i in faults else next(values) for i in range(rows)]

    def _length(self, columns: Mapping[str, pa.Array]) -> int:
        missing = [leaf.path for leaf in self._leaves if leaf.path not in columns]
        if missing:
            raise ValueError(f"no column for {', '.join(missing)}")
        lengths = {len(columns[leaf.path]) for leaf in self._leaves}
        if len(lengths) > 1:
            raise ValueError(f"columns of different lengths: {sorted(lengths)}")
        return lengths.pop()

    def _write(self, arrays: list[pa.Array]) -> list[bytes | DeadLetter]:
        names = [column_name(i) for i in range(len(arrays))]
        if self._fast and len(arrays[0]) >= FAST_FROM_ROWS:
            written = serialize(pa.RecordBatch.from_arrays(arrays, names=names), self._fast)
            if written is not None:
                return [self._prefix + value for value in written.to_pylist()]
        values = [leaf.type.python_values(array) for leaf, array in zip(self._leaves, arrays, strict=True)]
        return [self._write_one(row) for row in zip(*values, strict=True)]

    def _write_one(self, row: tuple[object, ...]) -> bytes | DeadLetter:
        written = self._slow.write(dict(zip(self._schema.fields, row, strict=True)))
        return dead_letter("encode", written) if isinstance(written, RecordError) else self._prefix + written


def _is_plain(leaf: Leaf) -> bool:
    """Whether the Rust codec takes its column as it is: no types in types, but arrays of plain ones."""
    inner = leaf.type.item if isinstance(leaf.type, List) else leaf.type
    return not isinstance(inner, Nested)


def _fitted(leaf: Leaf, column: pa.Array, faults: dict[int, RecordError]) -> pa.Array:
    """Cast a column to the field's storage type; note the rows that don't fit."""
    array = _cast(leaf, column, faults)
    if array.null_count and not (leaf.nullable or pa.types.is_null(array.type)):
        _note(pc.indices_nonzero(array.is_null()), "null", "null_value", leaf, faults)
    for rows, what, reason in leaf.type.refused(array):
        _note(rows, what, reason, leaf, faults)
    return leaf.type.to_storage(array)


def _cast(leaf: Leaf, column: pa.Array, faults: dict[int, RecordError]) -> pa.Array:
    if column.type == leaf.arrow:
        return column
    try:
        return column.cast(leaf.arrow)
    except pa.ArrowNotImplementedError as error:
        raise ValueError(f"column {leaf.path!r}: {column.type} can't become {leaf.avro}") from error
    except pa.ArrowInvalid:
        return pa.concat_arrays([_cast_one(leaf, column, i, faults) for i in range(len(column))])


def _cast_one(leaf: Leaf, column: pa.Array, row: int, faults: dict[int, RecordError]) -> pa.Array:
    try:
        return column.slice(row, 1).cast(leaf.arrow)
    except pa.ArrowInvalid as error:
        text = f"field {leaf.path!r}: not of type {leaf.avro}: {error}"
        faults.setdefault(row, RecordError(text, reason="value_out_of_range", field=leaf.path))
        return pa.nulls(1, leaf.arrow)


def _note(rows: pa.Array, what: str, reason: str, leaf: Leaf, faults: dict[int, RecordError]) -> None:
    text = f"field {leaf.path!r} ({leaf.avro}): {what}"
    for row in rows.to_pylist():
        faults.setdefault(row, RecordError(text, reason=reason, field=leaf.path))
