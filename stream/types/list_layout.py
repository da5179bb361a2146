"""What arrays and maps have in common: how many parts each value has, and where they lie in Arrow's memory."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from stream.types.avro_type import AvroType
from stream.types.nested_type import Nested

__all__ = ["ItemsOf", "offsets", "slices", "within"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemsOf(Nested):
    """
    An array or a map.

    Attributes:
        item: the type of its items, or of the map's values.
        item_nullable: whether one may be null.
    """

    item: AvroType
    item_nullable: bool = False

    @property
    def parts(self) -> tuple[AvroType, ...]:
        """Its items' type."""
        return (self.item,)

    @property
    def parts_nullable(self) -> tuple[bool, ...]:
        """Whether an item may be null."""
        return (self.item_nullable,)

    @property
    def full_name(self) -> str:
        """`array<double>` …"""
        return f"{self.name}<{self.item.full_name}>"

    def parents(self, column: pa.Array) -> npt.NDArray[np.int64]:
        """The list or map that an item is in."""
        if not len(column):
            return np.zeros(0, dtype=np.int64)
        rows = np.where(column.is_valid().to_numpy(zero_copy_only=False), np.arange(len(column)), -1)
        found: npt.NDArray[np.int64] = np.repeat(rows, np.diff(column.offsets.to_numpy()))
        return found

    def _is_item(self, value: object) -> bool:
        """Whether it can be an item of a default."""
        return self.item_nullable if value is None else self.item.is_default(value)


def within(column: pa.Array, children: pa.Array) -> pa.Array:
    """Of a list's or map's children those that the column reaches."""
    start, stop = (column.offsets[0].as_py(), column.offsets[-1].as_py()) if len(column) else (0, 0)
    return children.slice(start, stop - start)


def offsets(column: pa.Array) -> pa.Array:
    """Where each list begins in `within`; null for a null one."""
    start = column.offsets[0].as_py() if len(column) else 0
    found = pc.subtract(column.offsets, start)
    if not column.null_count:
        return found
    gap = pa.concat_arrays([column.is_null(), pa.array([False])])
    return pc.if_else(gap, pa.scalar(None, pa.int32()), found)


def slices(column: pa.Array) -> list[slice | None]:
    """Where each list's items are in `within`; None for a null one."""
    if not len(column):
        return []
    ends = pc.subtract(column.offsets, column.offsets[0]).to_pylist()
    there = column.is_valid().to_pylist()
    return [slice(a, b) if valid else None for a, b, valid in zip(ends, ends[1:], there, strict=False)]
