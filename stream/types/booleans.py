"""Booleans, and null."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from stream.types import cells
from stream.types.avro_type import AvroType
from stream.types.misfit import mismatch

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Boolean", "Null"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Boolean(AvroType):
    """true and false."""

    python: ClassVar[type] = bool
    python_types = (bool,)
    looks = "true or false"
    text_form = "`true`; a csv may also have `1`, `0` and any case"
    limits = "a number, unless it is a csv's cell (`wrong_type`)"

    def read(self, value: Any, *, text: bool) -> bool:
        """A boolean; never a number, which may count something."""
        if text and isinstance(value, str):
            found = {"1": True, "0": False}.get(value, cells.boolean(value))
        else:
            found = value if isinstance(value, bool) else None
        if found is None:
            raise mismatch(self.name, value)
        return found

    def parse_cell(self, text: str) -> bool | None:
        """true or false; 1 and 0 are numbers until a schema says otherwise."""
        return cells.boolean(text)

    def is_default(self, value: object) -> bool:
        """true or false."""
        return isinstance(value, bool)

    def infers(self, kind: pa.DataType) -> bool:
        """Arrow's boolean."""
        return bool(pa.types.is_boolean(kind))

    def _cast_cells(self, texts: pa.Array) -> pa.Array:
        return texts.cast(pa.bool_())

    def _cast_typed(self, column: pa.Array, nullable: bool) -> pa.Array | None:
        return column if pa.types.is_boolean(column.type) else None

    def model_values(self, column: pa.Array) -> tuple[npt.NDArray[np.generic], dict[int, str]]:
        """1 and 0."""
        return column.cast(pa.uint8()).to_numpy(zero_copy_only=False), {}

    def pandas_series(self, column: pa.Array) -> pd.Series:
        """bool; with missing values pandas' nullable boolean."""
        series: pd.Series = column.to_pandas()
        return series.astype("boolean") if column.null_count else series

    def json_schema(self) -> dict[str, Any]:
        """A boolean."""
        return {"type": "boolean"}

    def sample(self, chance: random.Random, texts: Sequence[str] = ()) -> bool:
        """Either."""
        return chance.random() < 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Null(AvroType):
    """null: a field that never has a value."""

    python: ClassVar[type] = type(None)
    python_types = (type(None),)
    text_form = "empty; `null` in JSON"
    limits = "any value (`wrong_type`)"

    def read(self, value: Any, *, text: bool) -> Any:
        """Every value is refused."""
        raise mismatch(self.name, value)

    def is_default(self, value: object) -> bool:
        """null."""
        return value is None

    def json_schema(self) -> dict[str, Any]:
        """Anything: the value is not used."""
        return {}

    def sample(self, chance: random.Random, texts: Sequence[str] = ()) -> None:
        """Nothing."""
        return
