"""Parsing Canonical Form and CRC-64-AVRO: what makes two Avro schemas the same one."""

from __future__ import annotations

import json

from stream.codec.nodes import Array, Enum, Fixed, Map, Node, Primitive, Record, Union

__all__ = ["canonical_form", "fingerprint"]

EMPTY_64 = 0xC15D213AA4D7A795
"""The fingerprint of nothing (Avro 1.12 specification, "Schema Fingerprints")."""


def canonical_form(root: Node) -> str:
    """
    Write a schema in Parsing Canonical Form.

    Args:
        root: the schema.
    Returns: JSON without blanks, docs, defaults, aliases, logical types and other attributes.
    Source: Avro 1.12 specification, "Transforming into Parsing Canonical Form".
    """
    return json.dumps(_form(root, set()), separators=(",", ":"), ensure_ascii=False)


def fingerprint(text: str) -> bytes:
    """
    Take the CRC-64-AVRO of a text.

    Args:
        text: a schema in Parsing Canonical Form.
    Returns: 8 bytes, least significant first, as they stand on the wire.
    Source: Avro 1.12 specification, "Schema Fingerprints" and "Single-object encoding".
    """
    crc = EMPTY_64
    for byte in text.encode():
        crc = (crc >> 8) ^ _TABLE[(crc ^ byte) & 0xFF]
    return crc.to_bytes(8, "little")


def _table_entry(value: int) -> int:
    for _ in range(8):
        value = (value >> 1) ^ (EMPTY_64 & -(value & 1))
    return value


_TABLE = tuple(_table_entry(i) for i in range(256))


def _form(node: Node, seen: set[str]) -> object:
    if isinstance(node, Primitive):
        return node.type
    if isinstance(node, Array):
        return {"type": "array", "items": _form(node.items, seen)}
    if isinstance(node, Map):
        return {"type": "map", "values": _form(node.values, seen)}
    if isinstance(node, Union):
        return [_form(branch, seen) for branch in node.branches]
    if node.name in seen:
        return node.name
    seen.add(node.name)
    return _named(node, seen)


def _named(node: Record | Enum | Fixed, seen: set[str]) -> object:
    if isinstance(node, Enum):
        return {"name": node.name, "type": "enum", "symbols": node.symbols}
    if isinstance(node, Fixed):
        return {"name": node.name, "type": "fixed", "size": node.size_bytes}
    fields = [{"name": field.name, "type": _form(field.type, seen)} for field in node.fields]
    return {"name": node.name, "type": "record", "fields": fields}
