"""Python's values of one Avro field → its Arrow column: row by row, and exact about what doesn't fit."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa

from stream.codec import Leaf
from stream.types import Misfit

__all__ = ["leaf_array"]

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_EPOCH_DAY = dt.date(1970, 1, 1)
_PER_SECOND = {"millis": 1_000, "micros": 1_000_000, "nanos": 1_000_000_000}
_REFUSALS = (pa.ArrowException, OverflowError, TypeError, ValueError)
"""What pyarrow raises for values that it can't hold: a surrogate alone, a number too large, another type."""


def leaf_array(values: Sequence[Any], leaf: Leaf) -> tuple[pa.Array, dict[int, Misfit]]:
    """
    Make a column.

    Args:
        values: as `record_reader` gives them; None where there is no value.
        leaf: what the field is.
    Returns: an array of the leaf's Arrow type, as long as `values`; and by index, why a value is not in it (it
        is null there).
    """
    wrong: dict[int, Misfit] = {}
    stored: list[Any] = []
    convert = _storing(leaf)
    for i, value in enumerate(() if convert is _same else values):
        try:
            stored.append(None if value is None else convert(value))
        except Misfit as misfit:
            wrong[i] = misfit
            stored.append(None)
    if convert is _same:
        stored = list(values)
    try:
        return pa.array(stored, leaf.arrow), wrong
    except _REFUSALS:
        return _one_by_one(stored, leaf, wrong), wrong


def _one_by_one(stored: list[Any], leaf: Leaf, wrong: dict[int, Misfit]) -> pa.Array:
    for i, value in enumerate(stored):
        try:
            pa.array([value], leaf.arrow)
        except _REFUSALS as error:
            wrong[i] = Misfit(f"Arrow can't hold it as {leaf.avro}: {error}")
            stored[i] = None
    return pa.array(stored, leaf.arrow)


def _storing(leaf: Leaf) -> Callable[[Any], Any]:
    """From a value to what `pa.array` takes without rounding or guessing."""
    if leaf.item is not None:
        each = _storing(leaf.item)
        return lambda value: [None if item is None else each(item) for item in value]
    if pa.types.is_date32(leaf.arrow):
        return _day
    if pa.types.is_timestamp(leaf.arrow):
        per_second = _PER_SECOND[str(leaf.logical).rpartition("-")[2]]
        return lambda value: _count(value, per_second)
    return _same


def _same(value: Any) -> Any:
    """What `pa.array` takes as it is: not worth a call per value."""
    return value


def _day(value: Any) -> int:
    days = value if isinstance(value, int) else (value - _EPOCH_DAY).days
    return _within(days, 31, "date")


def _count(value: Any, per_second: int) -> int:
    """Units since 1970, rounded down as Avro's writers do."""
    if isinstance(value, int):
        return _within(value, 63, "a timestamp")
    since = (value if value.tzinfo is not None else value.replace(tzinfo=dt.UTC)) - _EPOCH
    whole = since.days * 86_400 + since.seconds
    return _within(whole * per_second + since.microseconds * per_second // 1_000_000, 63, "a timestamp")


def _within(value: int, bits: int, kind: str) -> int:
    if not -(1 << bits) <= value < 1 << bits:
        raise Misfit(f"{value} is out of range for {kind}", reason="value_out_of_range")
    return value
