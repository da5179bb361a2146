"""The one writer of JSON (RFC 8259) for values of any kind; dates and timestamps as `iso_text` spells them."""

from __future__ import annotations

import datetime as dt
import json
import math
from decimal import Decimal
from typing import Any

from stream.types.known import type_of

__all__ = ["json_text", "plain_object"]


def json_text(value: object, *, indent: int | None = None) -> str:
    """
    Write JSON.

    Args:
        value: of JSON's own kinds, dates, instants and bytes among them; anything else as Python writes it.
        indent: spaces per level; None for one line.
    Returns: the text: NaN and infinity are null, dates and instants are spelled as everywhere, bytes have a
        character each.
    """
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, indent=indent, default=plain_object)
    except ValueError:  # a number that JSON has not: rare enough to look for it then
        return json.dumps(
            _finite(value), ensure_ascii=False, allow_nan=False, indent=indent, default=plain_object
        )


def plain_object(value: object) -> object:
    """
    Args:
        value: of a kind that JSON has not.
    Returns: a date, a time, an instant or a decimal as it is spelled everywhere, bytes with a character each,
        anything else as Python writes it.
    """
    if type(value).__name__ in ("NaTType", "NAType"):
        return None
    if isinstance(value, dt.datetime):
        unit = {"s": "millis", "ms": "millis", "ns": "nanos"}.get(getattr(value, "unit", "us"), "micros")
        zone = "" if value.tzinfo is not None else "local-"
        kind = type_of("long", f"{zone}timestamp-{unit}")
        return kind.json_value(kind.read(value, text=False))
    if isinstance(value, dt.date):
        return type_of("int", "date").json_value(value)
    if isinstance(value, dt.time):
        return type_of("long", "time-micros").json_value(value)
    if isinstance(value, Decimal):
        return format(value, "f") if value.is_finite() else None
    return type_of("bytes").json_value(value) if isinstance(value, bytes) else str(value)


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    return [_finite(one) for one in value] if isinstance(value, list | tuple) else value
