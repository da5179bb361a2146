"""Numbers: integers and floating point."""

from __future__ import annotations

import decimal
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from stream.types import cells
from stream.types.avro_type import AvroType
from stream.types.json_parsing import LongNumber, exact_number
from stream.types.misfit import Misfit, mismatch, shown

__all__ = ["FloatingPoint", "Integer", "inexact"]

EXACT = 2**53
"""Integer numbers up to here are exact in float64, and so is the way back."""

FLOAT_MAX = float(np.finfo(np.float32).max)

_LARGEST_EXPONENT = 400
"""Whole numbers with more digits are beyond every type; Python would take long to write them out."""


def inexact(value: int | decimal.Decimal, bits: int) -> bool:
    """
    Args:
        value: finite.
        bits: of a floating-point type's significand: 53 or 24.
    Returns: whether it is a whole number that the type would round.
    """
    if isinstance(value, decimal.Decimal):
        if value != value.to_integral_value():
            return False
        value = int(value)
    size = abs(value)
    if size <= 1 << bits:
        return False
    return (size >> (size & -size).bit_length() - 1).bit_length() > bits


def _too_large(value: object, name: str) -> Misfit:
    text = value[:60] if isinstance(value, str) else shown(value).strip('"')
    return Misfit(f"{text} is out of range for {name}", reason="value_out_of_range")


@dataclass(frozen=True, slots=True, kw_only=True)
class Integer(AvroType):
    """int, long, and the logical types on them that are carried as bare numbers."""

    bits: int

    python: ClassVar[type] = int
    python_types = (int,)
    takes_number = True
    looks = "whole numbers"
    text_form = "`7`"

    @property
    def limits(self) -> str:  # type: ignore[override]
        """Its range, and as a feature what float64 holds exactly."""
        feature = ", as a feature what float64 would round (beyond 2⁵³)" if self.bits > 53 else ""
        return (
            f"a fraction, an infinity (`wrong_type`); beyond {self.bits} bits{feature} (`value_out_of_range`)"
        )

    def read(self, value: Any, *, text: bool) -> int:
        """A whole number, also one that is written as 7.0."""
        number = value
        if text and isinstance(value, str) and (near := cells.number(value)) is not None:
            # Through a float, large ones would be rounded.
            number, value = exact_number(value), near
        if isinstance(number, LongNumber):
            number = exact_number(number.text)
        if isinstance(number, decimal.Decimal):
            number = self._whole(number)
        elif isinstance(number, float) and number % 1 == 0:
            number = int(number)
        if type(number) is not int:
            raise mismatch(self.kind, value)
        if not self.in_range(number):
            raise _too_large(value, self.kind)
        return number

    def _whole(self, number: decimal.Decimal) -> int | None:
        if not number.is_finite() or number != number.to_integral_value():
            return None
        if number.adjusted() > _LARGEST_EXPONENT and number:
            raise _too_large(number, self.kind)
        return int(number)

    def in_range(self, value: Any) -> bool:
        """Its range."""
        return bool(-(1 << self.bits - 1) <= value < 1 << self.bits - 1)

    def parse_cell(self, text: str) -> int | None:
        """A whole number of any size."""
        return cells.whole(text)

    def is_default(self, value: object) -> bool:
        """A whole number of the type's bits."""
        return isinstance(value, int) and not isinstance(value, bool) and self.in_range(value)

    def infers(self, kind: pa.DataType) -> bool:
        """An unsigned type needs a signed one of twice its width; uint64 is taken for long."""
        if pa.types.is_unsigned_integer(kind):
            return bool(self.bits == 64 or kind.bit_width < self.bits)
        return bool(pa.types.is_signed_integer(kind) and kind.bit_width <= self.bits)

    def _cast_cells(self, texts: pa.Array) -> pa.Array | None:
        # Arrow also reads 0x1F.
        odd = pc.any(pc.match_substring(texts, "x", ignore_case=True)).as_py()
        return None if odd else texts.cast(self.arrow)

    def _cast_typed(self, column: pa.Array, nullable: bool) -> pa.Array | None:
        if pa.types.is_integer(column.type):
            return column.cast(self.arrow)
        if not pa.types.is_floating(column.type) or not nullable:
            return None
        numbers = column.cast(pa.float64())
        whole = pc.if_else(pc.is_nan(numbers), pa.scalar(None, pa.float64()), numbers)
        bounds = pc.min_max(whole)
        low, high = bounds["min"].as_py(), bounds["max"].as_py()
        if low is not None and (low < -EXACT or high > EXACT):
            return None
        return whole.cast(self.arrow)  # raises for a fraction

    def model_values(self, column: pa.Array) -> tuple[npt.NDArray[np.generic], dict[int, str]]:
        """A long that float64 would round is refused: the model would get another number."""
        values: npt.NDArray[np.generic] = column.to_numpy(zero_copy_only=False)
        return values, self._rounded(column) if self.bits > 53 else {}

    def _rounded(self, column: pa.Array) -> dict[int, str]:
        bounds = pc.min_max(column)
        low, high = bounds["min"].as_py(), bounds["max"].as_py()
        if low is None or (low >= -EXACT and high <= EXACT):
            return {}
        return {
            i: f"{value} is not exact as float64"
            for i, value in enumerate(column.to_pylist())
            if value is not None and int(float(value)) != value
        }

    def json_schema(self) -> dict[str, Any]:
        """Its range; of a long what float64 holds exactly, which is what a model sees."""
        if self.bits > 53:
            return {"type": "integer", "minimum": -EXACT, "maximum": EXACT}
        return {"type": "integer", "minimum": -(1 << self.bits - 1), "maximum": (1 << self.bits - 1) - 1}

    def sample(self, chance: random.Random, texts: Sequence[str] = ()) -> int:
        """Mostly a small one."""
        return chance.choice((0, 1, chance.randint(0, 23), chance.randint(-100, 1_000)))


@dataclass(frozen=True, slots=True, kw_only=True)
class FloatingPoint(AvroType):
    """float and double."""

    python: ClassVar[type] = float
    python_types = (float,)
    looks = "numbers"
    has_nan = True
    text_form = "`0.5`; NaN and infinity are null in JSON, `nan`, `inf` and `-inf` in a csv"

    @property
    def limits(self) -> str:  # type: ignore[override]
        """A whole number is meant exactly; one with a fraction is rounded to the nearest."""
        power = "2²⁴" if self.kind == "float" else "2⁵³"
        return (f"a whole number that it would round (beyond {power}), what would become infinite "
                "(`value_out_of_range`)")  # fmt: skip

    @property
    def bits(self) -> int:
        """Of the significand."""
        return 24 if self.kind == "float" else 53

    def reader(self, *, nullable: bool, text: bool) -> cells.Read:
        """Of doubles, most of which are as they are to be, or texts of plain ones."""
        read = AvroType.reader(self, nullable=nullable, text=text)
        return cells.double_reader(read, text=text) if self.kind == "double" else read

    def read(self, value: Any, *, text: bool) -> float:
        """A number, rounded to the nearest; a whole one only where that changes nothing."""
        if text and isinstance(value, str):
            number = self._parsed(value)
        elif isinstance(value, float):
            number = float(value)
        elif isinstance(value, int | decimal.Decimal) and type(value) is not bool:
            number = self._exact(value)
        else:
            raise mismatch(self.name, value)
        return number if self.kind == "double" else self._rounded(number)

    def _parsed(self, text: str) -> float:
        number = float("nan") if text in cells.NAN else cells.number(text)
        if number is None:
            raise mismatch(self.name, text)
        if math.isinf(number) and not cells.infinite(text):
            raise _too_large(text, self.name)
        if abs(number) >= 1 << self.bits and not math.isinf(number):
            whole = cells.whole(text)
            return number if whole is None else self._exact(whole)
        return number

    def _exact(self, value: int | decimal.Decimal) -> float:
        if isinstance(value, decimal.Decimal) and value.is_snan():
            raise mismatch(self.name, str(value))
        try:
            number = float(value)
        except OverflowError:
            raise _too_large(value, self.name) from None
        if math.isfinite(number):
            if inexact(value, self.bits):
                raise Misfit(
                    f"{value} is out of range for {self.name}, which would round it",
                    reason="value_out_of_range",
                )
        elif not (isinstance(value, decimal.Decimal) and not value.is_finite()):
            raise _too_large(value, self.name)
        return number

    def _rounded(self, value: float) -> float:
        """Rounded to 32 bits; refused where that would make it infinite."""
        with np.errstate(over="ignore"):
            single = float(np.float32(value))
        if math.isinf(single) and not math.isinf(value):
            raise Misfit(f"{value} is out of range for float", reason="value_out_of_range")
        return single

    def parse_cell(self, text: str) -> float | None:
        """A number, infinity included."""
        return cells.number(text)

    def is_default(self, value: object) -> bool:
        """Any number; or a text for one, as Avro Java takes it: JSON has no NaN and no infinity."""
        if isinstance(value, str):
            return value == "NaN" or cells.number(value) is not None
        return isinstance(value, int | float) and not isinstance(value, bool)

    def default(self, value: object) -> object:
        """The number as a float."""
        return float(value) if isinstance(value, int | float | str) else value

    def infers(self, kind: pa.DataType) -> bool:
        """Decimals are read as doubles."""
        if self.kind == "float":
            return bool(pa.types.is_float16(kind) or pa.types.is_float32(kind))
        return bool(pa.types.is_float64(kind) or pa.types.is_decimal(kind))

    def _cast_cells(self, texts: pa.Array) -> pa.Array | None:
        numbers = texts.cast(pa.float64())
        if pc.any(pc.is_nan(numbers)).as_py():
            return None
        bounds = pc.min_max(numbers)
        low, high = bounds["min"].as_py(), bounds["max"].as_py()
        if low is not None and (low <= -(1 << self.bits) or high >= 1 << self.bits):
            return None  # perhaps a whole number that is rounded, or one that became infinite
        return self._narrowed(numbers)

    def _cast_typed(self, column: pa.Array, nullable: bool) -> pa.Array | None:
        if pa.types.is_integer(column.type):
            return column.cast(self.arrow)  # raises beyond what is exact
        if pa.types.is_floating(column.type):
            return self._narrowed(column.cast(pa.float64()))
        return None

    def _narrowed(self, numbers: pa.Array) -> pa.Array | None:
        """float64 in the type's own bits, unless a finite number would become infinite."""
        if self.kind == "double":
            return numbers
        single = numbers.cast(pa.float32())
        lost = pc.and_(pc.is_inf(single), pc.is_finite(numbers))
        return None if pc.any(lost).as_py() else single

    def json_values(self, column: pa.Array) -> list[Any]:
        """JSON has neither NaN nor infinity: null."""
        return [value if value is None or math.isfinite(value) else None for value in column.to_pylist()]

    def json_schema(self) -> dict[str, Any]:
        """Its range."""
        if self.kind == "double":
            return {"type": "number"}
        return {"type": "number", "minimum": -FLOAT_MAX, "maximum": FLOAT_MAX}

    def sample(self, chance: random.Random, texts: Sequence[str] = ()) -> float:
        """Mostly near 0."""
        return chance.choice((chance.gauss(0, 1), chance.gauss(0, 1), chance.uniform(0, 100)))
