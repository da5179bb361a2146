"""Avro on the wire ↔ Arrow columns. Pure: bytes, schemas and arrays; no socket, file, clock or log."""

from __future__ import annotations

from stream.codec.decoder import Decoded, Decoder
from stream.codec.default import stored
from stream.codec.encoder import Encoder
from stream.codec.framing import (
    Framing,
    WriterSchemas,
    confluent_prefix,
    confluent_prefixes,
    single_object_prefix,
    unframe,
)
from stream.codec.leaf import Leaf, find, type_at
from stream.codec.nodes import (
    ABSENT,
    PRIMITIVES,
    Array,
    Field,
    Map,
    Node,
    Primitive,
    Record,
    Union,
    is_null,
    strip_null,
)
from stream.codec.schema import RecordSchema

__all__ = [
    "ABSENT",
    "PRIMITIVES",
    "Array",
    "Decoded",
    "Decoder",
    "Encoder",
    "Field",
    "Framing",
    "Leaf",
    "Map",
    "Node",
    "Primitive",
    "Record",
    "RecordSchema",
    "Union",
    "WriterSchemas",
    "confluent_prefix",
    "confluent_prefixes",
    "find",
    "is_null",
    "single_object_prefix",
    "stored",
    "strip_null",
    "type_at",
    "unframe",
]
