"""Single foreign values (of a file, a query, a request) → values of an Avro type, or why not."""

from __future__ import annotations

import datetime as dt
import decimal
import json
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from stream.codec.nodes import Array, Enum, Fixed, Map, Node, Primitive, Record, Union, is_null, strip_null
from stream.table import cells
from stream.types import Misfit

__all__ = ["Read", "expected_of", "reader_of", "shown"]

Read: TypeAlias = Callable[[Any], Any]
"""From a foreign value to the Avro type's; raises Misfit."""

Records: TypeAlias = Callable[..., Callable[[dict[str, Any]], dict[str, Any]]]
"""Makes the reader of a record."""

_RANGES = {"int": 2**31, "long": 2**63}


def reader_of(node: Node, text: bool, records: Records) -> Read:
    """
    The function that reads values of a type.

    Args:
        node: the Avro type.
        text: whether texts stand for numbers, dates … (csv).
        records: makes the readers of nested records; called when the first value comes, so that a record may
            contain itself.
    Returns: it.
    """
    bare, nullable = strip_null(node)
    read = _several(bare, text, records) if isinstance(bare, Union) else _single(bare, text, records)
    expected = expected_of(bare)
    blank = cells.MISSING if text and expected not in ("string", "enum") else frozenset[str]()

    def convert(value: Any) -> Any:
        if value is None or (isinstance(value, str) and value in blank):
            if nullable:
                return None
            raise Misfit(f"expected {expected}, found no value")
        if value != value and nullable and expected not in ("float", "double"):
            return None  # pandas' NaN or NaT where a value is missing
        return read(value)

    return convert


def _several(union: Union, text: bool, records: Records) -> Read:
    """The first branch that takes the value."""
    readers = [_single(branch, text, records) for branch in union.branches if not is_null(branch)]

    def convert(value: Any) -> Any:
        for read in readers:
            try:
                return read(value)
            except Misfit:
                continue
        raise _misfit("one of the union's types", value)

    return convert


def _single(node: Node, text: bool, records: Records) -> Read:
    match node:
        case Primitive():
            return _primitive(node, text)
        case Enum():
            return lambda value: _enum(node, value)
        case Fixed():
            return lambda value: _fixed(node, value)
        case Array():
            return _array(reader_of(node.items, False, records), text)
        case Map():
            return _map(reader_of(node.values, False, records))
        case Record():
            return _record(node, text, records)
        case Union():
            return _several(node, text, records)


def _record(node: Record, text: bool, records: Records) -> Read:
    made: list[Callable[[dict[str, Any]], dict[str, Any]]] = []

    def convert(value: Any) -> Any:
        if not isinstance(value, dict):
            raise _misfit("an object", value)
        if not made:
            made.append(records(node, text=text))
        return made[0](value)

    return convert


def _array(read: Read, text: bool) -> Read:
    def convert(value: Any) -> Any:
        if text and isinstance(value, str):
            try:
                value = json.loads(value)
            except ValueError:
                raise _misfit("a JSON list", value) from None
        if not isinstance(value, list | tuple):
            raise _misfit("a list", value)
        return [read(item) for item in value]

    return convert


def _map(read: Read) -> Read:
    def convert(value: Any) -> Any:
        # Arrow gives a map as a list of pairs.
        pairs = dict(value) if isinstance(value, list) else value
        if not isinstance(pairs, dict):
            raise _misfit("an object", value)
        return {str(key): read(item) for key, item in pairs.items()}

    return convert


def _primitive(node: Primitive, text: bool) -> Read:
    if node.logical is not None and node.logical in _LOGICAL:
        logical, read = node.logical, _LOGICAL[node.logical]
        return lambda value: _checked(read(value, text), logical, value)
    match node.type:
        case "int" | "long":
            return lambda value: _whole(node.type, value, text)
        case "float":
            return lambda value: _rounded(_checked(_number(value, text), node.type, value))
        case "double":
            return lambda value: _checked(_number(value, text), node.type, value)
        case "boolean":
            return lambda value: _checked(_boolean(value, text), "boolean", value)
        case "string":
            return lambda value: _checked(value if isinstance(value, str) else None, "string", value)
        case _:
            return lambda value: _checked(_bytes(value), node.type, value)


def _whole(kind: str, value: Any, text: bool) -> int:
    if text and isinstance(value, str):
        found = cells.whole(value)
        number = cells.number(value) if found is None else None
        value = number if number is not None else found if found is not None else value
    if isinstance(value, float | decimal.Decimal) and value == value and value % 1 == 0:
        value = int(value)
    if type(value) is not int:
        raise _misfit(kind, value)
    if not -_RANGES[kind] <= value < _RANGES[kind]:
        raise Misfit(f"{value} is out of range for {kind}", reason="value_out_of_range")
    return value


def _number(value: Any, text: bool) -> float | None:
    if text and isinstance(value, str):
        return cells.number(value)
    if not isinstance(value, int | float | decimal.Decimal) or type(value) is bool:
        return None
    try:
        return float(value)
    except OverflowError:
        raise Misfit(f"{str(value)[:60]} is out of range for double", reason="value_out_of_range") from None


def _rounded(value: float) -> float:
    """A float's own value; one too large for it would become infinite without a word."""
    with np.errstate(over="ignore"):
        single = float(np.float32(value))
    if abs(single) == float("inf") and abs(value) != float("inf"):
        raise Misfit(f"{value} is out of range for float", reason="value_out_of_range")
    return single


def _boolean(value: Any, text: bool) -> bool | None:
    if text and isinstance(value, str):
        return {"1": True, "0": False}.get(value, cells.boolean(value))
    return value if isinstance(value, bool) else None


def _bytes(value: Any) -> bytes | None:
    """JSON has no bytes: Avro writes them as text, a character per byte."""
    if isinstance(value, str) and all(ord(letter) < 256 for letter in value):
        return value.encode("latin-1")
    return value if isinstance(value, bytes) else None


def _enum(node: Enum, value: Any) -> str:
    if value not in node.symbols:
        raise _misfit(f"one of {', '.join(node.symbols[:10])}", value)
    return str(value)


def _fixed(node: Fixed, value: Any) -> bytes:
    content = _bytes(value)
    if content is None or len(content) != node.size_bytes:
        raise _misfit(f"{node.size_bytes} bytes", value)
    return content


def _date(value: Any, text: bool) -> object:
    if isinstance(value, dt.datetime):
        return value.date()
    if isinstance(value, str):
        found = cells.date(value)
        return found if found is not None else cells.whole(value) if text else None
    return value if isinstance(value, dt.date) or type(value) is int else None


def _moment(value: Any, text: bool) -> object:
    """A time in UTC; a bare number counts in the type's own unit since 1970."""
    if isinstance(value, str):
        found = cells.moment(value)
        if found is None and (day := cells.date(value)) is not None:
            found = dt.datetime(day.year, day.month, day.day, tzinfo=dt.UTC)
        return found if found is not None else cells.whole(value) if text else None
    if isinstance(value, dt.datetime):
        plain = value.to_pydatetime(warn=False) if hasattr(value, "to_pydatetime") else value
        return plain.replace(tzinfo=dt.UTC) if plain.tzinfo is None else plain.astimezone(dt.UTC)
    return value if type(value) is int else None


def _local(value: Any, text: bool) -> object:
    moment = _moment(value, text)
    return moment.replace(tzinfo=None) if isinstance(moment, dt.datetime) else moment


_LOGICAL: dict[str, Callable[[Any, bool], object]] = {
    "date": _date,
    "timestamp-millis": _moment,
    "timestamp-micros": _moment,
    "local-timestamp-millis": _local,
    "local-timestamp-micros": _local,
}


def _checked(found: Any, expected: str, value: Any) -> Any:
    if found is None:
        raise _misfit(expected, value)
    return found


def _misfit(expected: str, value: Any) -> Misfit:
    return Misfit(f"expected {expected}, found {shown(value)}")


def shown(value: Any) -> str:
    """A value for a message: a text in quotes, all else as JSON writes it, at most 60 characters."""
    if isinstance(value, str):
        return repr(value[:60])
    return json.dumps(value, default=str, ensure_ascii=False, skipkeys=True)[:60]


def expected_of(node: Node) -> str:
    """What a message says was expected: a type's name, null taken off."""
    if isinstance(node, Primitive):
        return node.logical or node.type
    return type(node).__name__.lower()
