"""Schemas and values for the codec's tests, written by fastavro, which shares no code with our writer's checks."""

from __future__ import annotations

import io
import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
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


def told(node: Any, count: Iterator[int] | None = None) -> Any:
    """
    The same bytes' schema in which each branch of a union of several types is in a record with one field, so that
    fastavro says which one it has read, and writes the one that is meant: `{"int": 5}`, as Avro's JSON encoding has it.
    """
    count = count or itertools.count()
    if isinstance(node, list):
        several = len([one for one in node if one != "null"]) > 1
        return [told(one, count) if one == "null" or not several else _told(one, count) for one in node]
    if not isinstance(node, dict):
        return node
    inner = {key: told(node[key], count) for key in ("items", "values") if key in node}
    if "fields" in node:
        inner["fields"] = [{**one, "type": told(one["type"], count)} for one in node["fields"]]
    return {**node, **inner}


def _told(branch: Any, count: Iterator[int]) -> Any:
    fields = [{"name": branch_called(branch), "type": told(branch, count)}]
    return {"type": "record", "name": f"Told{next(count)}", "fields": fields}


def branch_called(branch: Any) -> str:
    """A union's branch by its name."""
    return branch if isinstance(branch, str) else str(branch.get("name", branch["type"]))


def written(of: RecordSchema, value: Mapping[str, object], *, named: bool = False) -> bytes:
    """The Avro bytes of one value, without framing; `named`: it says which branches are meant (`told`)."""
    out, document = io.BytesIO(), bare(json.loads(of.text))
    fastavro.schemaless_writer(out, fastavro.parse_schema(told(document) if named else document), value)
    return out.getvalue()


def read_back(of: RecordSchema, body: bytes) -> Any:
    """What fastavro makes of the bytes: the oracle for valid values."""
    return fastavro.schemaless_reader(
        io.BytesIO(body), fastavro.parse_schema(told(bare(json.loads(of.text)))), None
    )


def container(of: RecordSchema, bodies: Sequence[bytes]) -> bytes:
    """An object container file of values that are written already, in one block."""
    out, sync = io.BytesIO(b"Obj\x01"), b"sixteen bytes it"
    out.seek(0, io.SEEK_END)
    fastavro.schemaless_writer(out, {"type": "map", "values": "bytes"}, {"avro.schema": of.text.encode()})
    out.write(sync)
    content = b"".join(bodies)
    for number in (len(bodies), len(content)):
        fastavro.schemaless_writer(out, {"type": "long"}, number)
    return out.getvalue() + content + sync


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
