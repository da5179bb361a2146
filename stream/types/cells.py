"""Texts that stand for other values: what a csv cell may mean."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any, TypeAlias

from stream.types.misfit import Misfit

__all__ = [
    "MISSING",
    "NAN",
    "Read",
    "bare",
    "boolean",
    "date",
    "double_reader",
    "infinite",
    "moment",
    "nullable_reader",
    "number",
    "whole",
]

Read: TypeAlias = Callable[[Any], Any]
"""From a foreign value to the one that an Avro record holds; raises Misfit."""

MISSING = frozenset({
    "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA", "NULL",
    "NaN", "None", "n/a", "nan", "null",
})  # fmt: skip
"""
What means "no value", beside an empty cell, where texts are not values.

Source: pandas, `read_csv`, `na_values`: a csv means here what it means to the one who fitted the model.
"""

_GAPS = frozenset({"NaTType", "NAType"})
"""The classes of pandas' NaT and NA, by name: pandas need not be imported to read a row."""

NAN = frozenset({"NaN", "nan", "-NaN", "-nan"})
"""Those of them that a floating-point column without null takes for the number NaN."""

_WHOLE = re.compile(r"[+-]?[0-9]{1,4000}\Z")
"""Python reads no more than 4,300 digits."""

_FRACTION = re.compile(r"[+-]?[0-9]{1,15}\.[0-9]+\Z")
"""A text of a number that float64 holds without asking whether it is a whole one."""

_BLANKS = " \t"

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}")


def bare(text: str) -> str:
    """A number's text without the blanks around it, which pandas passes over as well: `1, 2`."""
    return text.strip(_BLANKS)


def whole(text: str) -> int | None:
    """The whole number that a text stands for, else None."""
    text = bare(text)
    return int(text) if _WHOLE.match(text) else None


def number(text: str) -> float | None:
    """The number that a text stands for, infinity included, else None."""
    text = bare(text)
    try:
        found = float(text)
    except ValueError:
        return None
    # Python's own habits: digits in groups, lines around, other scripts; and `nan`, which says "no value".
    plain = text.isascii() and "_" not in text and text == text.strip() and found == found
    return found if plain else None


def infinite(text: str) -> bool:
    """Whether a number's text says that it is infinite, rather than being a number that is too large."""
    return "n" in text or "N" in text


def boolean(text: str) -> bool | None:
    """true or false in any case, else None."""
    return {"true": True, "false": False}.get(text.lower())


def date(text: str) -> dt.date | None:
    """An ISO date, else None."""
    if not _DATE.match(text):
        return None
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return None


def moment(text: str) -> dt.datetime | None:
    """An ISO date and time, UTC where it names no zone; else None."""
    if not _MOMENT.match(text):
        return None
    try:
        found = dt.datetime.fromisoformat(text)
        return found.replace(tzinfo=dt.UTC) if found.tzinfo is None else found.astimezone(dt.UTC)
    except (ValueError, OverflowError):  # the calendar's first or last day, in another zone's hours
        return None


def nullable_reader(read: Read, expected: str, *, nullable: bool, text: bool, nan: bool = False) -> Read:
    """
    Wrap a reader so that missing values are dealt with first.

    Args:
        read: reads a value that is not missing.
        expected: the type's name, for messages.
        nullable: whether a value may be missing.
        text: whether `NA` and its like mean a missing value.
        nan: whether NaN is a value; else it means a missing value, as in pandas.
    Returns: a function that reads a value, or None for a missing one; it raises Misfit where none may be missing.
    """
    missing = MISSING if text else frozenset[str]()
    if nan and not nullable:
        missing -= NAN

    def convert(value: Any) -> Any:
        kind = type(value)
        if (
            kind is int
            or kind is bool
            or (kind is str and value not in missing)
            or (kind is float and value == value)
        ):
            return read(value)  # nearly all: what follows finds no gap in them either
        if value is None or (isinstance(value, str) and value in missing) or _is_gap(value, nan):
            if nullable:
                return None
            raise Misfit(f"expected {expected}, found no value")
        return read(value)

    return convert


def double_reader(read: Read, *, text: bool) -> Read:
    """
    Wrap a reader of doubles so that what most of them are is taken at once.

    Args:
        read: reads any value.
        text: whether a text stands for a number.
    Returns: a function that reads a value as `read` does.
    """

    def convert(value: Any) -> Any:
        kind = type(value)
        if kind is float and value == value:
            return value
        return float(value) if text and kind is str and _FRACTION.match(value) else read(value)

    return convert


def _is_gap(value: Any, nan: bool) -> bool:
    """Whether it is pandas' mark for a missing value: NaT, NA, and NaN where that is not a value of the type."""
    if value is None or isinstance(value, str | int):
        return False
    if isinstance(value, float):
        return not nan and value != value
    if isinstance(value, Decimal):
        return not nan and value.is_nan()
    return type(value).__name__ in _GAPS
