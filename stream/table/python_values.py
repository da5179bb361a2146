"""Values as Python's libraries hold them, numpy's and pandas' scalars among them → values that every type reads."""

from __future__ import annotations

import datetime as dt
import decimal
import sys
from collections.abc import Mapping
from enum import Enum
from typing import Any

import numpy as np

__all__ = ["plain_row"]

_PLAIN = frozenset({str, float, int, bool, type(None), bytes, dt.datetime, dt.date, decimal.Decimal})
"""Types whose values are taken as they are: nearly all, so that a row costs next to nothing."""


def plain_row(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """
    Args:
        row: values by column; the columns may have any labels.
    Returns: the row itself where nothing is to be done; else the same values in Python's own types: numpy's scalars
        and arrays, pandas' missing values, enumerations.
    """
    for name, value in row.items():
        if type(value) not in _PLAIN or type(name) is not str:
            return {str(key): _plain(item) for key, item in row.items()}
    return row


def _plain(value: Any) -> Any:
    if type(value) in _PLAIN or (isinstance(value, dt.datetime) and not _is_missing(value)):
        return value
    if isinstance(value, np.datetime64):
        return _instant(value)
    if isinstance(value, np.generic | np.ndarray):
        return _plain_item(value)
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Enum):
        return _plain(value.value)
    return None if _is_missing(value) else value


def _plain_item(value: Any) -> Any:
    """A numpy scalar or array, whose items may be Python objects or datetimes themselves."""
    if isinstance(value, np.ndarray):
        if value.ndim == 0:
            return _plain(value[()])
        if value.dtype.kind in "biufU":
            return value.tolist()
        return [_plain(item) for item in value]
    if isinstance(value, np.floating):
        return float(value)  # also one of more bits than Python's
    found = value.item()
    return found if found is not value else str(value)


def _is_missing(value: object) -> bool:
    """pandas' NA and NaT; a NaN is a number, and each type says itself what it is."""
    pandas = sys.modules.get("pandas")
    return pandas is not None and (value is pandas.NA or value is pandas.NaT)


def _instant(value: np.datetime64) -> Any:
    """A date where it counts days, else an instant to the nanosecond where that can be held."""
    if np.isnat(value):
        return None
    if np.datetime_data(value)[0] in ("Y", "M", "W", "D"):
        found = value.astype("datetime64[D]").item()
    elif np.datetime_data(value)[0] in ("ns", "ps", "fs", "as"):
        import pandas as pd

        return pd.Timestamp(value)
    else:
        found = value.astype("datetime64[us]").item()
    # One beyond Python's calendar is refused by its type, as a text.
    return found if isinstance(found, dt.date) else str(value)
