"""
Whole foreign columns → columns of an Avro field's type, where that is certain to be what the values' own
reader (`stream.table.values`) says of each.

Every function gives None where it is not certain, for a column in which one value doesn't fit too: the caller
then reads value by value. So this module may only be too careful, never too generous.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from stream.codec import Leaf
from stream.table.cells import MISSING

__all__ = ["cast_column"]

_EXACT = 2**53
"""Whole numbers up to here are exact in float64, and so is the way back."""

_FIRST_DAY = -719_162
"""0001-01-01 in days since 1970: Python's first date; Arrow reads the year 0 as well."""

_UNITS = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
_MISSING = pa.array(sorted(MISSING), pa.string())


def cast_column(column: pa.Array, leaf: Leaf, *, text: bool) -> pa.Array | None:
    """
    Cast a column.

    Args:
        column: foreign; without chunks.
        leaf: what it shall be.
        text: whether its texts stand for numbers, dates … (csv).
    Returns: an array of the leaf's Arrow type, equally long, null where there is no value; None where the
        values must be read one by one.
    """
    kind = column.type
    if pa.types.is_null(kind):
        return pa.nulls(len(column), leaf.arrow)
    if pa.types.is_dictionary(kind):
        return cast_column(column.cast(kind.value_type), leaf, text=text)
    try:
        if kind in (pa.string(), pa.large_string(), pa.string_view()):
            return _from_texts(column.cast(pa.string()), leaf, text)
        return _from_typed(column, leaf)
    except pa.ArrowException:
        return None


def _from_texts(column: pa.Array, leaf: Leaf, text: bool) -> pa.Array | None:
    if leaf.type == "string":
        return column
    if leaf.type == "enum":
        known = pc.is_in(column, pa.array(leaf.symbols, pa.string()))
        return column if pc.sum(pc.invert(known)).as_py() == column.null_count else None
    if not text:
        return None
    spoken = pc.if_else(pc.is_in(column, _MISSING), pa.scalar(None, pa.string()), column)
    if leaf.avro in ("float", "double"):
        return _parsed_numbers(spoken, leaf)
    if leaf.avro in ("int", "long"):
        # Arrow also reads 0x1F.
        odd = pc.any(pc.match_substring(spoken, "x", ignore_case=True)).as_py()
        return None if odd else spoken.cast(leaf.arrow)
    if leaf.avro == "boolean":
        return spoken.cast(pa.bool_())
    if leaf.avro == "date":
        days = spoken.cast(pa.date32())
        first = pc.min(days.cast(pa.int32())).as_py()
        return days if first is None or first >= _FIRST_DAY else None
    return _parsed_times(spoken, leaf) if pa.types.is_timestamp(leaf.arrow) else None


def _parsed_numbers(spoken: pa.Array, leaf: Leaf) -> pa.Array | None:
    numbers = spoken.cast(pa.float64())
    if pc.any(pc.is_nan(numbers)).as_py():
        return None
    return numbers if leaf.avro == "double" else _narrowed(numbers)


def _narrowed(numbers: pa.Array) -> pa.Array | None:
    """float64 as float32, unless a finite number would become infinite."""
    single = numbers.cast(pa.float32())
    lost = pc.and_(pc.is_inf(single), pc.is_finite(numbers))
    return None if pc.any(lost).as_py() else single


def _parsed_times(spoken: pa.Array, leaf: Leaf) -> pa.Array | None:
    """ISO dates, and times to the minute at least; Arrow also reads a bare hour, and the year 0."""
    lengths = pc.utf8_length(spoken)
    vague = pc.any(pc.and_(pc.not_equal(lengths, 10), pc.less(lengths, 16))).as_py()
    if vague:
        return None
    times = spoken.cast(pa.timestamp("us"))
    first = pc.min(times.cast(pa.int64())).as_py()
    if first is not None and first < _FIRST_DAY * 86_400_000_000:
        return None
    return _in_unit(times, leaf)


def _from_typed(column: pa.Array, leaf: Leaf) -> pa.Array | None:
    kind = column.type
    if pa.types.is_boolean(kind):
        return column if leaf.avro == "boolean" else None
    if pa.types.is_integer(kind):
        return _from_integers(column, leaf)
    if pa.types.is_floating(kind):
        return _from_floats(column.cast(pa.float64()), leaf)
    if pa.types.is_date32(kind):
        return column if leaf.avro == "date" else None
    if pa.types.is_timestamp(kind):
        return _in_unit(column, leaf) if pa.types.is_timestamp(leaf.arrow) else None
    if leaf.item is not None and (
        pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    ):
        return _from_lists(column, leaf, leaf.item)
    return None


def _from_integers(column: pa.Array, leaf: Leaf) -> pa.Array | None:
    if leaf.avro in ("int", "long"):
        return column.cast(leaf.arrow)
    if leaf.avro in ("float", "double"):
        numbers = column.cast(pa.float64(), safe=False)  # rounds to the nearest, as Python's float() does
        return numbers if leaf.avro == "double" else _narrowed(numbers)
    return None  # a bare number for a date or a time: the reader knows its unit


def _from_floats(numbers: pa.Array, leaf: Leaf) -> pa.Array | None:
    if leaf.avro == "double":
        return numbers
    if leaf.avro == "float":
        return _narrowed(numbers)
    if leaf.avro not in ("int", "long") or not leaf.nullable:
        return None
    whole = pc.if_else(pc.is_nan(numbers), pa.scalar(None, pa.float64()), numbers)
    bounds = pc.min_max(whole)
    low, high = bounds["min"].as_py(), bounds["max"].as_py()
    if low is not None and (low < -_EXACT or high > _EXACT):
        return None
    return whole.cast(leaf.arrow)  # raises for a fraction


def _in_unit(times: pa.Array, leaf: Leaf) -> pa.Array:
    """Times in the leaf's unit, in UTC, rounded down; raises where they don't fit."""
    have, want = _UNITS[times.type.unit], _UNITS[leaf.arrow.unit]
    counts = times.view(pa.int64())
    if want > have:
        counts = pc.multiply_checked(counts, want // have)
    elif want < have:
        step = have // want
        whole = pc.divide(counts, step)
        below = pc.less(pc.subtract(counts, pc.multiply(whole, step)), 0)
        counts = pc.subtract(whole, below.cast(pa.int64()))
    return counts.view(leaf.arrow)


def _from_lists(column: pa.Array, leaf: Leaf, item: Leaf) -> pa.Array | None:
    kind = column.type
    if pa.types.is_fixed_size_list(kind) or pa.types.is_large_list(kind):
        column = column.cast(pa.list_(kind.value_type))
    start, stop = (column.offsets[0].as_py(), column.offsets[-1].as_py()) if len(column) else (0, 0)
    inner = column.values.slice(start, stop - start)
    items = cast_column(inner, item, text=False)
    if items is None or (items.null_count and not item.nullable):
        return None
    offsets = pc.subtract(column.offsets, start)
    if column.null_count:
        gap = pa.concat_arrays([column.is_null(), pa.array([False])])
        offsets = pc.if_else(gap, pa.scalar(None, pa.int32()), offsets)
    made = pa.ListArray.from_arrays(offsets, items)
    return made if made.type == leaf.arrow else made.cast(leaf.arrow)
