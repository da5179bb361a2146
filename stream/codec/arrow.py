"""The fast path: whole batches through the Rust codec, believed only where the bytes come back the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias, TypeVar, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyruhvro

from stream.codec.parts import Part
from stream.codec.resolution import LeafPlan
from stream.types import AvroType, Nested

__all__ = ["FAST_FROM_ROWS", "FastReader", "constant", "meant", "serialize"]

FAST_FROM_ROWS = 6
"""Rows from which a call of the Rust codec (some 80 µs to read and check 18 fields) beats the strict path."""

_T = TypeVar("_T")
_Mask: TypeAlias = "np.ndarray[tuple[int], np.dtype[np.bool_]]"


class FastReader:
    """
    Decodes values of one writer's schema by the batch.

    pyruhvro does not validate, so its result is checked: the decoded batch is written again, and a row
    is believed when exactly its bytes come back and all text is UTF-8 (the one thing that a wrong value could
    carry through both ways: pyruhvro copies text unseen). All other rows are left to the strict path: wrong
    ones, and right ones that were written in an unusual way (block sizes, several blocks, padded varints).
    """

    def __init__(self, rust: str, plans: Sequence[LeafPlan]) -> None:
        """
        Args:
            rust: the writer's schema as `RecordSchema.rust`.
            plans: where the leaves are; all columnar.
        """
        self._rust = rust
        self._plans = plans
        self._empty = {s.leaf.path: pa.array([], s.leaf.arrow) for s in plans}

    def read(self, bodies: list[bytes]) -> tuple[Part, list[int]]:
        """
        Decode a batch.

        Args:
            bodies: n Avro values without framing.
        Returns: the rows that are certainly right with their columns, and all other indices, ascending.
        """
        total = len(bodies)
        rows = np.arange(total)
        batch = _decode(bodies, self._rust)
        if batch is None:
            rows = np.setdiff1d(rows, self._failing(bodies, 0), assume_unique=True)
            bodies = [bodies[i] for i in rows]
            batch = _decode(bodies, self._rust) if bodies else None
        if batch is None:
            return Part((), self._empty), list(range(total))
        doubted: set[int] = set()
        columns = {plan.leaf.path: _column(batch, plan, doubted) for plan in self._plans}
        believed = self._believed(batch, columns, bodies)
        believed[list(doubted)] = False
        good = np.flatnonzero(believed)
        if len(good) == total:
            return Part(range(total), columns), []
        if len(good) < len(bodies):
            columns = {path: column.take(pa.array(good)) for path, column in columns.items()}
        rows = rows[good]
        return Part(rows.tolist(), columns), np.setdiff1d(np.arange(total), rows, assume_unique=True).tolist()

    def _failing(self, bodies: list[bytes], start: int) -> list[int]:
        """One bad row fails the call unnamed: look in halves. Neighbours may stay with it."""
        found: list[int] = []
        middle = (len(bodies) + 1) // 2
        for at, half in ((start, bodies[:middle]), (start + middle, bodies[middle:])):
            if len(half) < FAST_FROM_ROWS:
                found.extend(range(at, at + len(half)))
            elif _decode(half, self._rust) is None:
                found.extend(self._failing(half, at))
        return found

    def _believed(self, batch: pa.RecordBatch, columns: Mapping[str, pa.Array], bodies: list[bytes]) -> _Mask:
        """True for the rows whose bytes come back and that have no null where the reader takes none."""
        again = serialize(batch, self._rust)
        if again is None:
            return np.zeros(len(bodies), dtype=np.bool_)
        given = pa.array(bodies, pa.binary())
        mask: _Mask = np.ones(len(bodies), dtype=np.bool_)
        if not again.equals(given):
            mask = pc.equal(again, given).to_numpy(zero_copy_only=False)
        for plan in self._plans:
            column = columns[plan.leaf.path]
            if plan.checks_null and column.null_count:
                mask = mask & column.is_valid().to_numpy(zero_copy_only=False)
        return mask


def serialize(batch: pa.RecordBatch, rust: str) -> pa.Array | None:
    """
    Encode a batch.

    Args:
        batch: columns named by `subset.column_name`, in storage types, without nulls where none are allowed.
        rust: the schema as `RecordSchema.rust`.
    Returns: a binary array with one value per row; None when the codec refuses the batch.
    """
    # One chunk: at these sizes its threads cost more than they bring.
    chunks = _guarded(
        cast("Callable[[], list[pa.Array]]", lambda: pyruhvro.serialize_record_batch(batch, rust, 1))
    )
    return None if chunks is None else chunks[0]


def _guarded(call: Callable[[], _T]) -> _T | None:
    """The one place where a panic of the Rust codec is caught, a BaseException without a module."""
    try:
        return call()
    except ValueError:
        return None
    except BaseException as panic:
        if type(panic).__module__ != "pyo3_runtime":
            raise
        return None


def _decode(bodies: list[bytes], rust: str) -> pa.RecordBatch | None:
    batch = _guarded(lambda: pyruhvro.deserialize_array(bodies, rust))
    if batch is None:
        return None
    try:
        batch.validate(full=True)
    except pa.ArrowInvalid:
        return None
    return batch


def _column(batch: pa.RecordBatch, plan: LeafPlan, doubted: set[int]) -> pa.Array:
    """A leaf's column; the rows whose values are not the reader's are added to `doubted`."""
    if not plan.steps:
        return constant(plan, batch.num_rows)
    column = batch.column(plan.steps[0].position)
    if len(plan.steps) > 1:
        column = pc.struct_field(column, [step.position for step in plan.steps[1:]])
    return meant(column, plan, doubted)


def constant(plan: LeafPlan, rows: int) -> pa.Array:
    """The column of a leaf that the writer lacks: its default in so many rows."""
    return pa.repeat(plan.leaf.type.from_storage(pa.array([plan.constant], plan.storage))[0], rows)


def meant(column: pa.Array, plan: LeafPlan, doubted: set[int]) -> pa.Array:
    """
    Make a leaf's column of what was written.

    Args:
        column: of the written values, in their storage type.
        plan: the leaf's; columnar.
        doubted: the rows whose values are not the reader's are added to it.
    """
    if isinstance(plan.leaf.type, Nested) and column.type != plan.storage:
        column = _renamed(plan.leaf.type, column)
    if column.type != plan.storage:
        column = _promoted(column, plan.storage, doubted)
    if plan.leaf.type.checked:
        doubted.update(plan.leaf.type.outside(column))
    return plan.leaf.type.from_storage(column)


def _renamed(kind: AvroType, column: pa.Array) -> pa.Array:
    """A column whose records' fields have the schema's names, not ours (`subset.column_name`)."""
    if not isinstance(kind, Nested):
        return column
    parts = zip(kind.parts, kind.split(column), strict=True)
    return kind.joined(column, [_renamed(part, inner) for part, inner in parts])


def _promoted(column: pa.Array, storage: pa.DataType, doubted: set[int]) -> pa.Array:
    """Cast; where a cast may have rounded, the strict path says whether the value can be held."""
    try:
        return column.cast(storage)
    except pa.ArrowInvalid:
        cast = column.cast(storage, safe=False)
    if pa.types.is_integer(column.type) and pa.types.is_floating(storage):
        # Beyond these bounds a whole number may be rounded.
        limit = 1 << (24 if storage == pa.float32() else 53)
        beyond = pc.or_(pc.greater(column, limit), pc.less(column, -limit)).fill_null(False)
        doubted.update(pc.indices_nonzero(beyond).to_pylist())
    else:
        doubted.update(range(len(column)))
    return cast
