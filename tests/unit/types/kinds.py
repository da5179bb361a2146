"""Every type of the table, and one of each that has parameters."""

from __future__ import annotations

import json
from typing import Any

from stream.codec import RecordSchema
from stream.types import TYPES, AvroType, array_of, decimal_of, enum_of, fixed_of, type_of
from stream.types.binaries import Binary
from stream.types.decimals import Decimal
from stream.types.texts import Uuid

__all__ = ["EVERY", "schema_of", "title"]

EVERY: tuple[AvroType, ...] = (
    *(kind for kind in TYPES if kind.kind != "null"),
    enum_of(("red", "green")),
    fixed_of(4),
    fixed_of(16, "uuid"),
    decimal_of(9, 2),
    decimal_of(9, 2, size_bytes=4),
    decimal_of(38, 0),
    decimal_of(50, 50, size_bytes=21),
    array_of(type_of("double"), nullable=True),
    array_of(type_of("int")),
    array_of(type_of("long", "timestamp-millis")),
    array_of(type_of("bytes")),
    array_of(type_of("int", "time-millis")),
    array_of(decimal_of(9, 2), nullable=True),
    array_of(type_of("float")),
)


def title(kind: AvroType) -> str:
    """A test's name for it."""
    return f"{kind.full_name} on {kind.kind}"


def schema_of(kind: AvroType) -> RecordSchema:
    """A record whose field `x` is of a type, or null."""
    fields = [{"name": "x", "type": ["null", avro(kind)], "default": None}]
    return RecordSchema(json.dumps({"type": "record", "name": "R", "fields": fields}))


def avro(kind: AvroType) -> Any:
    """Its Avro schema, with the names and numbers that Avro asks for."""
    bare: dict[str, Any] = {"type": kind.kind}
    if kind.kind == "enum":
        bare |= {"name": "Colour", "symbols": ["red", "green"]}
    if isinstance(kind, Binary | Decimal | Uuid) and kind.size_bytes is not None:
        bare |= {"name": "Fixed", "size": kind.size_bytes}
    if isinstance(kind, Decimal):
        bare |= {"precision": kind.precision, "scale": kind.scale}
    if kind.kind == "array":
        return kind.schema
    return bare if kind.name == kind.kind else {**bare, "logicalType": kind.name}
