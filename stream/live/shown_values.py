"""Values of records as the page has them: numbers short, everything else a short text of visible characters."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import TypeAlias

from stream.shown import VALUE_CHARS, shown

__all__ = ["Short", "key_shown", "short", "short_fields"]

Short: TypeAlias = str | float | bool | None

FIELDS = 12
"""Of a record at most."""

DIGITS = 6


def short(value: object) -> Short:
    """
    Args:
        value: of a field, as JSON has it.
    Returns: a number of `DIGITS` digits, a boolean, None or a text; a number that the page can't hold is a text, too.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if abs(value) < 2**53 else str(value)
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else str(value)
    if isinstance(value, list | dict):
        value = json.dumps(_short_floats(value), ensure_ascii=False, default=str)
    return shown(value, VALUE_CHARS)


def _short_floats(value: object) -> object:
    if isinstance(value, float):
        return short(value)
    if isinstance(value, list):
        return [_short_floats(each) for each in value[:VALUE_CHARS]]
    if isinstance(value, dict):
        return {name: _short_floats(each) for name, each in list(value.items())[:VALUE_CHARS]}
    return value


def short_fields(values: Mapping[str, object]) -> dict[str, Short]:
    """The first `FIELDS` fields of a record, each short."""
    return {shown(name, VALUE_CHARS): short(value) for name, value in list(values.items())[:FIELDS]}


def key_shown(key: bytes | None) -> str | None:
    """A record's key as text, what is none as its bytes; None = there is none."""
    if key is None:
        return None
    try:
        return shown(key[: 4 * VALUE_CHARS].decode(), VALUE_CHARS)
    except UnicodeDecodeError:
        return f"0x{key[: VALUE_CHARS // 2].hex()}"
