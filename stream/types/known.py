"""
The table of types. A new type is a row here; no door knows it by name.

Source: Avro 1.12 specification, "Schema Declaration" and "Logical Types".
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pyarrow as pa

from stream.manifest import FeatureKind
from stream.types.avro_type import AvroType
from stream.types.binaries import Binary, Duration
from stream.types.booleans import Boolean, Null
from stream.types.containers import List
from stream.types.dates import Date
from stream.types.decimals import MAX_DIGITS, QUERY_DIGITS, Decimal
from stream.types.maps import MapOf
from stream.types.numbers import FloatingPoint, Integer
from stream.types.structs import Member, Struct
from stream.types.texts import Enumeration, String, Uuid
from stream.types.times import TimeOfDay
from stream.types.timestamps import Timestamp
from stream.types.type_facts import ForeignNames
from stream.types.unions import Choice

__all__ = [
    "CELL_TYPES", "TYPES", "array_of", "choice_of", "decimal_of", "enum_of", "fixed_of", "map_of", "struct_of",
    "type_called", "type_for", "type_for_mlflow", "type_of",
]  # fmt: skip

_TEXT = ForeignNames("BYTES", "VARCHAR", "STRING", "STRING", "string")
_BYTES = ForeignNames("BYTES", "BLOB", "BINARY", "BYTES", "binary")
_INT = ForeignNames("INT32", "INTEGER", "INT", "INT64", "long")
_LONG = ForeignNames("INT64", "BIGINT", "BIGINT", "INT64", "long")
_TIME = ForeignNames("BYTES", "TIME", "STRING", "TIME", "string")
_TIMESTAMP = {
    "ms": ForeignNames("BYTES", "TIMESTAMPTZ", "TIMESTAMP", "TIMESTAMP", "any"),
    "us": ForeignNames("BYTES", "TIMESTAMPTZ", "TIMESTAMP", "TIMESTAMP", "any"),
    "ns": ForeignNames("BYTES", "TIMESTAMPTZ_NS", "STRING", "TIMESTAMP", "any"),
}
_LOCAL = {
    "ms": ("TIMESTAMP_MS", "TIMESTAMP_NTZ"),
    "us": ("TIMESTAMP", "TIMESTAMP_NTZ"),
    "ns": ("TIMESTAMP_NS", "STRING"),
}


def _whole(kind: str) -> Integer:
    bits, arrow, foreign = (32, pa.int32(), _INT) if kind == "int" else (64, pa.int64(), _LONG)
    return Integer(
        name=kind, kind=kind, storage=arrow, arrow=arrow, model="number", foreign=foreign, bits=bits
    )


def _time(name: str, kind: str, unit: str) -> TimeOfDay:
    storage, arrow = (pa.int32(), pa.time32("ms")) if unit == "ms" else (pa.int64(), pa.time64("us"))
    return TimeOfDay(name=name, kind=kind, storage=storage, arrow=arrow, model=None, foreign=_TIME, unit=unit)


def _real(name: str, arrow: pa.DataType, foreign: ForeignNames) -> FloatingPoint:
    return FloatingPoint(name=name, kind=name, storage=arrow, arrow=arrow, model="number", foreign=foreign)


def _timestamp(name: str, unit: str, model: FeatureKind | None) -> Timestamp:
    local = name.startswith("local-")
    foreign = ForeignNames("BYTES", *_LOCAL[unit], "DATETIME", "datetime") if local else _TIMESTAMP[unit]
    return Timestamp(name=name, kind="long", storage=pa.int64(), arrow=pa.timestamp(unit), model=model,
                   foreign=foreign, unit=unit, local=local)  # fmt: skip


def _octets(name: str, kind: str = "bytes", size_bytes: int | None = None) -> Binary:
    return Binary(name=name, kind=kind, storage=pa.binary(), arrow=pa.binary(), model=None, foreign=_BYTES,
                  size_bytes=size_bytes)  # fmt: skip


_STRING = String(
    name="string", kind="string", storage=pa.string(), arrow=pa.string(), model="text", foreign=_TEXT
)
_UUID = Uuid(name="uuid", kind="string", storage=pa.string(), arrow=pa.string(), model="text", foreign=_TEXT)
_ENUM = Enumeration(
    name="enum", kind="enum", storage=pa.string(), arrow=pa.string(), model="text", foreign=_TEXT
)

TYPES: Sequence[AvroType] = (
    Null(name="null", kind="null", storage=pa.null(), arrow=pa.null(), model=None,
         foreign=replace(_TEXT, mlflow="any")),
    Boolean(name="boolean", kind="boolean", storage=pa.bool_(), arrow=pa.bool_(), model="number",
            foreign=ForeignNames("BOOL", "BOOLEAN", "BOOLEAN", "BOOL", "boolean")),
    _whole("int"),
    _whole("long"),
    _real("float", pa.float32(), ForeignNames("FP32", "FLOAT", "FLOAT", "FLOAT64", "double")),
    _real("double", pa.float64(), ForeignNames("FP64", "DOUBLE", "DOUBLE", "FLOAT64", "double")),
    _STRING,
    _UUID,
    _octets("bytes"),
    Date(name="date", kind="int", storage=pa.int32(), arrow=pa.date32(), model="datetime",
         foreign=ForeignNames("BYTES", "DATE", "DATE", "DATE", "datetime")),
    _time("time-millis", "int", "ms"),
    _time("time-micros", "long", "us"),
    _timestamp("timestamp-millis", "ms", "datetime"),
    _timestamp("timestamp-micros", "us", "datetime"),
    _timestamp("timestamp-nanos", "ns", None),
    _timestamp("local-timestamp-millis", "ms", "datetime"),
    _timestamp("local-timestamp-micros", "us", "datetime"),
    _timestamp("local-timestamp-nanos", "ns", None),
)  # fmt: skip
"""Every type that has no parameters of its own (`decimal_of`, `enum_of`, `fixed_of` and `array_of` make the others)."""

_BY_KIND: Mapping[tuple[str, str], AvroType] = {(one.kind, one.name): one for one in TYPES}
_FIXED_BYTES = {"uuid": 16, "duration": 12}
_DECIMAL = re.compile(r"decimal\(([0-9]+),([0-9]+)\)\Z")
_BY_NAME: Mapping[str, AvroType] = {one.name: one for one in (*TYPES, _ENUM)}
_OF_MLFLOW = {
    "boolean": "boolean", "integer": "int", "long": "long", "float": "float", "double": "double", "string": "string",
    "binary": "bytes", "datetime": "local-timestamp-micros",
}  # fmt: skip
"""The scalar types of MLflow's signatures; its `datetime` has no zone."""


def type_of(kind: str, logical: str | None = None) -> AvroType:
    """
    A type of the table.

    Args:
        kind: of Avro: `int`, `string` …
        logical: the logical type; on a type that it is not made for it means nothing.
    """
    return _BY_KIND.get((kind, logical or kind)) or _BY_KIND[kind, kind]


CELL_TYPES: Sequence[AvroType] = (
    type_of("long"),
    type_of("double"),
    type_of("boolean"),
    type_of("int", "date"),
    type_of("long", "timestamp-micros"),
)
"""What a csv's cells are taken for without a schema: the first whose values all of them are."""


def enum_of(symbols: Sequence[str]) -> AvroType:
    """An enum of these symbols."""
    return replace(_ENUM, symbols=tuple(symbols))


def fixed_of(size_bytes: int, logical: str | None = None) -> AvroType:
    """Bytes of one length: a fixed; or `uuid` on 16 of them, `duration` on 12."""
    if logical is None or _FIXED_BYTES.get(logical) != size_bytes:
        return _octets("fixed", "fixed", size_bytes)
    if logical == "uuid":
        return replace(_UUID, kind="fixed", storage=pa.binary(), size_bytes=size_bytes)
    return Duration(name=logical, kind="fixed", storage=pa.binary(), arrow=pa.binary(), model=None, foreign=_BYTES,
                    size_bytes=size_bytes)  # fmt: skip


def decimal_of(precision: int, scale: int, size_bytes: int | None = None) -> AvroType:
    """
    A decimal.

    Args:
        precision: digits at most, ≥ 1; one of more than 76 can't be a column.
        scale: of them behind the point.
        size_bytes: of the fixed that it is on; None on bytes.
    """
    digits = min(precision, MAX_DIGITS)
    fits = precision <= QUERY_DIGITS
    arrow = (pa.decimal128 if fits else pa.decimal256)(digits, min(scale, digits))
    known = f"DECIMAL({precision},{scale})"
    narrow = scale <= 9 and precision - scale <= 29
    foreign = ForeignNames(
        "BYTES", known if fits else "VARCHAR", known if fits else "STRING", "NUMERIC" if narrow else "BIGNUMERIC", "any"
    )  # fmt: skip
    return Decimal(name="decimal", kind="bytes" if size_bytes is None else "fixed", storage=pa.binary(), arrow=arrow,
                   model="number", foreign=foreign, precision=precision, scale=scale,
                   size_bytes=size_bytes)  # fmt: skip


def array_of(item: AvroType, *, nullable: bool = False) -> AvroType:
    """An array of a type, whose items may be null or not."""
    return List(name="array", kind="array", storage=pa.list_(item.storage), arrow=pa.list_(item.arrow), model=None,
                foreign=_listed(item.foreign), item=item, item_nullable=nullable)  # fmt: skip


def map_of(item: AvroType, *, nullable: bool = False) -> AvroType:
    """A map with values of a type, which may be null or not."""
    other = item.foreign
    names = ForeignNames(
        "BYTES",
        f"MAP(VARCHAR, {other.duckdb})",
        f"MAP<STRING, {other.spark}>",
        "JSON",
        f"map of {other.mlflow}",
    )
    return MapOf(name="map", kind="map", storage=pa.map_(pa.string(), item.storage),
                 arrow=pa.map_(pa.string(), item.arrow), model=None, foreign=names, item=item,
                 item_nullable=nullable)  # fmt: skip


def struct_of(record: str, members: Sequence[Member]) -> AvroType:
    """A record in another type, by its full name and its fields, of which there is one at least."""
    parts = [(each.name, each.type) for each in members]
    mlflow = f"object of {', '.join(f'{name}: {kind.foreign.mlflow}' for name, kind in parts)}"
    foreign = replace(_fields(parts), mlflow=mlflow)
    return Struct(name="record", kind="record", model=None, foreign=foreign, record=record, members=tuple(members),
                  storage=pa.struct([(name, kind.storage) for name, kind in parts]),
                  arrow=pa.struct([(name, kind.arrow) for name, kind in parts]))  # fmt: skip


def choice_of(branches: Sequence[tuple[str, AvroType]]) -> AvroType:
    """A union of several types, each with the name that it has in Avro's JSON; null is not among them."""
    return Choice(name="union", kind="union", model=None, foreign=_fields(branches), branches=tuple(branches),
                  storage=pa.struct([(name, kind.storage) for name, kind in branches]),
                  arrow=pa.struct([(name, kind.arrow) for name, kind in branches]))  # fmt: skip


def type_called(full_name: str) -> AvroType:
    """
    A type by the name that a manifest has.

    Args:
        full_name: `double`, `decimal(9,2)`, `enum`, `array<float>` …; of an enum the symbols are not known.
    Raises: KeyError when no model takes a type of this name.
    """
    item = full_name.removeprefix("array<").removesuffix(">")
    digits = _DECIMAL.match(item)
    found = decimal_of(int(digits[1]), int(digits[2])) if digits else _BY_NAME[item]
    return found if item == full_name else array_of(found, nullable=True)


def type_for_mlflow(name: str) -> AvroType:
    """
    The type of an input of MLflow.

    Args:
        name: of one of its scalar types; a `datetime` is one without a zone.
    Raises: KeyError for another.
    """
    return _BY_NAME[_OF_MLFLOW[name]]


def type_for(kind: pa.DataType, *, exact: bool = False) -> AvroType | None:
    """
    The type of a foreign column, where no schema says what it is.

    Args:
        kind: of Arrow.
        exact: whether no digit may be lost: a decimal stays one, of as many digits before the point as engines hold,
            and nanoseconds stay such; else it is what models take: a double, microseconds.
    Returns: the first that takes it for its own; None where none does, or it is a struct, a list or a dictionary.
    """
    if exact and pa.types.is_decimal(kind):
        return decimal_of(QUERY_DIGITS if kind.precision <= QUERY_DIGITS else MAX_DIGITS, max(kind.scale, 0))
    if exact and pa.types.is_timestamp(kind) and kind.unit == "ns":
        return type_of("long", "timestamp-nanos")
    return next((one for one in TYPES if one.infers(kind)), None)


def _fields(parts: Sequence[tuple[str, AvroType]]) -> ForeignNames:
    duckdb = ", ".join(f'"{name}" {kind.foreign.duckdb}' for name, kind in parts)
    spark = ", ".join(f"`{name}`: {kind.foreign.spark}" for name, kind in parts)
    return ForeignNames("BYTES", f"STRUCT({duckdb})", f"STRUCT<{spark}>", "JSON", "any")


def _listed(item: ForeignNames) -> ForeignNames:
    return ForeignNames(
        item.tensor,
        f"{item.duckdb}[]",
        f"ARRAY<{item.spark}>",
        f"ARRAY<{item.bigquery}>",
        f"array of {item.mlflow}",
    )
