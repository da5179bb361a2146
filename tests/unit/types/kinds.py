"""Every type of the table, and one of each that has parameters."""

from __future__ import annotations

import json
from typing import Any

from stream.codec import RecordSchema
from stream.types import (
    TYPES,
    AvroType,
    Member,
    Nested,
    array_of,
    choice_of,
    decimal_of,
    enum_of,
    fixed_of,
    map_of,
    struct_of,
    type_of,
)
from stream.types.binaries import Binary
from stream.types.decimals import Decimal
from stream.types.structs import Struct
from stream.types.texts import Uuid
from stream.types.unions import Choice

__all__ = ["EVERY", "avro", "nullable", "schema_of", "title"]

STOP = struct_of(
    "Stop",
    [
        Member(
            name="at", names=("at",), type=type_of("long", "timestamp-millis"), nullable=False, optional=False
        ),
        Member(name="name", names=("name",), type=type_of("string"), nullable=True, optional=True),
        Member(name="bags", names=("bags",), type=map_of(type_of("int")), nullable=True, optional=True),
    ],
)
"""A record in other types."""

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
    array_of(array_of(type_of("int"), nullable=True)),
    array_of(array_of(type_of("long", "timestamp-micros")), nullable=True),
    array_of(STOP, nullable=True),
    map_of(type_of("long")),
    map_of(type_of("string"), nullable=True),
    map_of(type_of("int", "date"), nullable=True),
    map_of(array_of(STOP)),
    map_of(map_of(decimal_of(9, 2))),
    choice_of([("int", type_of("int")), ("string", type_of("string"))]),
    choice_of([("int", type_of("int", "date")), ("long", type_of("long")), ("double", type_of("double"))]),
    choice_of([("bytes", decimal_of(9, 2)), ("Stop", STOP), ("map", map_of(type_of("long")))]),
    array_of(
        choice_of([("boolean", type_of("boolean")), ("long", type_of("long", "timestamp-millis"))]),
        nullable=True,
    ),
    map_of(choice_of([("string", type_of("string")), ("array", array_of(type_of("double")))])),
)


def title(kind: AvroType) -> str:
    """A test's name for it."""
    return f"{kind.full_name} on {kind.kind}"


def schema_of(kind: AvroType) -> RecordSchema:
    """A record whose field `x` is of a type, or null."""
    fields = [{"name": "x", "type": nullable(avro(kind)), "default": None}]
    return RecordSchema(json.dumps({"type": "record", "name": "R", "fields": fields}))


def nullable(schema: Any) -> list[Any]:
    """The same or null."""
    return ["null", *(schema if isinstance(schema, list) else [schema])]


def avro(kind: AvroType) -> Any:
    """Its Avro schema, with the names and numbers that Avro asks for."""
    bare: dict[str, Any] = {"type": kind.kind}
    if kind.kind == "enum":
        bare |= {"name": "Colour", "symbols": ["red", "green"]}
    if isinstance(kind, Binary | Decimal | Uuid) and kind.size_bytes is not None:
        bare |= {"name": "Fixed", "size": kind.size_bytes}
    if isinstance(kind, Decimal):
        bare |= {"precision": kind.precision, "scale": kind.scale}
    if isinstance(kind, Nested):
        return _nested(kind)
    return bare if kind.name == kind.kind else {**bare, "logicalType": kind.name}


def _nested(kind: Nested) -> Any:
    """With types in it."""
    if isinstance(kind, Choice):
        return [avro(part) for part in kind.parts]
    inner = zip(kind.parts, kind.parts_nullable, strict=True)
    parts = [nullable(avro(part)) if null else avro(part) for part, null in inner]
    if isinstance(kind, Struct):
        members = zip(kind.members, parts, strict=True)
        fields = [
            {"name": one.name, "type": part, **({"default": None} if one.optional else {})}
            for one, part in members
        ]
        return {"type": "record", "name": kind.record, "fields": fields}
    return {"type": kind.kind, "items" if kind.kind == "array" else "values": parts[0]}
