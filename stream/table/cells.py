"""Texts that stand for something: what a csv cell may mean."""

from __future__ import annotations

import datetime as dt
import re

__all__ = ["MISSING", "boolean", "date", "moment", "number", "whole"]

MISSING = frozenset({"NA", "N/A", "NaN", "nan", "null", "NULL", "None"})
"""Beside an empty cell, what says "no value" where a text can't stand: pandas and R write these."""

_WHOLE = re.compile(r"[+-]?[0-9]+\Z")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}")


def whole(text: str) -> int | None:
    """The whole number that a text stands for, else None."""
    return int(text) if _WHOLE.match(text) else None


def number(text: str) -> float | None:
    """The number that a text stands for, infinity included, else None."""
    try:
        found = float(text)
    except ValueError:
        return None
    # Python's own habits: digits in groups, blanks around, other scripts; and `nan`, which says "no value".
    plain = text.isascii() and "_" not in text and text == text.strip() and found == found
    return found if plain else None


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
