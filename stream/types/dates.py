"""Dates: days since 1970, and their one spelling in text."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from stream.types import cells
from stream.types.avro_type import AvroType
from stream.types.bare import Bare
from stream.types.iso_text import iso_json, iso_texts
from stream.types.misfit import mismatch
from stream.types.since_1970 import (
    DAY_S,
    DAY_US,
    FIRST_DAY,
    LAST_DAY,
    PER_SECOND,
    counted,
    in_utc,
    recent,
    to_datetime64,
    whole_steps,
    within_bits,
)

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Date"]

_EPOCH_DAY = dt.date(1970, 1, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Date(AvroType):
    """date: days since 1970."""

    python: ClassVar[type] = int
    python_types = (dt.date,)
    takes_number = csv_as_text = True
    stored_as_is = False
    looks = "ISO dates"
    text_form = (
        "`2024-02-29`; the bare number before year 1 and after 9999; an instant is read as its day in UTC"
    )
    limits = "beyond 32 bits; as a feature beyond datetime64[us] (`value_out_of_range`)"

    def read(self, value: Any, *, text: bool) -> object:
        """A date, the day of an instant in UTC, an ISO text of either, or a number of days."""
        if isinstance(value, Bare):
            return self._day(value)
        if isinstance(value, dt.datetime):
            moment = in_utc(value)
            return counted(value, 1) // DAY_S if moment is None else moment.date()
        if isinstance(value, str):
            found: object = self._parsed(value)
            number = cells.whole(value) if text and found is None else None
            value = found if found is not None else value if number is None else number
        if not isinstance(value, dt.date) and type(value) is not int:
            raise mismatch(self.name, value)
        return value

    def _day(self, value: Bare) -> Any:
        """The day of an instant, as of a datetime; else a day's number."""
        if isinstance(value.kind, Date):
            days = value.value
        elif pa.types.is_timestamp(kind := value.kind.arrow):
            days = value.value // (DAY_S * PER_SECOND[kind.unit])
        else:
            days = self.of_bare(value)
        found = self.python_value(days)
        return days if isinstance(found, Bare) else found

    def _parsed(self, text: str) -> dt.date | None:
        found = cells.date(text)
        moment = cells.moment(text) if found is None else None
        return found if moment is None else moment.date()

    def exact_value(self, bare: Any) -> Any:
        """`Bare`: on the stream a date that was written is no instant."""
        return Bare(bare, self) if type(bare) is int else bare

    def python_value(self, bare: Any) -> Any:
        """A date."""
        if type(bare) is not int:
            return bare
        if not FIRST_DAY <= bare <= LAST_DAY:
            return Bare(bare, self)
        return _EPOCH_DAY + dt.timedelta(days=bare)

    def parse_cell(self, text: str) -> dt.date | None:
        """An ISO date."""
        return cells.date(text)

    def is_default(self, value: object) -> bool:
        """Days, of 32 bits."""
        return type(value) is int and -(1 << 31) <= value < 1 << 31

    def stored(self, value: Any) -> int:
        """Days."""
        return within_bits(value if isinstance(value, int) else (value - _EPOCH_DAY).days, 31, "date")

    def infers(self, kind: pa.DataType) -> bool:
        """Either of Arrow's dates."""
        return bool(pa.types.is_date(kind))

    def _cast_cells(self, texts: pa.Array) -> pa.Array | None:
        days = texts.cast(pa.date32())
        first = pc.min(days.cast(pa.int32())).as_py()
        return days if first is None or first >= FIRST_DAY else None

    def _cast_typed(self, column: pa.Array, nullable: bool) -> pa.Array | None:
        kind = column.type
        if not pa.types.is_timestamp(kind):
            return column if pa.types.is_date32(kind) else None
        return (
            whole_steps(column.view(pa.int64()), DAY_S * PER_SECOND[kind.unit])
            .cast(pa.int32())
            .view(self.arrow)
        )

    def csv_column(self, column: pa.Array) -> pa.Array:
        """ISO dates."""
        return iso_texts(column.cast(pa.int32()), column, FIRST_DAY, LAST_DAY, "")

    def json_values(self, column: pa.Array) -> list[Any]:
        """ISO dates."""
        return iso_json(self.csv_column(column))

    def model_values(self, column: pa.Array) -> tuple[npt.NDArray[np.generic], dict[int, str]]:
        """Midnights, as datetime64[us]."""
        days = pc.fill_null(column.cast(pa.int32()).cast(pa.int64()), 0).to_numpy(zero_copy_only=False)
        return to_datetime64(days, column, 1, DAY_US)

    def pandas_series(self, column: pa.Array) -> pd.Series:
        """Midnights in UTC."""
        series: pd.Series = column.cast(pa.timestamp("us")).cast(pa.timestamp("us", "UTC")).to_pandas()
        return series

    def json_schema(self) -> dict[str, Any]:
        """A text or a number."""
        return {"type": ["string", "integer"], "minimum": -(2**31), "maximum": 2**31 - 1, "format": "date",
                "description": "ISO 8601; or days since 1970."}  # fmt: skip

    def sample(self, chance: random.Random, texts: Sequence[str] = ()) -> dt.date:
        """Of 2020 to 2024."""
        return recent(chance).date()
