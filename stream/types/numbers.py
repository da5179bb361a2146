"""Numbers: integers and floating point."""

from __future__ import annotations

import datetime as dt
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
from stream.types.misfit import Misfit, mismatch

__all__ = ["FloatingPoint", "Integer"]

EXACT = 2**53
"""Integer numbers up to here are exact in float64, and so is the way back."""

FLOAT_MAX = float(np.finfo(np.float32).max)


@dataclass(frozen=True, slots=True, kw_only=True)
class Integer(AvroType):
    """int, long, and the logical types on them that are carried as bare numbers."""

    bits: int

    python: ClassVar[type] = int
    python_types = (int, dt.time)
    takes_number = True
    looks = "whole numbers"
    text_form = "`7`"

    @property
    def limits(self) -> str:  # type: ignore[override]
        """Its range, and as a feature what float64 holds exactly."""
        feature = ", as a feature beyond 2⁵³" if self.model and self.bits > 53 else ""
        return f"a fraction (`wrong_type`); beyond {self.bits} bits{feature} (`value_out_of_range`)"

    def read(self, value: Any, *, text: bool) -> int:
        """A whole number, also one that is written as 7.0."""
        if text and isinstance(value, str):
            found = cells.whole(value)
            number = cells.number(value) if found is None else None
            value = number if number is not None else found if found is not None else value
        if isinstance(value, float | decimal.Decimal) and value == value and value % 1 == 0:
            value = int(value)
        if type(value) is not int:
            raise mismatch(self.kind, value)
        if not self.in_range(value):
            raise Misfit(f"{value} is out of range for {self.kind}", reason="value_out_of_range")
        return value

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
    text_form = "`0.5`; NaN and infinity are null in JSON"
    limits = "what would become infinite (`value_out_of_range`)"

    def read(self, value: Any, *, text: bool) -> float:
        """A number; of a float, rounded to 32 bits."""
        if text and isinstance(value, str):
            number = cells.number(value)
        elif not isinstance(value, int | float | decimal.Decimal) or type(value) is bool:
            number = None
        else:
            try:
                number = float(value)
            except OverflowError:
                raise Misfit(
                    f"{str(value)[:60]} is out of range for double", reason="value_out_of_range"
                ) from None
        if number is None:
            raise mismatch(self.name, value)
        return number if self.kind == "double" else self._rounded(number)

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
        return None if pc.any(pc.is_nan(numbers)).as_py() else self._narrowed(numbers)

    def _cast_typed(self, column: pa.Array, nullable: bool) -> pa.Array | None:
        if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
            # Rounds whole numbers to the nearest, as Python's float() does.
            return self._narrowed(column.cast(pa.float64(), safe=False))
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
