"""
The one reader of JSON (RFC 8259).

Its numbers are never rounded to infinity and never too long to be read. What the RFC leaves open is refused where it
would be a guess: an object's keys come once.
"""

from __future__ import annotations

import decimal
import json
import math
from collections import Counter
from typing import Any

from stream.types.misfit import shown

__all__ = ["LongNumber", "exact_number", "json_decoder", "parse_json"]

_LONG_TEXT = 17
"""Characters of the shortest number with a point that float64 may round."""

_MOST_DIGITS = 4_000
"""Of an integer; Python reads no more than 4,300."""


class LongNumber(float):
    """
    A number with a point or an exponent that float64 rounds: for a decimal or a whole number its text counts.

    Attributes:
        text: as it is written; also what `repr` gives.
    """

    __slots__ = ("text",)

    text: str

    def __new__(cls, text: str) -> LongNumber:
        """
        Args:
            text: of the number.
        """
        made = super().__new__(cls, text)
        made.text = text
        return made

    def __repr__(self) -> str:
        return self.text


def parse_json(text: str | bytes, *, constants: bool = False) -> Any:
    """
    Parse JSON.

    Args:
        text: in UTF-8 where it is bytes.
        constants: whether `NaN`, `Infinity` and `-Infinity` are numbers, as for Python's own writer; JSON has none.
    Returns: dicts, lists, texts, booleans, None; ints and floats, of which one that is rounded is a `LongNumber`; a
        number that is beyond float64's range, or has thousands of digits, as a Decimal.
    Raises: ValueError, RecursionError.
    """
    if isinstance(text, bytes):
        text = text.decode("utf-8-sig")
    return (_LENIENT if constants else _DECODER).decode(text)


def json_decoder() -> json.JSONDecoder:
    """What `parse_json` uses, for JSON that is decoded piece by piece."""
    return json.JSONDecoder(
        parse_constant=_no_constant, parse_int=_whole, parse_float=_real, object_pairs_hook=_object
    )


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON; null is how a missing number is written")


def _whole(text: str) -> int | decimal.Decimal:
    return int(text) if len(text) <= _MOST_DIGITS else decimal.Decimal(text)


def _real(text: str) -> float | decimal.Decimal:
    number = float(text)
    if math.isfinite(number):
        if len(text) < _LONG_TEXT or repr(number) == text:
            return number
        return number if exact_number(text) == decimal.Decimal(repr(number)) else LongNumber(text)
    return exact_number(text)


def exact_number(text: str) -> decimal.Decimal:
    """
    The number that a text is.

    Args:
        text: a finite number as JSON or Python writes it.
    Returns: it; where its exponent has twenty digits, which Python's decimals have not, one that is as far beyond every
        type, or as close to zero.
    """
    try:
        return decimal.Decimal(text)
    except decimal.InvalidOperation:
        digits = text.lower().partition("e")[0].strip()
        if not digits.strip("+-0."):
            return decimal.Decimal(0)
        size = "1E+99999" if math.isinf(float(text)) else "1E-99999"
        return decimal.Decimal(f"-{size}" if digits.startswith("-") else size)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object; which of two values of one key counts would be a guess."""
    found = dict(pairs)
    if len(found) < len(pairs):
        counts = Counter(name for name, _ in pairs)
        twice = next(name for name, count in counts.items() if count > 1)
        raise ValueError(f"an object has the key {shown(twice)} twice")
    return found


_DECODER = json_decoder()
_LENIENT = json.JSONDecoder(parse_int=_whole, parse_float=_real, object_pairs_hook=_object)
