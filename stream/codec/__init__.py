"""Avro on the wire ↔ Arrow columns. Pure: bytes, schemas and arrays; no socket, file, clock or log."""

from __future__ import annotations

from stream.codec.decoder import Decoded, Decoder
from stream.codec.encoder import Encoder
from stream.codec.framing import (
    Framing,
    WriterSchemas,
    confluent_prefix,
    confluent_prefixes,
    single_object_prefix,
    unframe,
)
from stream.codec.leaf import Leaf
from stream.codec.nodes import ABSENT
from stream.codec.schema import RecordSchema

__all__ = [
    "ABSENT",
    "Decoded",
    "Decoder",
    "Encoder",
    "Framing",
    "Leaf",
    "RecordSchema",
    "WriterSchemas",
    "confluent_prefix",
    "confluent_prefixes",
    "single_object_prefix",
    "unframe",
]
