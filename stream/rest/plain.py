"""Arrow columns → values that JSON has."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any

import pyarrow as pa

from stream.codec import Leaf

__all__ = ["plain_values"]

_EPOCH = dt.datetime(1970, 1, 1)  # noqa: DTZ001  # the zone is written by hand: local times have none

_PER_SECOND = {"ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}


def plain_values(column: pa.Array, leaf: Leaf | None = None) -> list[Any]:
    """
    Values for JSON.

    Args:
        column: of any leaf's type.
        leaf: says whether times are UTC or local; None for the answer's own columns.
    Returns: ISO texts for dates and times (the bare number where Python's calendar ends), text for bytes with a
        character per byte as Avro's JSON has it, null for numbers that JSON has not (NaN, infinity).
    """
    kind = column.type
    if pa.types.is_floating(kind):
        return [value if value is None or math.isfinite(value) else None for value in column.to_pylist()]
    if pa.types.is_timestamp(kind):
        zone = "" if leaf is not None and (leaf.logical or "").startswith("local-") else "Z"
        return [_moment(value, kind.unit, zone) for value in column.cast(pa.int64()).to_pylist()]
    if kind == pa.date32():
        return [_date(value) for value in column.cast(pa.int32()).to_pylist()]
    if pa.types.is_binary(kind):
        return [None if value is None else value.decode("latin-1") for value in column.to_pylist()]
    if pa.types.is_list(kind):
        item = leaf.item if leaf is not None else None
        rows = (column[i] for i in range(len(column)))
        return [None if not row.is_valid else plain_values(row.values, item) for row in rows]
    values: list[Any] = column.to_pylist()
    return values


def _moment(value: int | None, unit: str, zone: str) -> str | int | None:
    if value is None:
        return None
    try:
        moment = _EPOCH + dt.timedelta(microseconds=value * 1_000_000 // _PER_SECOND[unit])
    except OverflowError:
        return value
    return moment.isoformat(timespec="milliseconds" if unit == "ms" else "microseconds") + zone


def _date(value: int | None) -> str | int | None:
    if value is None:
        return None
    try:
        return (_EPOCH + dt.timedelta(days=value)).date().isoformat()
    except OverflowError:
        return value
