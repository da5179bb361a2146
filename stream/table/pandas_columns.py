"""A pandas frame → what is scored: Arrow's columns, or rows where a column has values of several types."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pyarrow as pa

from stream.table.python_values import plain_row

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["UNREADABLE", "Part", "frame_rows"]

Part: TypeAlias = "pa.Table | list[Mapping[str, Any]]"
"""Some rows of a table: as Arrow columns, or as dicts where a column has values of several types."""

UNREADABLE = (pa.ArrowException, OverflowError, TypeError, ValueError)
"""What pyarrow raises for a column whose values are of several types, or of one that it doesn't know."""


def frame_rows(frame: pd.DataFrame, wanted: Sequence[str]) -> Part:
    """
    Args:
        frame: some rows; it is never changed.
        wanted: the names of its columns, as texts, that are looked at.
    Returns: them; columns share their memory with the frame where Arrow can take them as they are.
    """
    places = {str(name): i for i, name in enumerate(frame.columns)}
    columns = {name: frame.iloc[:, places[name]] for name in wanted}
    try:
        return pa.table({name: _arrow_column(column) for name, column in columns.items()})
    except UNREADABLE:
        values = [column.tolist() for column in columns.values()]
        return [plain_row(dict(zip(columns, row, strict=True))) for row in zip(*values, strict=True)]


def _arrow_column(column: pd.Series) -> pa.Array | pa.ChunkedArray:
    """
    NaN among floats stays a number, which the field's type takes or not; any other gap is null.

    Raises: TypeError for objects of several types, of which Arrow would make one.
    """
    import pandas as pd

    if isinstance(column.dtype, np.dtype) and column.dtype.kind == "f":
        return pa.array(column.to_numpy())
    if isinstance(column.dtype, pd.SparseDtype):
        return pa.array(np.asarray(column))
    if column.dtype == object:
        kinds = set(map(type, column)) - {type(None), float}
        if len({kind for kind in kinds if kind.__name__ not in ("NAType", "NaTType")}) > 1:
            raise TypeError("values of several types")
        if kinds == {dt.time} and any(getattr(one, "tzinfo", None) for one in column):
            raise TypeError("times with a zone, which Arrow would drop")
    found = pa.array(column, from_pandas=True)
    if isinstance(found.type, pa.BaseExtensionType):  # a period's number is not its value
        raise TypeError(f"values of {found.type}")
    if column.dtype == object and "struct<" in str(
        found.type
    ):  # every dict would have the keys of all others
        raise TypeError(f"values of {found.type}")
    return found
