"""The part of Avro that the Rust codec takes, and schemas rewritten for it."""

from __future__ import annotations

import json

from stream.codec.nodes import Array, Enum, Map, Node, Primitive, Record, Union, is_null
from stream.codec.type_names import type_name

__all__ = ["column_name", "rust_text", "why_outside"]

TAKEN = frozenset({"boolean", "int", "long", "float", "double", "string"})
"""`bytes` makes pyruhvro panic; null alone holds nothing (as a union's branch it is taken)."""

MAX_NODES = 50_000
"""Types written out in full. A named type is written at each use, so a small schema can grow without end."""


class _Outside(Exception):
    """The schema uses something that the Rust codec doesn't take: what, and where; the path grows on the way up."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what
        self.path: list[str] = []


def rust_text(root: Record) -> str | None:
    """
    Rewrite a schema for pyruhvro.

    The bytes on the wire are the same, but nothing is left that pyruhvro reads wrongly or refuses: logical
    types are dropped (the columns hold the stored numbers), named types are written out wherever they are
    used, and names are our own (`column_name`).

    Args:
        root: the schema.
    Returns: JSON; None when the schema is outside the subset: bytes, fixed, recursive records, records
        without fields, enums without symbols or with symbols beyond ASCII, arrays or maps whose items take no
        bytes (a few bytes could claim millions), unions other than null and one type.
    """
    try:
        return json.dumps(_Rewriter().record(root))
    except _Outside:
        return None


def why_outside(root: Record) -> str | None:
    """
    Say why the Rust codec does not take a schema.

    Args:
        root: the schema.
    Returns: the first field that it doesn't take, and what of it; None when it takes all.
    """
    try:
        _Rewriter().record(root)
    except _Outside as found:
        field = ".".join(reversed(found.path))
        return f"field {field!r} {found.what}" if field else f"it {found.what}"
    return None


def column_name(position: int) -> str:
    """What a record's field at `position` (from 0) is called in the rewritten schema."""
    return f"f{position}"


class _Rewriter:
    def __init__(self) -> None:
        self.nodes = 0
        self.open: set[str] = set()

    def record(self, record: Record) -> dict[str, object]:
        if record.name in self.open:
            raise _Outside("is a record that contains itself")
        if not record.fields:
            raise _Outside("is a record without fields")
        self.open.add(record.name)
        name, fields = self.count(), []
        for i, field in enumerate(record.fields):
            try:
                fields.append({"name": column_name(i), "type": self.any(field.type)})
            except _Outside as found:
                found.path.append(field.name)
                raise
        self.open.remove(record.name)
        return {"type": "record", "name": name, "fields": fields}

    def any(self, node: Node) -> object:
        """A field's type, or an array's item: null may be beside it."""
        if not isinstance(node, Union):
            return self.plain(node)
        if len(node.branches) != 2 or not any(is_null(branch) for branch in node.branches):
            raise _Outside("is a union of other types than null and one more")
        return ["null" if is_null(branch) else self.plain(branch) for branch in node.branches]

    def plain(self, node: Node) -> object:
        name = self.count()
        if isinstance(node, Primitive) and node.type in TAKEN:
            return node.type
        if isinstance(node, Enum) and node.symbols and "".join(node.symbols).isascii():
            return {"type": "enum", "name": name, "symbols": node.symbols}
        if isinstance(node, Record):
            return self.record(node)
        if isinstance(node, Array):
            return {"type": "array", "items": self.any(node.items)}
        if isinstance(node, Map):
            return {"type": "map", "values": self.any(node.values)}
        if isinstance(node, Enum):
            raise _Outside("is an enum with symbols beyond ASCII")
        raise _Outside(f"is {type_name(node)}")

    def count(self) -> str:
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise _Outside(f"is beyond the first {MAX_NODES:,} types of the schema")
        return f"n{self.nodes}"
