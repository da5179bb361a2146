"""
Maps that come as structs: what Spark, DuckDB and polars make of JSON's objects. Every one of them has the keys of all
others, null where its own map has none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import pyarrow as pa

from stream.types import Choice, List, MapOf, Misfit, Struct, key_place, read_at

__all__ = ["own_keys"]

_Change: TypeAlias = Callable[[Any], Any]


def own_keys(kind: object, arrow: pa.DataType) -> _Change | None:
    """
    Args:
        kind: what a column's values should be.
        arrow: the column's type.
    Returns: what gives each map in a value its own keys; it raises Misfit where null may be a value of the map as
        well. None where no map comes as a struct.
    """
    if isinstance(kind, MapOf) and pa.types.is_struct(arrow):
        inner = {one.name: own_keys(kind.item, one.type) for one in arrow}
        return lambda value: _keys(value, inner, kind.item_nullable)
    if isinstance(kind, MapOf) and pa.types.is_map(arrow):
        return _of_entries(own_keys(kind.item, arrow.item_type))
    if isinstance(kind, List) and (pa.types.is_list(arrow) or pa.types.is_large_list(arrow)):
        return _of_items(own_keys(kind.item, arrow.value_type))
    return _of_struct(kind, arrow) if pa.types.is_struct(arrow) else None


def _of_entries(each: _Change | None) -> _Change | None:
    if each is None:
        return None
    return lambda value: [
        (key, one if one is None else read_at(each, one, key_place(key))) for key, one in value
    ]


def _of_items(each: _Change | None) -> _Change | None:
    if each is None:
        return None
    return lambda value: [one if one is None else read_at(each, one, f"[{i}]") for i, one in enumerate(value)]


def _of_struct(kind: object, arrow: pa.StructType) -> _Change | None:
    types: dict[str, object] = {}
    if isinstance(kind, Struct):
        types = {name: member.type for member in kind.members for name in member.names}
    elif isinstance(kind, Choice):
        types = dict(kind.branches)
    found = {one.name: own_keys(types[one.name], one.type) for one in arrow if one.name in types}
    changes = {name: change for name, change in found.items() if change is not None}
    if not changes:
        return None
    return lambda value: {
        name: read_at(changes[name], one, name) if name in changes and one is not None else one
        for name, one in value.items()
    }


def _keys(value: Mapping[str, Any], inner: Mapping[str, _Change | None], nullable: bool) -> dict[str, Any]:
    gaps = [key for key, one in value.items() if one is None]
    if gaps and nullable:
        raise Misfit(
            f"expected a map, found a struct, whose null {gaps[0]!r} may be a key or none: give a map, or its JSON text"
        )
    return {
        key: one if (change := inner[key]) is None else read_at(change, one, key_place(key))
        for key, one in value.items()
        if one is not None
    }
