"""
Columns of a frame that are not float64: texts, times, dates, categories, and numbers of the type that the model was
fitted on.

Each is made of an Arrow column at once. A row whose value the column's type can't hold beside the others' (a null among
whole numbers, a category that is not known) is odd: it gets a frame of its own, so that its value does not change what
the model sees of its neighbours.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from stream.manifest import Feature
from stream.types import FIRST_DAY, LAST_DAY, AvroType, type_called

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["NULLABLE", "FrameColumn", "Values", "frame_column"]

NULLABLE: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(
        ("Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32", "UInt64"), ("int", "long")
    ),
    "Float32": ("float",),
    "Float64": ("double",),
    "boolean": ("boolean",),
    "string": ("string", "enum", "uuid"),
}
"""pandas' nullable types, and the Avro types that they hold."""

Values: TypeAlias = Any
"""An ndarray, or one of pandas' arrays."""

Wrong: TypeAlias = dict[int, str]
"""By row, why its value can't be held; something harmless stands in its place."""


@dataclass(frozen=True, slots=True)
class FrameColumn:
    """
    A column of objects, or of the kind's own type.

    Attributes:
        feature: what it is.
        avro: its type on the stream.
    """

    feature: Feature
    avro: AvroType

    def values(self, column: pa.Array) -> tuple[Values, Wrong]:
        """
        Make the column.

        Args:
            column: of n rows. Odd ones may be among them only where they are odd in the same way.
        Returns: n values, and the rows that can't be held.
        """
        values, wrong = self.avro.model_values(column)
        if self.feature.null == "NaN" and column.null_count:
            values[column.is_null().to_numpy(zero_copy_only=False)] = np.nan
        return values, wrong

    def odd(self, column: pa.Array) -> Mapping[int, Hashable]:
        """By row, in which way it is odd: those of one way may share a frame."""
        return {}

    def without_odd(self, column: pa.Array) -> pa.Array:
        """The same column with something harmless in the odd rows."""
        return column


@dataclass(frozen=True, slots=True)
class _Text(FrameColumn):
    """pandas' own texts, as `read_csv` makes them: missing is NaN."""

    def values(self, column: pa.Array) -> tuple[Values, Wrong]:
        import pandas as pd

        return pd.array(column, dtype="str"), {}


@dataclass(frozen=True, slots=True)
class _Objects(FrameColumn):
    """Python objects: whole numbers, or true and false with missing values among them."""

    def values(self, column: pa.Array) -> tuple[Values, Wrong]:
        missing = np.nan if self.feature.null == "NaN" else None
        values = np.empty(len(column), object)
        values[:] = [missing if value is None else value for value in column.to_pylist()]
        return values, {}


@dataclass(frozen=True, slots=True)
class _Dates(FrameColumn):
    """Python's dates."""

    def values(self, column: pa.Array) -> tuple[Values, Wrong]:
        days = column.cast(pa.int32())
        held = pc.and_(pc.greater_equal(days, FIRST_DAY), pc.less_equal(days, LAST_DAY))
        outside = pc.indices_nonzero(pc.invert(held)).to_pylist()
        values = np.empty(len(column), object)
        values[:] = pc.if_else(held, column, pa.scalar(None, column.type)).to_pylist()
        return values, {row: f"{days[row]} days since 1970 are beyond datetime.date" for row in outside}


@dataclass(frozen=True, slots=True)
class _Number(FrameColumn):
    """Numbers of one of numpy's types; null is NaN, or odd where the type has none."""

    dtype: np.dtype[Any]

    def values(self, column: pa.Array) -> tuple[Values, Wrong]:
        if self.dtype.kind != "f" and column.null_count:
            return np.full(len(column), np.nan), {}
        if self.dtype.kind == "b":
            return column.to_numpy(zero_copy_only=False), {}
        values, wrong = self.avro.model_values(column)
        if self.dtype.kind in "iu":
            wrong = wrong | _beyond(values.astype(np.int64, copy=False), self.dtype)
        return values.astype(self.dtype), wrong

    def odd(self, column: pa.Array) -> Mapping[int, Hashable]:
        if self.dtype.kind == "f" or not column.null_count:
            return {}
        return dict.fromkeys(pc.indices_nonzero(column.is_null()).to_pylist(), None)

    def without_odd(self, column: pa.Array) -> pa.Array:
        if self.dtype.kind == "f" or not column.null_count:
            return column
        return pc.fill_null(column, pa.scalar(0).cast(column.type))


@dataclass(frozen=True, slots=True)
class _Nullable(FrameColumn):
    """One of pandas' nullable types, which have a missing value of their own."""

    dtype: Any

    def values(self, column: pa.Array) -> tuple[Values, Wrong]:
        wrong: Wrong = {}
        narrow = np.dtype(self.dtype.type) if self.dtype.kind in "iuf" else None
        if narrow is not None and narrow.kind != "f":
            _, wrong = self.avro.model_values(column)
            wrong = wrong | _beyond(pc.fill_null(column, 0).cast(pa.int64()).to_numpy(), narrow)
            if wrong:
                held = np.ones(len(column), np.bool_)
                held[list(wrong)] = False
                column = pc.if_else(pa.array(held), column, pa.scalar(None, column.type))
        column = column if narrow is None else column.cast(pa.from_numpy_dtype(narrow))
        return self.dtype.__from_arrow__(column), wrong


@dataclass(frozen=True, slots=True)
class _Time(FrameColumn):
    """Instants in the unit and zone that the model was fitted on."""

    dtype: np.dtype[Any] | pd.DatetimeTZDtype

    def values(self, column: pa.Array) -> tuple[Values, Wrong]:
        import pandas as pd

        values, wrong = self.avro.model_values(column)
        unit = (
            self.dtype.unit if isinstance(self.dtype, pd.DatetimeTZDtype) else np.datetime_data(self.dtype)[0]
        )
        if unit == "ns" and values.dtype != np.dtype("datetime64[ns]"):
            limit = np.iinfo(np.int64).max // 1_000
            counts = values.astype("datetime64[us]").view(np.int64)
            outside = (np.abs(counts) > limit) & ~np.isnat(values)
            for row in np.flatnonzero(outside).tolist():
                wrong = {**wrong, row: f"{values[row]} is beyond datetime64[ns]"}
            values = np.where(outside, np.datetime64(0, "us"), values)
        values = values.astype(f"datetime64[{unit}]")
        if isinstance(self.dtype, pd.DatetimeTZDtype):
            return pd.DatetimeIndex(values).tz_localize("UTC").tz_convert(self.dtype.tz).array, wrong
        return values, wrong


@dataclass(frozen=True, slots=True)
class _Category(FrameColumn):
    """pandas' category, with those that the model was fitted on."""

    dtype: pd.CategoricalDtype
    known: pa.Array

    def values(self, column: pa.Array) -> tuple[Values, Wrong]:
        import pandas as pd

        codes, unknown = self._codes(column)
        dtype = self.dtype
        if self.feature.unknown == "kept" and unknown.any():
            value = column[int(np.flatnonzero(unknown)[0])].as_py()
            more = dtype.categories.append(pd.Index([value]))
            codes = np.where(unknown, len(dtype.categories), codes)
            dtype = pd.CategoricalDtype(more, dtype.ordered)
        return pd.Categorical.from_codes(codes, dtype=dtype), self._refused(column, unknown)

    def _refused(self, column: pa.Array, unknown: npt.NDArray[np.bool_]) -> Wrong:
        if self.feature.unknown != "refused":
            return {}
        count = len(self.dtype.categories)
        return {
            row: f"{column[row].as_py()!r} is not among the {count} categories that the model was fitted on"
            for row in np.flatnonzero(unknown).tolist()
        }

    def odd(self, column: pa.Array) -> Mapping[int, Hashable]:
        if self.feature.unknown != "kept":
            return {}
        _, unknown = self._codes(column)
        return {row: column[row].as_py() for row in np.flatnonzero(unknown).tolist()}

    def without_odd(self, column: pa.Array) -> pa.Array:
        if self.feature.unknown != "kept":
            return column
        _, unknown = self._codes(column)
        return (
            pc.if_else(pa.array(unknown), pa.scalar(None, column.type), column) if unknown.any() else column
        )

    def _codes(self, column: pa.Array) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
        """Each value's place among the categories (-1 for none), and which values have none though they are there."""
        shared = column.cast(self.known.type, safe=False)
        codes = pc.fill_null(pc.index_in(shared, value_set=self.known), -1).to_numpy().astype(np.int64)
        missing = column.is_null(nan_is_null=True).to_numpy(zero_copy_only=False)
        return np.where(missing, -1, codes), (codes < 0) & ~missing


def _beyond(values: npt.NDArray[np.int64], dtype: np.dtype[Any]) -> Wrong:
    """The whole numbers that a narrower type can't hold."""
    limits = np.iinfo(dtype)
    outside = (values < limits.min) | (values > int(limits.max))
    return {row: f"{values[row]} is beyond {dtype}" for row in np.flatnonzero(outside).tolist()}


def frame_column(feature: Feature) -> FrameColumn:
    """
    The maker of a feature's column.

    Args:
        feature: not a number of the kind's own type, which belongs into the one block of float64.
    """
    import pandas as pd

    avro = type_called(feature.avro)
    if feature.kind == "category":
        return _category(feature, avro)
    if feature.kind == "datetime" and feature.dtype == "object":
        return _Dates(feature, avro)
    if feature.kind == "datetime" and feature.dtype:
        dtype = pd.api.types.pandas_dtype(feature.dtype)
        assert isinstance(dtype, (np.dtype, pd.DatetimeTZDtype))
        return _Time(feature, avro, dtype)
    if feature.dtype == "str":
        return _Text(feature, avro)
    if feature.dtype == "object":
        return _Objects(feature, avro)
    if feature.dtype in NULLABLE:
        return _Nullable(feature, avro, pd.api.types.pandas_dtype(feature.dtype))
    return _Number(feature, avro, np.dtype(feature.dtype)) if feature.dtype else FrameColumn(feature, avro)


def _category(feature: Feature, avro: AvroType) -> FrameColumn:
    """Numbers of two kinds are compared as float64."""
    import pandas as pd

    index = pd.Index(list(feature.categories or ()), dtype=feature.dtype or None)
    known = pa.array(list(feature.categories or ()), from_pandas=True)
    if pa.types.is_null(known.type):
        known = known.cast(avro.arrow)
    if pa.types.is_floating(avro.arrow) or pa.types.is_floating(known.type):
        known = known.cast(pa.float64())
    return _Category(feature, avro, pd.CategoricalDtype(index, feature.ordered), known)
