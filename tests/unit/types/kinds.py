"""Every type of the table, and one of each that has parameters."""

from __future__ import annotations

import json
from typing import Any

from stream.codec import RecordSchema
from stream.types import TYPES, AvroType, array_of, enum_of, fixed_of, type_of

__all__ = ["EVERY", "schema_of", "title"]

EVERY: tuple[AvroType, ...] = (
    *(kind for kind in TYPES if kind.kind != "null"),
    enum_of(("red", "green")),
    fixed_of(4),
    fixed_of(12, "duration"),
    fixed_of(4, "decimal"),
    array_of(type_of("double"), nullable=True),
    array_of(type_of("int")),
    array_of(type_of("long", "timestamp-millis")),
    array_of(type_of("bytes")),
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
    if kind.kind == "fixed":
        bare |= {"name": "Fixed", "size": 12 if kind.name == "duration" else 4}
    if kind.name == "decimal":
        bare |= {"precision": 9, "scale": 2}
    if kind.kind == "array":
        return kind.schema
    return bare if kind.name == kind.kind else {**bare, "logicalType": kind.name}
