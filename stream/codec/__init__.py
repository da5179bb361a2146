"""Avro on the wire ↔ Arrow columns. Pure: bytes, schemas and arrays; no socket, file, clock or log."""

from __future__ import annotations

from stream.codec.compatibility import Difference, compare
from stream.codec.container import read_container
from stream.codec.container_writer import container_writer
from stream.codec.decoder import Decoded, Decoder, why_slow
from stream.codec.default import stored
from stream.codec.dict_records import plain_row, read_bare, read_row, write_row
from stream.codec.encoder import Encoder
from stream.codec.examination import Examined, examine
from stream.codec.framing import (
    Framing,
    WriterSchemas,
    confluent_prefix,
    confluent_prefixes,
    prefix_length,
    single_object_prefix,
    unframe,
)
from stream.codec.leaf import Leaf, default_of, find
from stream.codec.node_types import plain_type
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
    branch_name,
    is_null,
    several,
    strip_null,
)
from stream.codec.promotion import position_of
from stream.codec.resolution import LeafPlan, resolve
from stream.codec.schema import RecordSchema, schema_of
from stream.codec.strict import Checker
from stream.codec.type_names import type_name
from stream.codec.typed_rows import bare_form, typed_row

__all__ = [
    "ABSENT",
    "PRIMITIVES",
    "Array",
    "Checker",
    "Decoded",
    "Decoder",
    "Difference",
    "Encoder",
    "Examined",
    "Field",
    "Framing",
    "Leaf",
    "LeafPlan",
    "Map",
    "Node",
    "Primitive",
    "Record",
    "RecordSchema",
    "Union",
    "WriterSchemas",
    "bare_form",
    "branch_name",
    "compare",
    "confluent_prefix",
    "confluent_prefixes",
    "container_writer",
    "default_of",
    "examine",
    "find",
    "is_null",
    "plain_row",
    "plain_type",
    "position_of",
    "prefix_length",
    "read_bare",
    "read_container",
    "read_row",
    "resolve",
    "schema_of",
    "several",
    "single_object_prefix",
    "stored",
    "strip_null",
    "type_name",
    "typed_row",
    "unframe",
    "why_slow",
    "write_row",
]
