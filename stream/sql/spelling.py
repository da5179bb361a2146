"""Dates and times of a query's rows in text, spelled as by every other door (`stream.types`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from stream.sql.quoting import quoted_name, quoted_text

if TYPE_CHECKING:
    from duckdb.sqltypes import DuckDBPyType

__all__ = ["spelled_columns"]

_SECONDS = "%Y-%m-%dT%H:%M:%S"
_FORMS = {
    "timestamp_s": f"strftime({{}}, '{_SECONDS}')",
    "timestamp_ms": f"strftime({{}}, '{_SECONDS}.%g')",
    "timestamp": f"strftime({{}}, '{_SECONDS}.%f')",
    "timestamp_ns": f"strftime({{}}, '{_SECONDS}.%n')",
    "timestamp with time zone": f"strftime({{}} AT TIME ZONE 'UTC', '{_SECONDS}.%fZ')",
    "time": "strftime(DATE '2000-01-01' + {}, '%H:%M:%S.%f')",
}
"""The text of DuckDB's types: digits by the unit, Z where it is an instant."""

_FINITE = "CASE WHEN isfinite({}) THEN {} END"
"""JSON has neither NaN nor infinity."""


def spelled_columns(columns: Mapping[str, tuple[str, DuckDBPyType]], *, json: bool) -> str | None:
    """
    Write a selection for a file of texts.

    Args:
        columns: by the expression of a column, its name and type.
        json: whether the file is JSON.
    Returns: the same columns for a SELECT: times as texts, within lists, structs and maps too; for JSON, numbers that
        it has not as null. None where nothing is to be changed.
    """
    written = {value: _text(value, kind, json) for value, (_, kind) in columns.items()}
    if all(value == text for value, text in written.items()):
        return None
    return ", ".join(f"{text} AS {quoted_name(columns[value][0])}" for value, text in written.items())


def _text(value: str, kind: DuckDBPyType, json: bool, depth: int = 0) -> str:
    """An expression's text; the expression itself where nothing is to be changed."""
    if kind.id in _FORMS:
        return _FORMS[kind.id].format(value)
    if json and kind.id in ("float", "double"):
        return _FINITE.format(value, value)
    if kind.id == "struct":
        return _struct(value, kind, json, depth)
    if kind.id in ("list", "array"):
        return _list(value, _inner(kind)[0][1], json, depth)
    if kind.id == "map":
        items = _list(f"map_values({value})", dict(_inner(kind))["value"], json, depth)
        return value if items == f"map_values({value})" else f"map(map_keys({value}), {items})"
    return value


def _struct(value: str, kind: DuckDBPyType, json: bool, depth: int) -> str:
    parts = {name: f"struct_extract({value}, {quoted_text(name)})" for name, _ in _inner(kind)}
    texts = {name: _text(parts[name], inner, json, depth) for name, inner in _inner(kind)}
    if texts == parts:
        return value
    packed = ", ".join(f"{quoted_name(name)} := {text}" for name, text in texts.items())
    return f"CASE WHEN {value} IS NOT NULL THEN struct_pack({packed}) END"


def _list(value: str, item: DuckDBPyType, json: bool, depth: int) -> str:
    each = f"e{depth}"
    text = _text(each, item, json, depth + 1)
    return value if text == each else f"list_transform({value}, lambda {each}: {text})"


def _inner(kind: DuckDBPyType) -> list[tuple[str, DuckDBPyType]]:
    """The parts of a nested type; an array's size is not one."""
    return [(name, inner) for name, inner in kind.children if not isinstance(inner, int | list)]
