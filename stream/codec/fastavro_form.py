"""A schema's JSON as fastavro takes it: without what it would refuse, and which means nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import fastavro

from stream.codec.default import fits
from stream.codec.nodes import ABSENT, Array, Enum, Field, Fixed, Map, Node, Primitive, Union

__all__ = ["fastavro_form", "fastavro_parsed"]

_Enums: TypeAlias = list[tuple[list[str], list[str]]]
"""The symbols of enums that fastavro would refuse, as they stand in the form, and once more."""


def fastavro_form(root: Node) -> object:
    """
    Write a schema out again.

    Args:
        root: the schema.
    Returns: its JSON with full names, logical types that are valid, and defaults that are of their types.
    """
    return _form(root, set(), [])


def fastavro_parsed(root: Node, change: Callable[[Any], Any]) -> Any:
    """
    Let fastavro parse a schema.

    Args:
        root: the schema.
        change: what is to be made of its JSON before; lists of symbols stay the same lists.
    Returns: what its readers and writers take.
    Raises: as `fastavro.parse_schema`.
    """
    enums: _Enums = []
    document = _form(root, set(), enums)
    for given, _ in enums:
        given[:] = [f"s{i}" for i in range(len(given))] or ["none"]
    parsed = fastavro.parse_schema(change(document))
    for given, symbols in enums:
        given[:] = symbols  # the same lists as in what was parsed
    return parsed


def _form(node: Node, seen: set[str], enums: _Enums) -> object:
    if isinstance(node, Primitive):
        return {"type": node.type, **_logical(node)} if node.logical else node.type
    if isinstance(node, Array):
        return {"type": "array", "items": _form(node.items, seen, enums)}
    if isinstance(node, Map):
        return {"type": "map", "values": _form(node.values, seen, enums)}
    if isinstance(node, Union):
        return [_form(branch, seen, enums) for branch in node.branches]
    if node.name in seen:
        return node.name
    seen.add(node.name)
    if isinstance(node, Enum):
        return _enum(node, enums)
    if isinstance(node, Fixed):
        return {"type": "fixed", "name": node.name, "size": node.size_bytes, **_logical(node)}
    return {
        "type": "record",
        "name": node.name,
        "fields": [_field(field, seen, enums) for field in node.fields],
    }


def _enum(node: Enum, enums: _Enums) -> dict[str, object]:
    symbols = list(node.symbols)
    if not symbols or not "".join(symbols).isascii():
        enums.append((symbols, list(node.symbols)))  # fastavro takes only names of the specification
        return {"type": "enum", "name": node.name, "symbols": symbols}
    default = {} if node.default is None else {"default": node.default}
    return {"type": "enum", "name": node.name, "symbols": symbols, **default}


def _field(field: Field, seen: set[str], enums: _Enums) -> dict[str, object]:
    made: dict[str, object] = {"name": field.name, "type": _form(field.type, seen, enums)}
    if field.default is not ABSENT and fits(field.default, field.type):
        made["default"] = field.default
    return made


def _logical(node: Primitive | Fixed) -> dict[str, object]:
    if node.logical is None:
        return {}
    decimal = {"precision": node.precision, "scale": node.scale} if node.precision else {}
    return {"logicalType": node.logical, **decimal}
