"""Defaults: what a schema's JSON says a field is when the writer lacks it."""

from __future__ import annotations

from stream.codec.leaf import type_at
from stream.codec.nodes import ABSENT, Array, Map, Node, Record, Union

__all__ = ["fits", "stored"]


def fits(value: object, node: Node) -> bool:
    """
    Say whether a default is one of its type.

    Args:
        value: the JSON value.
        node: the field's type.
    Returns: True when some branch of a union, or the type itself, holds it.
    Source: Avro 1.12 specification, "Complex Types", table of field defaults.
    """
    if isinstance(node, Union):
        return any(fits(value, branch) for branch in node.branches)
    if (plain := type_at(node)) is not None:
        return plain.is_default(value)
    if isinstance(node, Array):
        return isinstance(value, list) and all(fits(item, node.items) for item in value)
    if isinstance(node, Map):
        return isinstance(value, dict) and all(fits(item, node.values) for item in value.values())
    return isinstance(value, dict) and isinstance(node, Record) and _fits_record(value, node)


def stored(value: object, node: Node) -> object:
    """
    Turn a default into the value that a decoder gives for the type.

    Args:
        value: the JSON value; it fits.
        node: the leaf's type, null taken off.
    Returns: bytes for bytes and fixed, a float for float and double, items of arrays likewise.
    """
    if value is None:
        return None
    if (plain := type_at(node)) is not None:
        return plain.default(value)
    if isinstance(value, list) and isinstance(node, Array):
        return [stored(item, node.items) for item in value]
    if isinstance(node, Union):
        return next(stored(value, branch) for branch in node.branches if fits(value, branch))
    return value


def _fits_record(value: dict[str, object], record: Record) -> bool:
    given = [(field, value.get(field.name, field.default)) for field in record.fields]
    return all(one is not ABSENT and fits(one, field.type) for field, one in given)
