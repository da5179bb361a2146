"""Texts that a person reads as a number or a date, and that are not read as one here: what to write instead."""

from __future__ import annotations

import datetime as dt
import re

__all__ = ["date_spelling", "number_spelling", "spelling"]

_NUMBERS = (
    (re.compile(r"[+-]?[1-9][0-9]{0,2}(,[0-9]{3})+\Z"), "a number with a comma for thousands or for decimals"),
    (re.compile(r"[+-]?[0-9]*,[0-9]+([eE][+-]?[0-9]+)?\Z"), "a number with a decimal comma"),
    (re.compile(r"[+-]?[0-9]{1,3}([.' \u00a0\u202f][0-9]{3})+,[0-9]+\Z"), "a number with a decimal comma"),
    (re.compile(r"[+-]?[0-9]{1,3}([,' \u00a0\u202f_][0-9]{3})+(\.[0-9]+)?\Z"), "a number with its thousands apart"),
    (re.compile(r"[+-]?[0-9]+([.,][0-9]+)? ?%\Z"), "a percentage"),
    (re.compile(r"[+-]?[$€£¥] ?[0-9][0-9.,]*\Z|[+-]?[0-9][0-9.,]* ?[$€£¥]\Z"), "an amount with its currency"),
    (re.compile(r"\s+[+-]?[0-9.]+\Z|[+-]?[0-9.]+\s+\Z"), "a number with blanks around it"),
)  # fmt: skip
"""How numbers are spelt that are not plain ones."""

_DAY = re.compile(r"([0-9]{1,2})([/.-])([0-9]{1,2})\2([0-9]{4}|[0-9]{2})(?![0-9])")
_YEAR_FIRST = re.compile(
    r"[0-9]{4}([/.])[0-9]{1,2}\1[0-9]{1,2}(?![0-9])|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?![0-9])"
)
_ISO = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})([T ][0-9]{2}:[0-9]{2}.*)?\Z", re.DOTALL)
_MONTH = r"(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*\.?"
_NAMED = re.compile(
    rf"[0-9]{{1,2}}[ -]{_MONTH},?[ -][0-9]{{2,4}}|{_MONTH} [0-9]{{1,2}},? [0-9]{{4}}", re.IGNORECASE
)
_TIME = re.compile(r"([ T]+[0-9]{1,2}:[0-9]{2}.*)?\Z", re.DOTALL)


def spelling(text: str) -> str | None:
    """
    Args:
        text: a value that is no plain number, ISO date or ISO time.
    Returns: what it seems to be, and what to write instead; None where it seems to be none of these.
    """
    return number_spelling(text) or date_spelling(text)


def number_spelling(text: str) -> str | None:
    """As `spelling`, of numbers."""
    found = next((kind for pattern, kind in _NUMBERS if pattern.match(text)), None)
    return None if found is None else f"{found}: write it as 1234.5"


def date_spelling(text: str) -> str | None:
    """As `spelling`, of dates and times: whether the day or the month comes first is never guessed."""
    kind = _date(text)
    return None if kind is None else f"{kind}: write it as 2013-10-19 or 2013-10-19T08:00:00"


def _date(text: str) -> str | None:
    if found := _DAY.match(text):
        if not _TIME.match(text, found.end()):
            return None
        first, mark, second, year = int(found[1]), found[2], int(found[3]), found[4]
        if not (0 < min(first, second) and max(first, second) <= 31 and min(first, second) <= 12):
            return None
        day, month, end = "day", "month", "year" if len(year) == 4 else "year of two digits"
        if first > 12:
            return f"a date as {day}{mark}{month}{mark}{end}"
        if second > 12:
            return f"a date as {month}{mark}{day}{mark}{end}"
        return f"a date as {day}{mark}{month}{mark}{end} or as {month}{mark}{day}{mark}{end}"
    if found := _ISO.match(text):
        return _not_iso(found)
    for pattern, kind in (
        (_YEAR_FIRST, "a date that isn't ISO 8601"),
        (_NAMED, "a date with its month's name"),
    ):
        if (found := pattern.match(text)) and _TIME.match(text, found.end()):
            return kind
    return None


def _not_iso(found: re.Match[str]) -> str | None:
    """What is wrong with a date of the right form, if anything is."""
    try:
        dt.date.fromisoformat(found[1])
    except ValueError:
        return "a day that is not in the calendar"
    try:
        dt.datetime.fromisoformat(found[0])
    except ValueError:
        return "a time that isn't ISO 8601"
    return None
