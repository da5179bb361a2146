"""Timestamps: a number since 1970 in the type's unit, and its one spelling in text."""

from __future__ import annotations

import datetime as dt
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from stream.types import cells
from stream.types.avro_type import AvroType
from stream.types.bare import Bare
from stream.types.iso_text import iso_json, iso_texts
from stream.types.misfit import Misfit, mismatch
from stream.types.since_1970 import (
    DAY_S,
    DAY_US,
    EPOCH,
    FIRST_DAY,
    LAST_DAY,
    PER_SECOND,
    counted,
    in_utc,
    midnight,
    recent,
    to_datetime64,
    whole_steps,
    within_bits,
)

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Timestamp"]

_INFERRED = {"ms": ("s", "ms"), "us": ("us", "ns"), "ns": ()}
_DIGITS = {"ms": 3, "us": 6, "ns": 9}

_BEYOND_MICROS = re.compile(r"\.[0-9]{6}([0-9]{1,3})")
"""The digits of a fraction that Python's datetime drops."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timestamp(AvroType):
    """
    timestamp-* and local-timestamp-*: units since 1970.

    Attributes:
        unit: `ms`, `us` or `ns`.
        local: whether it is a clock's time without a zone; else it is in UTC.
    """

    unit: str
    local: bool = False

    python: ClassVar[type] = int
    python_types = (dt.datetime, int)
    takes_number = csv_as_text = True
    stored_as_is = False
    looks = "ISO times, UTC where they name no zone"

    @property
    def text_form(self) -> str:  # type: ignore[override]
        """With the fraction's digits by the unit."""
        zone = "" if self.local else "Z"
        spelled = f"`2013-10-19T08:00:00.{'0' * _DIGITS[self.unit]}{zone}`"
        return f"{spelled}; the bare number before year 1 and after 9999; a date is read as its midnight"

    @property
    def text_unit(self) -> str:
        """Its own."""
        return self.unit

    @property
    def limits(self) -> str:  # type: ignore[override]
        """By its bits, and what the model's column holds."""
        feature = "; as a feature beyond datetime64[us]" if self.model else ""
        return f"beyond 64 bits{feature} (`value_out_of_range`)"

    def read(self, value: Any, *, text: bool) -> object:
        """An instant, a date at its midnight, an ISO text of either, or a number in the type's own unit."""
        nanos = 0
        if isinstance(value, Bare):
            return self._instant(value)
        if isinstance(value, str):
            found = self._parsed(value)
            beyond = _BEYOND_MICROS.search(value)
            nanos = int(beyond[1].ljust(3, "0")) if beyond else 0
            number = cells.whole(value) if text and found is None else None
            value = found if found is not None else value if number is None else number
        elif isinstance(value, dt.datetime):
            nanos = getattr(value, "nanosecond", 0)
            found = in_utc(value)
            value = counted(value, PER_SECOND[self.unit]) if found is None else found
        elif isinstance(value, dt.date):
            value = midnight(value)
        if type(value) is int:
            return value
        if not isinstance(value, dt.datetime):
            raise mismatch(self.name, value)
        if self.unit == "ns":
            return self.stored(value) + nanos  # Python's datetime ends at microseconds
        return value.replace(tzinfo=None) if self.local else value

    def _instant(self, value: Bare) -> Any:
        """Of another unit, in a zone or without one, as datetimes are taken: the same instant, or none."""
        if isinstance(value.kind, Timestamp):
            return self._rescale(PER_SECOND[value.kind.unit], value.kind.name, value.value)
        return self.of_bare(value)

    def exact_value(self, bare: Any) -> Any:
        """`Bare` where there are digits behind the milliseconds."""
        finer = type(bare) is int and bare % (PER_SECOND[self.unit] // 1_000)
        return Bare(bare, self) if finer else self.python_value(bare)

    def _parsed(self, text: str) -> dt.datetime | None:
        found = cells.moment(text)
        if found is None and (day := cells.date(text)) is not None:
            return midnight(day)
        return found

    def python_value(self, bare: Any) -> Any:
        """A datetime; its zone is UTC, unless it is local."""
        if type(bare) is not int:
            return bare
        per_second = PER_SECOND[self.unit]
        whole, rest = divmod(bare, per_second)
        micros, nanos = divmod(rest * 1_000_000_000 // per_second, 1_000)
        if nanos or not FIRST_DAY * DAY_S <= whole < (LAST_DAY + 1) * DAY_S:
            return Bare(bare, self)
        found = EPOCH + dt.timedelta(seconds=whole, microseconds=micros)
        return found.replace(tzinfo=None) if self.local else found

    def parse_cell(self, text: str) -> dt.datetime | None:
        """An ISO date and time."""
        return cells.moment(text)

    def is_default(self, value: object) -> bool:
        """Units, of 64 bits."""
        return type(value) is int and -(1 << 63) <= value < 1 << 63

    def stored(self, value: Any) -> int:
        """Units since 1970, rounded down as Avro's writers do."""
        if isinstance(value, int):
            return within_bits(value, 63, "a timestamp")
        moment = value if value.tzinfo is not None else value.replace(tzinfo=dt.UTC)
        return within_bits(counted(moment, PER_SECOND[self.unit]), 63, "a timestamp")

    def infers(self, kind: pa.DataType) -> bool:
        """Milliseconds where they do, else microseconds."""
        return pa.types.is_timestamp(kind) and kind.unit in _INFERRED[self.unit]

    def _cast_cells(self, texts: pa.Array) -> pa.Array | None:
        """ISO dates, and times to the minute at least; Arrow also reads a bare hour, and the year 0."""
        lengths = pc.utf8_length(texts)
        vague = pc.any(pc.and_(pc.not_equal(lengths, 10), pc.less(lengths, 16))).as_py()
        if vague:
            return None
        times = self._parsed_at_once(texts)
        first = pc.min(times.cast(pa.int64())).as_py()
        if first is not None and self.unit != "ns" and first < FIRST_DAY * DAY_US:
            return None
        return self._in_unit(times)

    def _parsed_at_once(self, texts: pa.Array) -> pa.Array:
        """Of texts that name no zone, or all of them UTC; raises for others."""
        kind = pa.timestamp("ns" if self.unit == "ns" else "us")
        try:
            return texts.cast(kind)
        except pa.ArrowInvalid:
            timed = pc.and_(pc.ends_with(texts, "Z"), pc.greater_equal(pc.utf8_length(texts), 17))
            if not pc.all(timed).as_py():
                raise
        return pc.utf8_slice_codeunits(texts, 0, -1).cast(kind)

    def _cast_typed(self, column: pa.Array, nullable: bool) -> pa.Array | None:
        times = column.cast(pa.timestamp("s")) if pa.types.is_date32(column.type) else column
        return self._in_unit(times) if pa.types.is_timestamp(times.type) else None

    def _in_unit(self, times: pa.Array) -> pa.Array:
        """Times in the type's unit, in UTC, rounded down; raises where they don't fit."""
        have, want = PER_SECOND[times.type.unit], PER_SECOND[self.unit]
        counts = times.view(pa.int64())
        if want > have:
            counts = pc.multiply_checked(counts, want // have)
        elif want < have:
            counts = whole_steps(counts, have // want)
        return counts.view(self.arrow)

    @property
    def file_arrow(self) -> pa.DataType:
        """Avro's numbers are in UTC; other readers want to be told."""
        return self.arrow if self.local else pa.timestamp(self.unit, "UTC")

    @property
    def duckdb_arrow(self) -> pa.DataType:
        """With its zone: milliseconds become microseconds there."""
        return self.file_arrow

    @property
    def spark_arrow(self) -> pa.DataType:
        """Of nanoseconds its text: Spark's own end at microseconds."""
        return pa.string() if self.unit == "ns" else self.file_arrow

    def rescaled(self, written: AvroType) -> Callable[[Any], Any] | None:
        """The same instant in another unit; one that falls between two units is refused."""
        if not isinstance(written, Timestamp) or written.local != self.local:
            return None
        return partial(self._rescale, PER_SECOND[written.unit], written.name)

    def _rescale(self, have: int, name: str, count: Any) -> int:
        found, rest = divmod(count * PER_SECOND[self.unit], have)
        if rest or not -(1 << 63) <= found < 1 << 63:
            raise Misfit(
                f"{count} ({name}) can't be held exactly as {self.name}", reason="value_out_of_range"
            )
        return int(found)

    @property
    def measure(self) -> object:
        """Its unit, and whether it is a clock's time."""
        return "since 1970", self.unit, self.local

    def csv_column(self, column: pa.Array) -> pa.Array:
        """ISO 8601 with the fraction's digits by the unit, and Z unless it is local."""
        counts = column.cast(pa.int64())
        per_day = DAY_S * PER_SECOND[self.unit]
        first, last = max(FIRST_DAY * per_day, -(2**63)), min((LAST_DAY + 1) * per_day - 1, 2**63 - 1)
        return iso_texts(counts, counts.view(self.arrow), first, last, "" if self.local else "Z")

    def json_values(self, column: pa.Array) -> list[Any]:
        """As `texts`."""
        return iso_json(self.csv_column(column))

    def model_values(self, column: pa.Array) -> tuple[npt.NDArray[np.generic], dict[int, str]]:
        """datetime64[us], in UTC."""
        counts = pc.fill_null(column.cast(pa.int64()), 0).to_numpy(zero_copy_only=False)
        per_second = PER_SECOND[self.unit]
        return to_datetime64(counts, column, max(per_second // 1_000_000, 1), max(1_000_000 // per_second, 1))

    def pandas_series(self, column: pa.Array) -> pd.Series:
        """datetime64 of its unit."""
        series: pd.Series = column.cast(self.file_arrow).to_pandas()
        return series

    def json_schema(self) -> dict[str, Any]:
        """A text or a number."""
        schema = {"type": ["string", "integer"], "minimum": -(2**63), "maximum": 2**63 - 1}
        unit = "or a number in the type's own unit since 1970."
        if self.local:
            return {**schema, "description": f"ISO 8601, without a zone, or a date, at its midnight; {unit}"}
        about = f"ISO 8601, UTC where it names no zone, or a date, at its midnight; {unit}"
        return {**schema, "format": "date-time", "description": about}

    def sample(self, chance: random.Random, texts: Sequence[str] = ()) -> object:
        """Of 2020 to 2024, whole seconds."""
        return self.read(recent(chance), text=False)
