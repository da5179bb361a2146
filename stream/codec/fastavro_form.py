"""A schema's JSON as fastavro takes it: without what it would refuse, and which means nothing."""

from __future__ import annotations

from stream.codec.default import fits
from stream.codec.nodes import ABSENT, Array, Enum, Field, Fixed, Map, Node, Primitive, Union

__all__ = ["fastavro_form"]


def fastavro_form(root: Node) -> object:
    """
    Write a schema out again.

    Args:
        root: the schema.
    Returns: its JSON with full names, logical types that are valid, and defaults that are of their types.
    """
    return _form(root, set())


def _form(node: Node, seen: set[str]) -> object:
    if isinstance(node, Primitive):
        return {"type": node.type, **_logical(node)} if node.logical else node.type
    if isinstance(node, Array):
        return {"type": "array", "items": _form(node.items, seen)}
    if isinstance(node, Map):
        return {"type": "map", "values": _form(node.values, seen)}
    if isinstance(node, Union):
        return [_form(branch, seen) for branch in node.branches]
    if node.name in seen:
        return node.name
    seen.add(node.name)
    if isinstance(node, Enum):
        default = {} if node.default is None else {"default": node.default}
        return {"type": "enum", "name": node.name, "symbols": list(node.symbols), **default}
    if isinstance(node, Fixed):
        return {"type": "fixed", "name": node.name, "size": node.size_bytes, **_logical(node)}
    return {"type": "record", "name": node.name, "fields": [_field(field, seen) for field in node.fields]}


def _field(field: Field, seen: set[str]) -> dict[str, object]:
    made: dict[str, object] = {"name": field.name, "type": _form(field.type, seen)}
    if field.default is not ABSENT and fits(field.default, field.type):
        made["default"] = field.default
    return made


def _logical(node: Primitive | Fixed) -> dict[str, object]:
    if node.logical is None:
        return {}
    decimal = {"precision": node.precision, "scale": node.scale} if node.precision else {}
    return {"logicalType": node.logical, **decimal}
