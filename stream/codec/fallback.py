"""The strict path: one value at a time, checked by our own walk, then read or written by fastavro."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

import fastavro
import pyarrow as pa

from stream.codec.canonical import canonical_form
from stream.codec.nodes import Record
from stream.codec.parts import Part
from stream.codec.resolution import LeafPlan
from stream.codec.strict import Checker
from stream.errors import RecordError
from stream.records import DeadLetter, Stage

__all__ = ["SlowReader", "SlowWriter", "dead_letter"]

_REFUSALS = (EOFError, IndexError, KeyError, OverflowError, TypeError, ValueError)
"""What fastavro raises for values that it can't read or write."""


def dead_letter(stage: Stage, error: RecordError) -> DeadLetter:
    """The dead letter of an error at a stage; its exception is the error's full class name."""
    kind = type(error)
    name = f"{kind.__module__}.{kind.__qualname__}"
    return DeadLetter(stage, error.reason, name, error.message, error.field)


class SlowReader:
    """Decodes values of one writer's schema one by one; decides about every row that the fast path leaves."""

    def __init__(self, writer: Record, plans: Sequence[LeafPlan], fault: RecordError | None) -> None:
        """
        Args:
            writer: the schema that the values were written with.
            plans: where the leaves are.
            fault: why no value of this writer can be read, if so.
        """
        self._checker = Checker(writer)
        self._schema = _bare(writer)
        self._plans = plans
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
        wrong = self._checker.check(body)
        if wrong is not None:
            return dead_letter("decode", wrong)
        if self._fault is not None:
            return dead_letter("contract", self._fault)
        try:
            record: Any = fastavro.schemaless_reader(io.BytesIO(body), self._schema, None)
        except _REFUSALS as error:
            return dead_letter(
                "decode", RecordError(f"fastavro can't read it: {error!r}", reason="unreadable")
            )
        try:
            return [plan.pick(record) for plan in self._plans]
        except RecordError as error:
            return dead_letter("contract", error)

    def _columns(self, values: list[list[object]]) -> dict[str, pa.Array]:
        by_leaf = zip(*values, strict=True) if values else ((),) * len(self._plans)
        return {
            plan.leaf.path: plan.leaf.type.from_storage(pa.array(column, plan.storage))
            for plan, column in zip(self._plans, by_leaf, strict=True)
        }


class SlowWriter:
    """Encodes records of one schema one by one."""

    def __init__(self, schema: Record) -> None:
        self._schema = _bare(schema)

    def write(self, record: Mapping[str, object]) -> bytes | RecordError:
        """
        Encode a record.

        Args:
            record: a value per field; logical types as bare numbers.
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
    return fastavro.parse_schema(json.loads(canonical_form(schema)))
