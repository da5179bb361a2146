"""The one reader of JSON (RFC 8259), whose numbers are never rounded to infinity and never too long to be read."""

from __future__ import annotations

import decimal
import json
import math
import re
from typing import Any

__all__ = ["json_decoder", "parse_json"]

_LARGE = re.compile(r"(?<![0-9])[0-9]{300}|[eE]\+?[0-9]{3}")
"""What is in a text that has a number beyond float64's range; it may be in a string as well."""

_MOST_DIGITS = 4_000
"""Of an integer; Python reads no more than 4,300."""


def parse_json(text: str | bytes) -> Any:
    """
    Parse JSON.

    Args:
        text: in UTF-8 where it is bytes.
    Returns: dicts, lists, texts, booleans, None; ints and floats; a number that is beyond float64's range, or has
        thousands of digits, as a Decimal.
    Raises: ValueError, RecursionError.
    """
    if isinstance(text, bytes):
        text = text.decode("utf-8-sig")
    if not _LARGE.search(text):
        return json.loads(text, parse_constant=_no_constant)
    return json.loads(text, parse_constant=_no_constant, parse_int=_whole, parse_float=_real)


def json_decoder() -> json.JSONDecoder:
    """What `parse_json` uses for numbers that may be large, for JSON that is decoded piece by piece."""
    return json.JSONDecoder(parse_constant=_no_constant, parse_int=_whole, parse_float=_real)


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON; null is how a missing number is written")


def _whole(text: str) -> int | decimal.Decimal:
    return int(text) if len(text) <= _MOST_DIGITS else decimal.Decimal(text)


def _real(text: str) -> float | decimal.Decimal:
    number = float(text)
    if math.isfinite(number):
        return number
    try:
        return decimal.Decimal(text)
    except decimal.InvalidOperation:  # an exponent of twenty digits
        return decimal.Decimal("-1E+99999" if text.startswith("-") else "1E+99999")
