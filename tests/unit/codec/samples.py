"""Schemas and values for the codec's tests, written by fastavro, which shares no code with our writer's checks."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import Any

import fastavro

from stream.codec import RecordSchema

ENUM = {"type": "enum", "name": "Colour", "symbols": ["RED", "GREEN", "BLUE"]}
DATE = {"type": "int", "logicalType": "date"}
MILLIS = {"type": "long", "logicalType": "timestamp-millis"}
MICROS = {"type": "long", "logicalType": "timestamp-micros"}


def schema(*fields: Mapping[str, object], name: str = "Event", **types: object) -> RecordSchema:
    """A record schema with the given fields, then one field per keyword with that type."""
    every = [*fields, *({"name": key, "type": kind} for key, kind in types.items())]
    return RecordSchema(json.dumps({"type": "record", "name": name, "fields": every}))


def bare(node: Any) -> Any:
    """The same schema without logical types, so that fastavro gives and takes the stored numbers."""
    if isinstance(node, list):
        return [bare(branch) for branch in node]
    if isinstance(node, dict):
        return {key: bare(value) for key, value in node.items() if key != "logicalType"}
    return node


def written(of: RecordSchema, value: Mapping[str, object]) -> bytes:
    """The Avro bytes of one value, without framing."""
    out = io.BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(bare(json.loads(of.text))), value)
    return out.getvalue()


def read_back(of: RecordSchema, body: bytes) -> Any:
    """What fastavro makes of the bytes: the oracle for valid values."""
    return fastavro.schemaless_reader(
        io.BytesIO(body), fastavro.parse_schema(bare(json.loads(of.text))), None
    )


FLIGHT = schema(
    origin="string",
    dest=["null", "string"],
    carrier=ENUM,
    delay="double",
    distance="int",
    tail="long",
    temp=["null", "double"],
    wind="float",
    night="boolean",
    day=DATE,
    at=MILLIS,
)
"""Eleven fields, all of which the fast path takes."""


def flight(i: int) -> dict[str, object]:
    """A valid value of `FLIGHT`."""
    return {
        "origin": ("JFK", "EWR", "LGA")[i % 3],
        "dest": None if i % 4 == 0 else "Zürich",
        "carrier": ("RED", "GREEN", "BLUE")[i % 3],
        "delay": i / 7,
        "distance": i * 37,
        "tail": i * 10**12,
        "temp": None if i % 5 == 0 else i * 0.5,
        "wind": i / 2,
        "night": i % 2 == 0,
        "day": 15_000 + i,
        "at": 1_370_000_000_000 + i,
    }
