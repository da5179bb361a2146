"""The strict path: one value at a time, read by our own walk, or written by fastavro."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import fastavro
import pyarrow as pa
from fastavro.schema import SchemaParseException, UnknownType

from stream.codec.fastavro_form import fastavro_parsed
from stream.codec.leaf import Leaf
from stream.codec.nodes import Record
from stream.codec.parts import Part
from stream.codec.strict import about
from stream.codec.value_reader import ValueReader
from stream.codec.walk import Invalid
from stream.errors import RecordError, SchemaError
from stream.records import DeadLetter, Stage

__all__ = ["SlowReader", "SlowWriter", "dead_letter"]

_REFUSALS = (EOFError, IndexError, KeyError, OverflowError, TypeError, ValueError)
"""What fastavro raises for values that it can't write."""


def dead_letter(stage: Stage, error: RecordError) -> DeadLetter:
    """The dead letter of an error at a stage; its exception is the error's full class name."""
    kind = type(error)
    name = f"{kind.__module__}.{kind.__qualname__}"
    return DeadLetter(stage, error.reason, name, error.message, error.field)


class SlowReader:
    """Decodes values of one writer's schema one by one; decides about every row that the fast path leaves."""

    def __init__(
        self, writer: Record, reader: Record, leaves: Sequence[Leaf], fault: RecordError | None
    ) -> None:
        """
        Args:
            writer: the schema that the values were written with.
            reader: the reader's.
            leaves: what is wanted of it.
            fault: why no value of this writer can be read, if so.
        """
        self._values = ValueReader(writer, reader, [leaf.path for leaf in leaves])
        self._leaves = leaves
        self._row = pa.struct([pa.field(str(i), leaf.type.storage) for i, leaf in enumerate(leaves)])
        self._fault = fault

    def read(self, rows: Sequence[int], bodies: Sequence[bytes]) -> tuple[Part, dict[int, DeadLetter]]:
        """
        Decode values.

        Args:
            rows: the index of each value, ascending.
            bodies: the values without framing, equally many.
        Returns: those that can be read, and why each other one can't.
        """
        good: list[int] = []
        values: list[list[object]] = []
        faults: dict[int, DeadLetter] = {}
        for row, body in zip(rows, bodies, strict=True):
            found = self._read_one(body)
            if isinstance(found, DeadLetter):
                faults[row] = found
            else:
                good.append(row)
                values.append(found)
        return Part(good, self._columns(values)), faults

    def _read_one(self, body: bytes) -> list[object] | DeadLetter:
        fault = self._fault
        if fault is None:
            try:
                return self._values.read(body)
            except Invalid as wrong:
                return dead_letter("decode", about(wrong))
            except RecordError as error:
                fault = error
        # Bytes that are no value of the writer's schema say nothing about its fields.
        invalid = self._values.check(body)
        return dead_letter("contract", fault) if invalid is None else dead_letter("decode", invalid)

    def _columns(self, values: list[list[object]]) -> dict[str, pa.Array]:
        """All columns in one call: for one row each call of its own takes 2 µs."""
        columns = pa.array([tuple(row) for row in values], self._row).flatten()
        return {
            leaf.path: leaf.type.from_storage(column)
            for leaf, column in zip(self._leaves, columns, strict=True)
        }


class SlowWriter:
    """Encodes records of one schema one by one."""

    def __init__(self, schema: Record) -> None:
        self._schema = _bare(schema)

    def write(self, record: Mapping[str, object]) -> bytes | RecordError:
        """
        Encode a record.

        Args:
            record: a value per field; logical types as bare numbers, of a union of several types `{"int": 5}`.
        Returns: the Avro bytes without framing, or why it can't be written.
        """
        out = io.BytesIO()
        try:
            fastavro.schemaless_writer(out, self._schema, record, strict=True)
        except _REFUSALS as error:
            return RecordError(f"fastavro can't write it: {error}", reason="unwritable")
        return out.getvalue()


def _bare(schema: Record) -> Any:
    """Without logical types, so that fastavro leaves the numbers alone."""
    try:
        return fastavro_parsed(schema, meaning=False)
    except (SchemaParseException, UnknownType) as error:
        raise SchemaError(
            f"the schema can't be written: {error}", hint="use names of ASCII letters"
        ) from error
