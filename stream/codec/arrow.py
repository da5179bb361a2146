"""The fast path: whole batches through the Rust codec, believed only where the bytes come back the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyruhvro

from stream.codec.columns import Part, as_arrow, as_storage, merge
from stream.codec.resolution import Source

__all__ = ["FAST_FROM_ROWS", "FastReader", "serialize"]

FAST_FROM_ROWS = 6
"""Rows from which a call of the Rust codec (some 80 µs to read and check 18 fields) beats the strict path."""

_T = TypeVar("_T")


class FastReader:
    """
    Decodes values of one writer's schema by the batch.

    pyruhvro is no validator, so its word is not taken for it: the decoded batch is written again, and a row
    is believed when exactly its bytes come back and all text is UTF-8 (the one thing that a wrong value could
    carry through both ways: pyruhvro copies text unseen). All other rows are left to the strict path: wrong
    ones, and right ones that were written in an unusual way (block sizes, several blocks, padded varints).
    """

    def __init__(self, rust: str, sources: Sequence[Source]) -> None:
        """
        Args:
            rust: the writer's schema as `RecordSchema.rust`.
            sources: where the leaves are; all columnar.
        """
        self._rust = rust
        self._sources = sources
        self._empty = {s.leaf.path: pa.array([], s.leaf.arrow) for s in sources}

    def read(self, bodies: list[bytes]) -> tuple[Part, list[int]]:
        """
        Decode a batch.

        Args:
            bodies: n Avro values without framing.
        Returns: the rows that are certainly right with their columns, and all other indices, ascending.
        """
        parts: list[Part] = []
        others: list[int] = []
        self._halve(bodies, 0, parts, others)
        return merge(parts, self._empty), others

    def _halve(self, bodies: list[bytes], start: int, parts: list[Part], others: list[int]) -> None:
        """One bad row fails the call for all and isn't named, so look for it in halves."""
        if len(bodies) < FAST_FROM_ROWS:
            others.extend(range(start, start + len(bodies)))
            return
        batch = _decode(bodies, self._rust)
        if batch is not None:
            parts.append(self._believe(batch, bodies, start, others))
            return
        middle = len(bodies) // 2
        self._halve(bodies[:middle], start, parts, others)
        self._halve(bodies[middle:], start + middle, parts, others)

    def _believe(self, batch: pa.RecordBatch, bodies: list[bytes], start: int, others: list[int]) -> Part:
        columns = {source.leaf.path: _column(batch, source) for source in self._sources}
        doubted = [_differing(batch, bodies, self._rust)]
        doubted += [_nulls(columns[s.leaf.path]) for s in self._sources if s.checks_null]
        bad = np.unique(np.concatenate(doubted))
        if not len(bad):
            return Part(range(start, start + len(bodies)), columns)
        others.extend((bad + start).tolist())
        good = np.setdiff1d(np.arange(len(bodies)), bad, assume_unique=True)
        index = pa.array(good)
        return Part((good + start).tolist(), {path: c.take(index) for path, c in columns.items()})


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


def _differing(
    batch: pa.RecordBatch, bodies: list[bytes], rust: str
) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """The rows whose bytes do not come back."""
    again = serialize(batch, rust)
    if again is None:
        return np.arange(len(bodies))
    given = pa.array(bodies, pa.binary())
    if again.equals(given):
        return np.empty(0, dtype=np.int64)
    return np.flatnonzero(~pc.equal(again, given).to_numpy(zero_copy_only=False))


def _nulls(column: pa.Array) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    if not column.null_count:
        return np.empty(0, dtype=np.int64)
    return np.flatnonzero(column.is_null().to_numpy(zero_copy_only=False))


def _column(batch: pa.RecordBatch, source: Source) -> pa.Array:
    if not source.steps:
        scalar = pa.array([source.constant], source.storage)[0]
        return as_arrow(pa.repeat(scalar, batch.num_rows), source.leaf.arrow)
    column = batch.column(source.steps[0].position)
    if len(source.steps) > 1:
        column = pc.struct_field(column, [step.position for step in source.steps[1:]])
    return as_arrow(as_storage(column, source.storage), source.leaf.arrow)
