"""
The table of types. A new type is a row here; no door knows it by name.

Source: Avro 1.12 specification, "Schema Declaration" and "Logical Types".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pyarrow as pa

from stream.manifest import FeatureKind
from stream.types.avro_type import AvroType
from stream.types.binaries import Binary
from stream.types.booleans import Boolean, Null
from stream.types.containers import List
from stream.types.dates import Date, Timestamp
from stream.types.numbers import FloatingPoint, Integer
from stream.types.texts import Enumeration, String, Uuid
from stream.types.type_facts import ForeignNames

__all__ = ["CELL_TYPES", "TYPES", "array_of", "enum_of", "fixed_of", "type_called", "type_for", "type_of"]

_TEXT = ForeignNames("BYTES", "VARCHAR", "STRING", "STRING")
_BYTES = ForeignNames("BYTES", "BLOB", "BINARY", "BYTES")
_INT = ForeignNames("INT32", "INTEGER", "INT", "INT64")
_LONG = ForeignNames("INT64", "BIGINT", "BIGINT", "INT64")
_TIMESTAMP = {
    "ms": ForeignNames("BYTES", "TIMESTAMP_MS", "TIMESTAMP", "TIMESTAMP"),
    "us": ForeignNames("BYTES", "TIMESTAMP", "TIMESTAMP", "TIMESTAMP"),
    "ns": ForeignNames("BYTES", "TIMESTAMP_NS", "TIMESTAMP", "TIMESTAMP"),
}


def _whole(name: str, kind: str, model: FeatureKind | None = None) -> Integer:
    bits, arrow = (32, pa.int32()) if kind == "int" else (64, pa.int64())
    known = _INT if kind == "int" else _LONG
    # A time of day is carried as its bare number.
    foreign = known if model else replace(known, tensor="BYTES")
    return Integer(name=name, kind=kind, storage=arrow, arrow=arrow, model=model, foreign=foreign, bits=bits)


def _real(name: str, arrow: pa.DataType, foreign: ForeignNames) -> FloatingPoint:
    return FloatingPoint(name=name, kind=name, storage=arrow, arrow=arrow, model="number", foreign=foreign)


def _timestamp(name: str, unit: str, model: FeatureKind | None) -> Timestamp:
    local = name.startswith("local-")
    known = _TIMESTAMP[unit]
    foreign = replace(known, spark="TIMESTAMP_NTZ", bigquery="DATETIME") if local else known
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
    Null(name="null", kind="null", storage=pa.null(), arrow=pa.null(), model=None, foreign=_TEXT),
    Boolean(name="boolean", kind="boolean", storage=pa.bool_(), arrow=pa.bool_(), model="number",
            foreign=ForeignNames("BOOL", "BOOLEAN", "BOOLEAN", "BOOL")),
    _whole("int", "int", "number"),
    _whole("long", "long", "number"),
    _real("float", pa.float32(), ForeignNames("FP32", "FLOAT", "FLOAT", "FLOAT64")),
    _real("double", pa.float64(), ForeignNames("FP64", "DOUBLE", "DOUBLE", "FLOAT64")),
    _STRING,
    _UUID,
    _octets("bytes"),
    _octets("decimal"),
    Date(name="date", kind="int", storage=pa.int32(), arrow=pa.date32(), model="datetime",
         foreign=ForeignNames("BYTES", "DATE", "DATE", "DATE")),
    _whole("time-millis", "int"),
    _whole("time-micros", "long"),
    _timestamp("timestamp-millis", "ms", "datetime"),
    _timestamp("timestamp-micros", "us", "datetime"),
    _timestamp("timestamp-nanos", "ns", None),
    _timestamp("local-timestamp-millis", "ms", "datetime"),
    _timestamp("local-timestamp-micros", "us", "datetime"),
    _timestamp("local-timestamp-nanos", "ns", None),
)  # fmt: skip
"""Every type that has no parameters of its own (`enum_of`, `fixed_of`, `array_of` make the others)."""

_BY_KIND: Mapping[tuple[str, str], AvroType] = {(one.kind, one.name): one for one in TYPES}
_FIXED = frozenset({"decimal", "uuid", "duration"})
_BY_NAME: Mapping[str, AvroType] = {one.name: one for one in (*TYPES, _ENUM)}


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
    """Bytes of one length: a fixed, or the logical type on one."""
    return _octets(logical if logical in _FIXED else "fixed", "fixed", size_bytes)


def array_of(item: AvroType, *, nullable: bool = False) -> AvroType:
    """An array of a type, whose items may be null or not."""
    return List(name="array", kind="array", storage=pa.list_(item.storage), arrow=pa.list_(item.arrow), model=None,
                foreign=_listed(item.foreign), item=item, item_nullable=nullable)  # fmt: skip


def type_called(full_name: str) -> AvroType:
    """
    A type by the name that a manifest has.

    Args:
        full_name: `double`, `enum`, `array<float>` …; of an enum the symbols are not known.
    Raises: KeyError when no model takes a type of this name.
    """
    item = full_name.removeprefix("array<").removesuffix(">")
    found = _BY_NAME[item]
    return found if item == full_name else array_of(found, nullable=True)


def type_for(kind: pa.DataType) -> AvroType | None:
    """
    The type of a foreign column, where no schema says what it is.

    Args:
        kind: of Arrow.
    Returns: the first that takes it for its own; None where none does, or it is a struct, a list or a dictionary.
    """
    return next((one for one in TYPES if one.infers(kind)), None)


def _listed(item: ForeignNames) -> ForeignNames:
    return ForeignNames(item.tensor, f"{item.duckdb}[]", f"ARRAY<{item.spark}>", f"ARRAY<{item.bigquery}>")
