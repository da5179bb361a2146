"""Writers' schemas, readers' schemas and bytes, made up from a seed. Written here: nothing of the codec is used."""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from random import Random
from typing import Any, TypeAlias

__all__ = ["Triple", "spoilt", "triple", "value_of", "zigzag"]

_Type: TypeAlias = Any

_ENUMS = [("E", "AB"), ("E", "ABC"), ("E", "BA"), ("n.E", "AB"), ("G", "AB"), ("E", "CD"), ("Ü", "AB")]
_FIXED = [("F", 2), ("F", 3), ("n.F", 2), ("H", 2)]
_LOGICAL = [
    ("int", "date"),
    ("int", "time-millis"),
    ("long", "time-micros"),
    ("long", "timestamp-millis"),
    ("long", "timestamp-micros"),
    ("long", "timestamp-nanos"),
    ("long", "local-timestamp-millis"),
    ("long", "local-timestamp-micros"),
    ("string", "uuid"),
    ("string", "decimal"),
    ("int", "mine"),
]
_PRIMITIVES = ["boolean", "int", "long", "float", "double", "bytes", "string"]
_PROMOTED = {
    "int": ["long", "float", "double"],
    "long": ["float", "double", "int"],
    "float": ["double", "int"],
    "double": ["float"],
    "string": ["bytes", "int"],
    "bytes": ["string"],
    "boolean": ["int"],
}
_INTS = [0, 1, -1, 7, 300, 2**24, 2**24 + 1, -(2**24) - 1, 2**31 - 1, -(2**31)]
_LONGS = [
    *_INTS,
    2**31,
    2**53,
    2**53 + 1,
    2**60,
    2**60 + 2**36 + 1,
    2**63 - 1,
    -(2**63),
    1_700_000_000_000_000,
]
_DOUBLES = [0.0, -0.0, 0.5, 0.1, 1e300, -1e40, 5e-324, float("inf"), float("-inf"), float("nan")]
_TEXTS = ["", "a", "A", "Zürich", "😀", "x" * 70]
_OCTETS = [b"", b"a", b"\x00\x01", b"\xff", b"\xc3\xa9", b"\xed\xa0\x80"]


@dataclass(frozen=True)
class Triple:
    """A writer's schema, a reader's (JSON), and the bytes of a value."""

    writer: str
    reader: str
    body: bytes


def triple(seed: int) -> Triple:
    """The same one for each seed."""
    chance = Random(seed)
    written = _written(chance, 2)
    expected = _expected(chance, written)
    if chance.random() < 0.15:
        written, expected = _nested(chance, written), _around(chance, expected)
    name = "f" if chance.random() < 0.9 else chance.choice(["g", "h"])
    body = value_of(chance, written) + zigzag(7)
    reader = _record(chance, "f", expected, {**_default(chance, expected), "aliases": ["g"]})
    return Triple(_record(chance, name, written, {}), reader, spoilt(chance, body))


def _record(chance: Random, name: str, kind: _Type, more: dict[str, object]) -> str:
    fields = [{"name": name, "type": kind, **more}, {"name": "t", "type": "int"}]
    whole = {"type": "record", "name": chance.choice(["R", "R", "n.R", "S"]), "fields": fields}
    return json.dumps(whole, ensure_ascii=False)


def _default(chance: Random, kind: _Type) -> dict[str, object]:
    """One for the reader's field, now and then."""
    first = kind[0] if isinstance(kind, list) else kind
    stored = first if isinstance(first, str) else first["type"]
    known: dict[str, object] = {
        "null": None, "boolean": True, "int": 3, "long": -4, "float": 0.5, "string": "d", "bytes": "\u00ff",
        "double": "NaN" if stored == kind else 1, "array": [],
    }  # fmt: skip
    return {"default": known[stored]} if stored in known and chance.random() < 0.5 else {}


def _nested(chance: Random, kind: _Type) -> _Type:
    """A record around a type; or a union of such, of records without it, of null and of others."""
    extra = {"name": "y", "type": chance.choice(_PRIMITIVES)}
    fields = [{"name": "x", "type": kind}, extra]
    chance.shuffle(fields)
    one = {"type": "record", "name": "One", "fields": fields}
    if chance.random() < 0.4:
        return one
    others = [
        "null",
        "string",
        {"type": "record", "name": "Poor", "fields": [extra]},
        {"type": "record", "name": "n.Two", "fields": [{"name": "x", "type": chance.choice(_PRIMITIVES)}]},
    ]
    branches = [one, *chance.sample(others, chance.randint(1, 3))]
    chance.shuffle(branches)
    return branches


def _around(chance: Random, kind: _Type) -> _Type:
    """A record around what is expected, which may be null."""
    record = {
        "type": "record",
        "name": chance.choice(["One", "Other"]),
        "fields": [{"name": "x", "type": kind}],
    }
    return record if chance.random() < 0.6 else ["null", record]


def _written(chance: Random, depth: int) -> _Type:
    kind = chance.random()
    if kind < 0.45 or not depth:
        return chance.choice(_PRIMITIVES)
    if kind < 0.75:
        return _union(chance, depth)
    if kind < 0.8:
        return chance.choice(["null", ["null"], {"type": "map", "values": _plain(chance)}])
    if kind < 0.9:
        return {"type": "array", "items": _written(chance, 0 if chance.random() < 0.5 else depth - 1)}
    return _plain(chance)


def _plain(chance: Random) -> _Type:
    """No union."""
    kind = chance.random()
    if kind < 0.35:
        return chance.choice(_PRIMITIVES)
    if kind < 0.6:
        stored, logical = chance.choice(_LOGICAL)
        return {"type": stored, "logicalType": logical}
    if kind < 0.7:
        return _decimal(chance)
    if kind < 0.87:
        name, symbols = chance.choice(_ENUMS)
        default = {"default": symbols[0]} if chance.random() < 0.3 else {}
        return {"type": "enum", "name": name, "symbols": list(symbols), **default}
    name, size = chance.choice(_FIXED)
    return {"type": "fixed", "name": name, "size": size}


def _decimal(chance: Random) -> _Type:
    precision, scale = chance.choice([(4, 2), (4, 1), (9, 2), (2, 3), (0, 0), ("4", "2"), (4, None)])
    return {"type": "bytes", "logicalType": "decimal", "precision": precision, "scale": scale}


def _union(chance: Random, depth: int) -> _Type:
    branches: dict[str, _Type] = {}
    for _ in range(chance.randint(1, 4)):
        branch = "null" if chance.random() < 0.35 else _plain(chance)
        if depth > 1 and chance.random() < 0.1:
            branch = {"type": "array", "items": _plain(chance)}
        branches.setdefault(_name(branch), branch)
    return list(branches.values())


def _name(kind: _Type) -> str:
    return kind if isinstance(kind, str) else str(kind.get("name", kind["type"]))


def _expected(chance: Random, written: _Type) -> _Type:
    """What a reader of it may well have: the same, wider, narrower, nullable, or something else."""
    kind = chance.random()
    if kind < 0.12:
        return _plain(chance)
    if isinstance(written, list):
        others = [branch for branch in written if branch != "null"]
        inner = _expected(chance, chance.choice(others)) if others else _plain(chance)
        return inner if isinstance(inner, list) or kind < 0.5 else ["null", inner]
    if isinstance(written, dict) and written["type"] == "array":
        return {"type": "array", "items": _expected(chance, written["items"])}
    if written == "null" or (isinstance(written, dict) and written["type"] == "map"):
        return ["null", _plain(chance)]
    stored = written if isinstance(written, str) else written["type"]
    if kind < 0.5:
        found: _Type = written
    elif stored in _PROMOTED and kind < 0.8:
        found = chance.choice(_PROMOTED[stored])
    else:
        of = [one for one in _LOGICAL if one[0] in (stored, "long")]
        found = {"type": of[0][0], "logicalType": chance.choice(of)[1]} if of else _plain(chance)
    return found if chance.random() < 0.6 else ["null", found] if chance.random() < 0.8 else [found, "null"]


def _parsed(kind: _Type) -> _Type:
    """Without logical types."""
    if isinstance(kind, list):
        return [_parsed(branch) for branch in kind]
    if isinstance(kind, dict) and kind["type"] in (*_PRIMITIVES, "null"):
        return kind["type"]
    return kind


def value_of(chance: Random, kind: _Type) -> bytes:
    """The bytes of a value of a type."""
    kind = _parsed(kind)
    if isinstance(kind, list):
        index = chance.randrange(len(kind))
        return zigzag(index) + value_of(chance, kind[index])
    if isinstance(kind, str):
        return _primitive(chance, kind)
    if kind["type"] == "enum":
        return zigzag(chance.randrange(len(kind["symbols"])))
    if kind["type"] == "fixed":
        return chance.randbytes(kind["size"])
    if kind["type"] == "record":
        return b"".join(value_of(chance, field["type"]) for field in kind["fields"])
    items = chance.randint(0, 3)
    if not items:
        return b"\x00"
    is_map = kind["type"] == "map"
    inner = kind["values" if is_map else "items"]
    each = [(_sized(b"k%d" % i) if is_map else b"") + value_of(chance, inner) for i in range(items)]
    body = b"".join(each)
    head = zigzag(items) if chance.random() < 0.7 else zigzag(-items) + zigzag(len(body))
    return head + body + b"\x00"


def _primitive(chance: Random, kind: str) -> bytes:
    if kind == "null":
        return b""
    if kind == "boolean":
        return chance.choice([b"\x00", b"\x01"])
    if kind in ("int", "long"):
        return zigzag(chance.choice(_INTS if kind == "int" else _LONGS))
    if kind == "float":
        return struct.pack("<f", struct.unpack("<f", chance.randbytes(4))[0])
    if kind == "double":
        return struct.pack("<d", chance.choice(_DOUBLES))
    return _sized(chance.choice(_TEXTS).encode() if kind == "string" else chance.choice(_OCTETS))


def _sized(octets: bytes) -> bytes:
    return zigzag(len(octets)) + octets


def zigzag(number: int) -> bytes:
    """A whole number."""
    value = (number << 1) ^ (number >> 63)
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def spoilt(chance: Random, body: bytes) -> bytes:
    """Damaged now and then."""
    kind = chance.random()
    if kind < 0.9 or not body:
        return body
    at = chance.randrange(len(body))
    if kind < 0.94:
        return body[:at]
    if kind < 0.96:
        return body + b"\x00"
    return body[:at] + bytes([chance.choice([0, 1, 2, 3, 4, 0x7F, 0x80, 0xFF])]) + body[at + 1 :]
