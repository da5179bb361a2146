"""The part of Avro that the Rust codec takes, and schemas rewritten for it."""

from __future__ import annotations

import json

from stream.codec.nodes import Array, Enum, Map, Node, Primitive, Record, Union, is_null

__all__ = ["column_name", "rust_text"]

TAKEN = frozenset({"boolean", "int", "long", "float", "double", "string"})
"""`bytes` makes pyruhvro panic; null alone holds nothing (as a union's branch it is taken)."""

MAX_NODES = 2000
"""Types written out in full. A named type is written at each use, so a small schema can grow without end."""


class _Outside(Exception):
    """The schema uses something that the Rust codec doesn't take."""


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


def column_name(position: int) -> str:
    """What a record's field at `position` (from 0) is called in the rewritten schema."""
    return f"f{position}"


class _Rewriter:
    def __init__(self) -> None:
        self.nodes = 0
        self.open: set[str] = set()

    def record(self, record: Record) -> dict[str, object]:
        if record.name in self.open or not record.fields:
            raise _Outside
        self.open.add(record.name)
        name = self.count()
        fields = [{"name": column_name(i), "type": self.any(f.type)} for i, f in enumerate(record.fields)]
        self.open.remove(record.name)
        return {"type": "record", "name": name, "fields": fields}

    def any(self, node: Node) -> object:
        """A field's type, or an array's item: null may be beside it."""
        if not isinstance(node, Union):
            return self.plain(node)
        if len(node.branches) != 2 or not any(is_null(branch) for branch in node.branches):
            raise _Outside
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
        raise _Outside

    def count(self) -> str:
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise _Outside
        return f"n{self.nodes}"
