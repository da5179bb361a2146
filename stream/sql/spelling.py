"""A query's values in text, spelled as by every other door (`stream.types`, docs/types.md)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from stream.sql.quoting import quoted_name, quoted_text
from stream.types import AvroType, Choice, Nested

if TYPE_CHECKING:
    from duckdb.sqltypes import DuckDBPyType

__all__ = ["Spelling", "spelled_columns"]

_SECONDS = "%Y-%m-%dT%H:%M:%S"
_FRACTIONS = {"s": "", "ms": ".%g", "us": ".%f", "ns": ".%n"}
_COUNTS = {"s": "epoch({})::BIGINT", "ms": "epoch_ms({})", "us": "epoch_us({})"}

_UNITS = {
    "timestamp_s": ("s", ""), "timestamp_ms": ("ms", ""), "timestamp": ("us", ""), "timestamp_ns": ("ns", ""),
    "timestamp with time zone": ("us", "Z"), "timestamptz_ns": ("ns", "Z"),
}  # fmt: skip
"""DuckDB's types: the digits of their text are by the unit; Z where it is an instant."""

_YEARS = "{} BETWEEN '0001-01-01' AND '9999-12-31 23:59:59.999999'"
_DAYS = "{} BETWEEN '0001-01-01' AND '9999-12-31'"

_BYTES = (
    "array_to_string(list_transform(range(1, octet_length({0}) + 1), "
    "lambda b{1}: chr(('0x' || substr(hex({0}), 2 * b{1} - 1, 2))::INTEGER)), '')"
)
"""A character per byte; DuckDB's own texts of bytes are escaped, or must be UTF-8."""

_FORMS = {
    "time": "strftime(DATE '2000-01-01' + {}, '%H:%M:%S.%f')",
    "time_ms": "strftime(DATE '2000-01-01' + {}, '%H:%M:%S.%g')",
    "time_ns": "rpad({0}::VARCHAR || CASE WHEN contains({0}::VARCHAR, '.') THEN '' ELSE '.' END, 18, '0')",
    "decimal": "{}::VARCHAR",
}

_FINITE = "CASE WHEN isfinite({}) THEN {} END"
"""JSON has neither NaN nor infinity."""

_NESTED = frozenset({"struct", "list", "array", "map", "union"})


@dataclass(frozen=True, slots=True)
class Spelling:
    """
    How texts are written.

    Attributes:
        json: whether the file is JSON; in a csv what is nested is JSON, too.
        answer: DuckDB's name for the type of `predict`.
        types: of its fields: DuckDB has no times and instants of milliseconds, whose texts have fewer digits.
    """

    json: bool
    answer: str = ""
    types: Mapping[str, AvroType] = field(default_factory=dict)


def spelled_columns(columns: Mapping[str, tuple[str, DuckDBPyType]], spelling: Spelling) -> str | None:
    """
    Write a selection for a file of texts.

    Args:
        columns: by the expression of a column, its name and type.
        spelling: for which file.
    Returns: the same columns for a SELECT: times, decimals and bytes as texts, within lists, structs and maps too; for
        JSON, numbers that it has not as null. None where nothing is to be changed.
    """
    written = {value: _column(value, kind, spelling) for value, (_, kind) in columns.items()}
    if all(value == text for value, text in written.items()):
        return None
    return ", ".join(f"{text} AS {quoted_name(columns[value][0])}" for value, text in written.items())


def _column(value: str, kind: DuckDBPyType, spelling: Spelling) -> str:
    if spelling.json or kind.id not in _NESTED:
        return _text(value, kind, spelling)
    text = _text(value, kind, replace(spelling, json=True))
    return f"CASE WHEN {value} IS NOT NULL THEN to_json({text})::VARCHAR END"


def _text(
    value: str, kind: DuckDBPyType, spelling: Spelling, depth: int = 0, own: AvroType | None = None
) -> str:
    """An expression's text; the expression itself where nothing is to be changed."""
    if kind.id in _UNITS or kind.id == "date":
        return _moment(value, kind.id, spelling, own)
    if kind.id == "blob":
        return _BYTES.format(value, depth)
    if kind.id in _FORMS:
        return _FORMS[f"{kind.id}_ms" if _in_millis(own) else kind.id].format(value)
    if spelling.json and kind.id in ("float", "double"):
        return _FINITE.format(value, value)
    within = _WITHIN.get(kind.id)
    return value if within is None else within(value, kind, spelling, depth, own)


def _in_millis(own: AvroType | None) -> bool:
    return own is not None and own.text_unit == "ms"


def _moment(value: str, kind: str, spelling: Spelling, own: AvroType | None) -> str:
    """ISO 8601; beyond the calendar the bare number."""
    if kind == "date":
        within, text, count = _DAYS.format(value), f"{value}::VARCHAR", f"({value} - DATE '1970-01-01')"
    else:
        unit, zone = _UNITS[kind]
        unit = "ms" if _in_millis(own) else unit
        clock = f"({value} AT TIME ZONE 'UTC')" if zone else value
        # DuckDB garbles what stands behind %n.
        text = f"strftime({clock}, '{_SECONDS}{_FRACTIONS[unit]}') || '{zone}'"
        if unit == "ns":
            return text
        within, count = _YEARS.format(clock), _COUNTS[unit].format(value)
    told = "to_json({})" if spelling.json else "({})::VARCHAR"
    return f"CASE WHEN {within} THEN {told.format(text)} WHEN isfinite({value}) THEN {told.format(count)} END"


def _struct(value: str, kind: DuckDBPyType, spelling: Spelling, depth: int, own: AvroType | None) -> str:
    members = _inner(kind)
    types = _types(own, len(members))
    if own is None and str(kind) == spelling.answer:
        types = [spelling.types.get(name) for name, _ in members]
    parts = {name: f"struct_extract({value}, {quoted_text(name)})" for name, _ in members}
    texts = {
        name: _text(parts[name], inner, spelling, depth, each)
        for (name, inner), each in zip(members, types, strict=True)
    }
    if isinstance(own, Choice) and spelling.json:
        cases = [f"WHEN {parts[name]} IS NOT NULL THEN {_object(name, text)}" for name, text in texts.items()]
        return f"CASE {' '.join(cases)} END"
    if texts == parts:
        return value
    packed = ", ".join(f"{quoted_name(name)} := {text}" for name, text in texts.items())
    return f"CASE WHEN {value} IS NOT NULL THEN struct_pack({packed}) END"


def _object(name: str, text: str) -> str:
    """An object with one member."""
    return f"to_json(struct_pack({quoted_name(name)} := {text}))"


def _types(own: AvroType | None, count: int) -> Sequence[AvroType | None]:
    """Of the parts of a value that is the model's."""
    return own.parts if isinstance(own, Nested) else [None] * count


def _map(value: str, kind: DuckDBPyType, spelling: Spelling, depth: int, own: AvroType | None) -> str:
    inner = dict(_inner(kind))
    keys, values = f"map_keys({value})", f"map_values({value})"
    named = _list(keys, inner["key"], replace(spelling, json=False), depth)
    written = _list(values, inner["value"], spelling, depth, _types(own, 1)[0])
    return value if (named, written) == (keys, values) else f"map({named}, {written})"


def _union(value: str, kind: DuckDBPyType, spelling: Spelling, depth: int, _: AvroType | None) -> str:
    """An object with the member that it holds, as DuckDB's own JSON has it."""
    members = [(name, inner) for name, inner in _inner(kind) if name]
    parts = {name: f"union_extract({value}, {quoted_text(name)})" for name, _ in members}
    texts = {name: _text(parts[name], inner, spelling, depth) for name, inner in members}
    if texts == parts or not spelling.json:
        return value
    cases = " ".join(f"WHEN {quoted_text(name)} THEN {_object(name, text)}" for name, text in texts.items())
    return f"CASE union_tag({value})::VARCHAR {cases} END"


def _array(value: str, kind: DuckDBPyType, spelling: Spelling, depth: int, own: AvroType | None) -> str:
    return _list(value, _inner(kind)[0][1], spelling, depth, _types(own, 1)[0])


def _list(value: str, item: DuckDBPyType, spelling: Spelling, depth: int, own: AvroType | None = None) -> str:
    each = f"e{depth}"
    text = _text(each, item, spelling, depth + 1, own)
    return value if text == each else f"list_transform({value}, lambda {each}: {text})"


def _inner(kind: DuckDBPyType) -> list[tuple[str, DuckDBPyType]]:
    """The parts of a nested type; an array's size is not one."""
    return [(name, inner) for name, inner in kind.children if not isinstance(inner, int | list)]


_WITHIN = {"struct": _struct, "union": _union, "map": _map, "list": _array, "array": _array}
