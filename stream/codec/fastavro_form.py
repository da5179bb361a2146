"""A schema's JSON as fastavro takes it: without what it would refuse, and which means nothing."""

from __future__ import annotations

import itertools
from typing import Any

import fastavro

from stream.codec.default import fits
from stream.codec.nodes import (
    ABSENT,
    Array,
    Enum,
    Field,
    Fixed,
    Map,
    Node,
    Primitive,
    Record,
    Union,
    branch_name,
    is_null,
    several,
)

__all__ = ["fastavro_form", "fastavro_parsed"]


def fastavro_form(root: Node, *, meaning: bool = True, named: bool = True) -> object:
    """
    Write a schema out again.

    Args:
        root: the schema.
        meaning: whether with logical types, those that are valid.
        named: whether each branch of a union of several types is in a record of one field, named as in Avro's JSON
            encoding: the bytes are the same, but fastavro says which branch it has read, and is told which it is to
            write: `{"int": 5}`.
    Returns: its JSON with full names, and defaults that are of their types.
    """
    return _Form(root, meaning, named).form(root)


def fastavro_parsed(root: Node, *, meaning: bool = True) -> Any:
    """
    Let fastavro parse a schema.

    Args:
        root, meaning: as for `fastavro_form`.
    Returns: what its readers and writers take, with named branches.
    Raises: as `fastavro.parse_schema`.
    """
    form = _Form(root, meaning, named=True)
    document = form.form(root)
    for given, _ in form.enums:
        given[:] = [f"s{i}" for i in range(len(given))] or ["none"]
    parsed = fastavro.parse_schema(document)  # type: ignore[arg-type]
    for given, symbols in form.enums:
        given[:] = symbols  # the same lists as in what was parsed
    return parsed


class _Form:
    """
    Writes one schema.

    Attributes:
        enums: the symbols of enums that fastavro would refuse, as they stand in the form, and once more.
    """

    def __init__(self, root: Node, meaning: bool, named: bool) -> None:
        self._taken: set[str] = set()
        _add_names(root, self._taken)
        self._meaning, self._told = meaning, named
        self._seen: set[str] = set()
        self._names = (f"_stream_branch_{i}" for i in itertools.count(1))
        self.enums: list[tuple[list[str], list[str]]] = []

    def form(self, node: Node) -> object:
        if isinstance(node, Primitive):
            logical = self._logical(node)
            return {"type": node.type, **logical} if logical else node.type
        if isinstance(node, Array):
            return {"type": "array", "items": self.form(node.items)}
        if isinstance(node, Map):
            return {"type": "map", "values": self.form(node.values)}
        if isinstance(node, Union):
            named = self._told and bool(several(node))
            return [
                self._branch(branch) if named and not is_null(branch) else self.form(branch)
                for branch in node.branches
            ]
        return self._named(node)

    def _branch(self, node: Node) -> object:
        return {
            "type": "record",
            "name": next(name for name in self._names if name not in self._taken),
            "fields": [{"name": branch_name(node), "type": self.form(node)}],
        }

    def _named(self, node: Record | Enum | Fixed) -> object:
        if node.name in self._seen:
            return node.name
        self._seen.add(node.name)
        if isinstance(node, Enum):
            return self._enum(node)
        if isinstance(node, Fixed):
            return {"type": "fixed", "name": node.name, "size": node.size_bytes, **self._logical(node)}
        return {"type": "record", "name": node.name, "fields": [self._field(field) for field in node.fields]}

    def _enum(self, node: Enum) -> dict[str, object]:
        symbols = list(node.symbols)
        if not symbols or not "".join(symbols).isascii():
            self.enums.append((symbols, list(node.symbols)))  # fastavro takes only names of the specification
            return {"type": "enum", "name": node.name, "symbols": symbols}
        default = {} if node.default is None else {"default": node.default}
        return {"type": "enum", "name": node.name, "symbols": symbols, **default}

    def _field(self, field: Field) -> dict[str, object]:
        made: dict[str, object] = {"name": field.name, "type": self.form(field.type)}
        if field.default is not ABSENT and fits(field.default, field.type):
            made["default"] = _told(field.default, field.type) if self._told else field.default
        return made

    def _logical(self, node: Primitive | Fixed) -> dict[str, object]:
        if node.logical is None or not self._meaning:
            return {}
        decimal = {"precision": node.precision, "scale": node.scale} if node.precision else {}
        return {"logicalType": node.logical, **decimal}


def _add_names(node: Node, names: set[str]) -> None:
    """The names of all types in a type."""
    if isinstance(node, Union):
        parts = list(node.branches)
    elif isinstance(node, Array | Map):
        parts = [node.items if isinstance(node, Array) else node.values]
    elif isinstance(node, Record) and node.name not in names:
        parts = [field.type for field in node.fields]
    else:
        parts = []
    if isinstance(node, Record | Enum | Fixed):
        names.add(node.name)
    for part in parts:
        _add_names(part, names)


def _told(default: object, node: Node) -> object:
    """A default that says which of several types it is of."""
    if not several(node) or default is None:
        return default
    assert isinstance(node, Union)
    return {branch_name(next(one for one in node.branches if fits(default, one))): default}
