"""What dates and timestamps share: the calendar's ends, limits of bits, and datetime64."""

from __future__ import annotations

import datetime as dt
import random
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from stream.types.misfit import Misfit

__all__ = [
    "DAY_S",
    "DAY_US",
    "EPOCH",
    "FIRST_DAY",
    "LAST_DAY",
    "PER_SECOND",
    "counted",
    "in_utc",
    "midnight",
    "recent",
    "to_datetime64",
    "whole_steps",
    "within_bits",
]

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
FIRST_DAY = -719_162
"""0001-01-01 in days since 1970: Python's first date; Arrow also reads the year 0."""
LAST_DAY = 2_932_896
"""9999-12-31 in days since 1970: the last date that ISO 8601 writes with four digits for the year."""

DAY_S = 86_400
DAY_US = DAY_S * 1_000_000

PER_SECOND = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
"""Arrow's units in a second."""

_US_MAX = 2**63 - 1
"""The last microsecond that datetime64[us] holds; its smallest int64 means NaT."""

_SAMPLE_FROM = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
_SAMPLE_S = 5 * 365 * DAY_S


def within_bits(value: int, bits: int, kind: str) -> int:
    """
    Args:
        value: a number since 1970.
        bits: of its magnitude, beside the sign.
        kind: what messages call it.
    Returns: the value.
    Raises: Misfit if it has more bits.
    """
    if not -(1 << bits) <= value < 1 << bits:
        raise Misfit(f"{value} is out of range for {kind}", reason="value_out_of_range")
    return value


def midnight(day: dt.date) -> dt.datetime:
    """The instant at which a day begins, in UTC."""
    return dt.datetime(day.year, day.month, day.day, tzinfo=dt.UTC)


def in_utc(moment: Any) -> dt.datetime | None:
    """
    Args:
        moment: Python's or pandas', in any zone; without one it is in UTC.
    Returns: Python's own; None where its calendar does not have it in UTC.
    """
    try:
        plain: dt.datetime = moment.to_pydatetime(warn=False) if hasattr(moment, "to_pydatetime") else moment
        return plain.replace(tzinfo=dt.UTC) if plain.tzinfo is None else plain.astimezone(dt.UTC)
    except (OverflowError, ValueError):
        return None


def counted(moment: Any, per_second: int) -> int:
    """
    Args:
        moment: Python's in a zone, or pandas'.
        per_second: units in a second.
    Returns: units since 1970, rounded down, whatever the year.
    """
    own = getattr(moment, "asm8", None)  # pandas' number, in UTC
    if own is not None:
        return int(own.view(np.int64)) * per_second // PER_SECOND[np.datetime_data(own)[0]]
    since = moment - EPOCH
    micros = (since.days * DAY_S + since.seconds) * 1_000_000 + since.microseconds
    return int(micros * per_second // 1_000_000)


def whole_steps(counts: pa.Array, step: int) -> pa.Array:
    """Counts of 64 bits divided by a number ≥ 1, rounded down; null stays null."""
    whole = pc.divide(counts, step)
    below = pc.less(pc.subtract(counts, pc.multiply(whole, step)), 0)
    return pc.subtract(whole, below.cast(pa.int64()))


def to_datetime64(
    counts: npt.NDArray[np.int64], column: pa.Array, per_us: int, us_per: int
) -> tuple[npt.NDArray[np.generic], dict[int, str]]:
    """
    Args:
        counts: numbers since 1970, anything where the column is null.
        column: of which they are.
        per_us: units per microsecond; 1 where a unit is longer.
        us_per: microseconds per unit; 1 where a unit is shorter.
    Returns: datetime64[us], null = NaT; and by index, why a number can't be held (1970 stands there).
    """
    limit = _US_MAX // us_per
    outside = (counts > limit) | (counts < -limit)
    wrong: dict[int, str] = {}
    if outside.any():
        for i in np.flatnonzero(outside).tolist():
            wrong[i] = f"{counts[i]} ({column.type}) is beyond datetime64[us]"
        counts = np.where(outside, 0, counts)
    times = (counts * us_per if per_us == 1 else counts // per_us).view("datetime64[us]")
    if column.null_count:
        times[column.is_null().to_numpy(zero_copy_only=False)] = np.datetime64("NaT")
    return times, wrong


def recent(chance: random.Random) -> dt.datetime:
    """An instant of 2020 to 2024, at a whole second."""
    return _SAMPLE_FROM + dt.timedelta(seconds=chance.randint(0, _SAMPLE_S))
