"""Decimals: a whole number of a fixed number of digits, and where its point is."""

from __future__ import annotations

import decimal
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from stream.types import cells
from stream.types.avro_type import AvroType
from stream.types.json_parsing import exact_number
from stream.types.misfit import Misfit, mismatch
from stream.types.numbers import inexact

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["MAX_DIGITS", "QUERY_DIGITS", "Decimal"]

MAX_DIGITS = 76
"""Digits that Arrow's widest decimal holds."""

QUERY_DIGITS = 38
"""Digits that DuckDB's and Spark's decimals hold."""

_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,4})?\Z")

_PATTERN = r"^[+-]?[0-9]*\.?[0-9]*([eE][+-]?[0-9]{1,4})?$"
"""For JSON schemas."""

_EXACT = decimal.Context(prec=10_000, traps=[decimal.InvalidOperation, decimal.Inexact])
"""Whatever would be rounded raises."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decimal(AvroType):
    """
    decimal, on bytes or on a fixed: an unscaled whole number, two's complement, most significant byte first.

    Attributes:
        precision: digits at most, ≥ 1.
        scale: digits behind the point, ≥ 0 and ≤ precision.
        size_bytes: the length of each value; None on bytes.
    """

    precision: int
    scale: int
    size_bytes: int | None = None

    python: ClassVar[type] = bytes
    python_types = (decimal.Decimal,)
    stored_as_is = False
    checked = True
    csv_as_text = True
    text_form = "`-12.90`, with as many digits behind the point as its scale; a number is taken too"
    limits = "what is not a number (`wrong_type`); more digits than it has before or behind the point " \
        "(`value_out_of_range`)"  # fmt: skip

    @property
    def full_name(self) -> str:
        """`decimal(9,2)`."""
        return f"decimal({self.precision},{self.scale})"

    @property
    def column(self) -> bool:  # type: ignore[override]
        """Whether Arrow holds it."""
        return self.precision <= MAX_DIGITS

    @property
    def measure(self) -> object:
        """Its scale: the same bytes with another one are another number."""
        return "decimal", self.scale

    @property
    def duckdb_arrow(self) -> pa.DataType:
        """Query engines have 38 digits; more are a text."""
        return self.arrow if self.precision <= QUERY_DIGITS else pa.string()

    @property
    def spark_arrow(self) -> pa.DataType:
        """As in DuckDB."""
        return self.duckdb_arrow

    @property
    def schema(self) -> Any:
        """With precision and scale."""
        return {"type": self.kind, "logicalType": "decimal", "precision": self.precision, "scale": self.scale}

    def read(self, value: Any, *, text: bool) -> decimal.Decimal:
        """A number, or a text that is one, in JSON too; never its bytes, which a text could be taken for."""
        if isinstance(value, str):
            digits = cells.bare(value) if text else value
            if not _NUMBER.match(digits):
                raise mismatch("decimal", value)
            number = decimal.Decimal(digits)
        elif isinstance(value, float):
            number = exact_number(repr(value))
        elif isinstance(value, int | decimal.Decimal) and not isinstance(value, bool):
            number = decimal.Decimal(value)
        else:
            raise mismatch("decimal", value)
        if not number.is_finite():
            raise mismatch("decimal", str(number))
        return self._fitted(number)

    def _fitted(self, number: decimal.Decimal) -> decimal.Decimal:
        """With the type's scale; refused where that would take digits away."""
        place = decimal.Decimal((0, (1,), -self.scale))
        if not number:
            return decimal.Decimal(0).quantize(place, context=_EXACT)
        if number.adjusted() >= self.precision - self.scale:
            most = self.precision - self.scale
            raise self._outside(number, f"more than {most} digits before the point")
        try:
            return number.quantize(place, context=_EXACT)
        except (decimal.Inexact, decimal.InvalidOperation):
            raise self._outside(number, f"more than {self.scale} digits behind the point") from None

    def _outside(self, number: decimal.Decimal, why: str) -> Misfit:
        return Misfit(
            f"{str(number)[:60]} is out of range for {self.full_name}: it has {why}",
            reason="value_out_of_range",
        )

    def _number(self, bare: bytes) -> decimal.Decimal:
        unscaled = int.from_bytes(bare, "big", signed=True)
        return decimal.Decimal(unscaled).scaleb(-self.scale, context=_WIDE)

    def python_value(self, bare: Any) -> Any:
        """A Decimal, whatever its digits."""
        return self._number(bare) if isinstance(bare, bytes) else bare

    def check(self, bare: Any) -> None:
        """Bytes may hold more digits than the schema promises, or none."""
        if not bare:
            raise Misfit(f"no bytes are no {self.full_name}", reason="value_out_of_range")
        if len(bare) > _most_bytes(self.precision) and len(bare.lstrip(bare[:1])) > _most_bytes(
            self.precision
        ):
            raise Misfit(
                f"{len(bare)} bytes are out of range for {self.full_name}", reason="value_out_of_range"
            )
        if abs(int.from_bytes(bare, "big", signed=True)) >= 10**self.precision:
            raise self._outside(self._number(bare), f"more than {self.precision} digits")

    def is_default(self, value: object) -> bool:
        """A text with a character per byte, as Avro writes defaults; it must be in range."""
        if not isinstance(value, str) or not all(ord(letter) < 256 for letter in value):
            return False
        if self.size_bytes not in (None, len(value)) or not self.column:
            return self.size_bytes in (None, len(value))
        try:
            self.check(value.encode("latin-1"))
        except Misfit:
            return False
        return True

    def default(self, value: object) -> object:
        """The bytes that the text stands for."""
        return value.encode("latin-1") if isinstance(value, str) else value

    def stored(self, value: Any) -> decimal.Decimal:
        """The number, with the type's scale."""
        return self._fitted(self._number(value) if isinstance(value, bytes) else value)

    def _cast_typed(self, column: pa.Array, nullable: bool) -> pa.Array | None:
        return column.cast(self.arrow) if pa.types.is_decimal(column.type) else None

    def from_storage(self, bare: pa.Array) -> pa.Array:
        """The numbers; each must have been checked."""
        if bare.type == self.arrow:
            return bare
        numbers = [None if one is None else self._number(one) for one in bare.to_pylist()]
        return pa.array(numbers, self.arrow)

    def to_storage(self, column: pa.Array) -> pa.Array:
        """As few bytes as hold the number; of a fixed all of them."""
        if column.type == self.storage:
            return column
        numbers = [None if one is None else self._bytes(one) for one in column.to_pylist()]
        return pa.array(numbers, self.storage)

    def _bytes(self, number: decimal.Decimal) -> bytes:
        unscaled = int(number.scaleb(self.scale, context=_WIDE))
        bits = (unscaled if unscaled >= 0 else ~unscaled).bit_length() + 1
        return unscaled.to_bytes(self.size_bytes or -(-bits // 8), "big", signed=True)

    def json_value(self, value: Any) -> Any:
        """Its digits, whatever a column holds."""
        return format(value, "f") if isinstance(value, decimal.Decimal) else AvroType.json_value(self, value)

    def csv_column(self, column: pa.Array) -> pa.Array:
        """Digits, never an exponent."""
        return pa.array(self.json_values(column), pa.string())

    def json_values(self, column: pa.Array) -> list[Any]:
        """Texts: a number of JSON would be rounded by most who read it."""
        return [None if value is None else format(value, "f") for value in column.to_pylist()]

    def model_values(self, column: pa.Array) -> tuple[npt.NDArray[np.generic], dict[int, str]]:
        """The nearest float64; a whole number that has none of its own is refused."""
        values = column.to_pylist()
        numbers = np.array([np.nan if value is None else float(value) for value in values], np.float64)
        wrong = {
            i: f"{value:f} is not exact as float64"
            for i, value in enumerate(values)
            if value is not None and inexact(value, 53)
        }
        return numbers, wrong

    def pandas_series(self, column: pa.Array) -> pd.Series:
        """float64, as a model gets it."""
        import pandas as pd

        return pd.Series(self.model_values(column)[0])

    def json_schema(self) -> dict[str, Any]:
        """A text or a number."""
        about = f"A number with at most {self.precision} digits, {self.scale} of them behind the point."
        return {"type": ["string", "number"], "pattern": _PATTERN, "description": about}

    def sample(self, chance: random.Random, texts: Sequence[str] = ()) -> decimal.Decimal:
        """With few digits."""
        most = 10 ** min(self.precision, 6) - 1
        return decimal.Decimal(chance.randint(-most, most)).scaleb(-self.scale)


_WIDE = decimal.Context(prec=10_000)
"""Moves the point without rounding."""


def _most_bytes(precision: int) -> int:
    """The fewest bytes that hold every number of so many digits."""
    return (int(10**precision - 1).bit_length() + 8) // 8
