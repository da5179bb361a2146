"""Defaults: what a schema's JSON says a field is when the writer lacks it."""

from __future__ import annotations

from stream.codec.node_types import plain_type
from stream.codec.nodes import ABSENT, Array, Map, Node, Record, Union, branch_name, several, strip_null

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
    if (plain := plain_type(node)) is not None:
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
    Returns: bytes for bytes and fixed, a float for float and double; parts likewise, records with their own defaults,
        a dict with the branch's name in a union of several types.
    """
    if value is None:
        return None
    if (plain := plain_type(node)) is not None:
        return plain.default(value)
    if isinstance(value, list) and isinstance(node, Array):
        return [_stored(item, node.items) for item in value]
    if isinstance(node, Union):
        return _of_branch(value, node)
    if isinstance(value, dict) and isinstance(node, Map):
        return {key: _stored(one, node.values) for key, one in value.items()}
    if isinstance(value, dict) and isinstance(node, Record):
        return {one.name: _stored(value.get(one.name, one.default), one.type) for one in node.fields}
    return value


def _stored(value: object, node: Node) -> object:
    return stored(value, strip_null(node)[0])


def _of_branch(value: object, union: Union) -> object:
    """The first branch that holds it; it is named where there are several."""
    branch = next(one for one in union.branches if fits(value, one))
    return {branch_name(branch): stored(value, branch)} if several(union) else stored(value, branch)


def _fits_record(value: dict[str, object], record: Record) -> bool:
    given = [(field, value.get(field.name, field.default)) for field in record.fields]
    return all(one is not ABSENT and fits(one, field.type) for field, one in given)
