"""Times of day: a number since midnight, and its one spelling in text."""

from __future__ import annotations

import datetime as dt
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from stream.types import cells
from stream.types.avro_type import AvroType
from stream.types.bare import Bare
from stream.types.misfit import Misfit, mismatch
from stream.types.since_1970 import PER_SECOND, whole_steps

__all__ = ["TimeOfDay"]

_INFERRED = {"ms": (pa.time32("s"), pa.time32("ms")), "us": (pa.time64("us"), pa.time64("ns"))}
_DAY_S = 86_400
_NANOS = 1_000_000_000

_TIME = re.compile(r"([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,9}))?)?\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeOfDay(AvroType):
    """
    time-millis and time-micros: units since midnight, without a zone or a date.

    Attributes:
        unit: `ms` or `us`.
    """

    unit: str

    python: ClassVar[type] = int
    python_types = (dt.time,)
    takes_number = csv_as_text = checked = True
    stored_as_is = False
    limits = (
        "what is not a time of one day, such as 24:00 (`value_out_of_range`); one with a zone (`wrong_type`)"
    )

    @property
    def text_form(self) -> str:  # type: ignore[override]
        """With the fraction's digits by the unit."""
        return f"`08:00:00.{'0' * (3 if self.unit == 'ms' else 6)}`"

    @property
    def text_unit(self) -> str:
        """Its own."""
        return self.unit

    def read(self, value: Any, *, text: bool) -> int:
        """A time without a zone, its ISO text, or a number in the type's own unit."""
        found: object = value
        if isinstance(value, Bare):
            found = self.of_bare(value)
        elif isinstance(value, str):
            found = self._parsed(value)
            if found is None and text:
                found = cells.whole(value)
        elif isinstance(value, dt.time) and value.tzinfo is None:
            found = self.stored(value)
        if type(found) is not int:
            raise mismatch(self.name, value)
        self.check(found)
        return found

    def python_value(self, bare: Any) -> Any:
        """A time."""
        per_second = PER_SECOND[self.unit]
        if type(bare) is not int:
            return bare
        if not 0 <= bare < _DAY_S * per_second:
            return Bare(bare, self)
        seconds, rest = divmod(bare, per_second)
        return dt.time(seconds // 3600, seconds // 60 % 60, seconds % 60, rest * 1_000_000 // per_second)

    def exact_value(self, bare: Any) -> Any:
        """`Bare` where there are digits behind the milliseconds."""
        finer = type(bare) is int and bare % (PER_SECOND[self.unit] // 1_000)
        return Bare(bare, self) if finer else self.python_value(bare)

    def _parsed(self, text: str) -> int | None:
        found = _TIME.match(text)
        if found is None:
            return None
        hours, minutes, seconds = (int(part or 0) for part in found.groups()[:3])
        if hours > 23 or minutes > 59 or seconds > 59:
            raise Misfit(f"{text!r} is out of range for {self.name}", reason="value_out_of_range")
        nanos = (hours * 3600 + minutes * 60 + seconds) * _NANOS + int((found[4] or "").ljust(9, "0"))
        return nanos * PER_SECOND[self.unit] // _NANOS

    def check(self, bare: Any) -> None:
        """A number that is of one day."""
        if not 0 <= bare < _DAY_S * PER_SECOND[self.unit]:
            raise Misfit(f"{bare} is out of range for {self.name}", reason="value_out_of_range")

    def outside(self, bare: pa.Array) -> list[int]:
        """Those that aren't of one day."""
        bounds = pc.min_max(bare)
        low, high = bounds["min"].as_py(), bounds["max"].as_py()
        if low is None or (low >= 0 and high < _DAY_S * PER_SECOND[self.unit]):
            return []
        return AvroType.outside(self, bare)

    def is_default(self, value: object) -> bool:
        """Units since midnight."""
        return type(value) is int and 0 <= value < _DAY_S * PER_SECOND[self.unit]

    def stored(self, value: Any) -> int:
        """Units since midnight, rounded down."""
        if isinstance(value, int):
            return value
        seconds = value.hour * 3600 + value.minute * 60 + value.second
        micros: int = seconds * 1_000_000 + value.microsecond
        return micros * PER_SECOND[self.unit] // 1_000_000

    def infers(self, kind: pa.DataType) -> bool:
        """Milliseconds where they do, else microseconds."""
        return kind in _INFERRED[self.unit]

    def rescaled(self, written: AvroType) -> Callable[[Any], Any] | None:
        """The same time in another unit; one that falls between two units is refused."""
        return partial(self._rescale, PER_SECOND[written.unit]) if isinstance(written, TimeOfDay) else None

    def _rescale(self, have: int, count: Any) -> int:
        found, rest = divmod(count * PER_SECOND[self.unit], have)
        if rest:
            raise Misfit(f"{count} can't be held exactly as {self.name}", reason="value_out_of_range")
        return int(found)

    def _cast_typed(self, column: pa.Array, nullable: bool) -> pa.Array | None:
        """Of any unit, rounded down; what is of no day stays so, since Python's own times would go round the clock."""
        if not pa.types.is_time(kind := column.type) or kind == self.arrow:
            return column if kind == self.arrow else None
        counts = column.view(pa.int32() if kind.bit_width == 32 else pa.int64()).cast(pa.int64())
        have, want = PER_SECOND[kind.unit], PER_SECOND[self.unit]
        counts = pc.multiply(counts, want // have) if want > have else whole_steps(counts, have // want)
        counts = pc.min_element_wise(counts, _DAY_S * want, skip_nulls=False)
        counts = pc.max_element_wise(counts, -1, skip_nulls=False)
        return counts.cast(self.storage).view(self.arrow)

    def outside_column(self, column: pa.Array) -> list[int]:
        """What is of no day: Arrow has such times."""
        return self.outside(column.view(self.storage))

    def from_storage(self, bare: pa.Array) -> pa.Array:
        """The same numbers as times."""
        return bare if bare.type == self.arrow else bare.view(self.arrow)

    @property
    def spark_arrow(self) -> pa.DataType:
        """Its text: Spark's TIME must be switched on (`spark.sql.timeType.enabled`), and has no milliseconds."""
        return pa.string()

    def csv_column(self, column: pa.Array) -> pa.Array:
        """ISO times with the fraction's digits by the unit."""
        return column.cast(pa.string())

    def json_values(self, column: pa.Array) -> list[Any]:
        """As in a csv."""
        texts: list[Any] = self.csv_column(column).to_pylist()
        return texts

    def json_schema(self) -> dict[str, Any]:
        """A text or a number."""
        about = "ISO 8601, without a zone; or a number in the type's own unit since midnight."
        last = _DAY_S * PER_SECOND[self.unit] - 1
        return {"type": ["string", "integer"], "minimum": 0, "maximum": last, "description": about}

    def sample(self, chance: random.Random, texts: Sequence[str] = ()) -> int:
        """A whole second."""
        return chance.randint(0, _DAY_S - 1) * PER_SECOND[self.unit]
