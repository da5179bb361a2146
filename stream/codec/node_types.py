"""What a schema's types are as columns: their rows of the table, and the types that are made of some."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, TypeAlias, cast

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
    several,
    strip_null,
)
from stream.types import (
    AvroType,
    Member,
    array_of,
    choice_of,
    decimal_of,
    enum_of,
    fixed_of,
    map_of,
    struct_of,
    type_of,
)

__all__ = ["MAX_NESTING", "MAX_PARTS", "Known", "fields_within", "plain_type", "type_or_trouble"]

MAX_PARTS = 1_000
"""Types in one column's type, each use counted: records that hold others twice double with each level."""

MAX_NESTING = 64
"""Types inside each other in one column's type, as many as records in a value."""


def plain_type(node: Node) -> AvroType | None:
    """
    The type of a node without types in it.

    Args:
        node: any.
    Returns: its row of the table; None for an array, a map, a record or a union.
    """
    if isinstance(node, Primitive | Fixed) and node.logical == "decimal":
        return decimal_of(node.precision, node.scale, node.size_bytes if isinstance(node, Fixed) else None)
    if isinstance(node, Primitive):
        return type_of(node.type, node.logical)
    if isinstance(node, Enum):
        return enum_of(node.symbols)
    return fixed_of(node.size_bytes, node.logical) if isinstance(node, Fixed) else None


Known: TypeAlias = "dict[int, _Made | _Trouble]"
"""By a record's id, what became of it: many fields may be of one record."""


def type_or_trouble(node: Node, known: Known | None = None) -> AvroType | str:
    """
    The type of a field's values.

    Args:
        node: null taken off.
        known: records of the same schema that were looked at before; gets the new ones.
    Returns: its row of the table, or one that is made of some; why it can't be a column where it contains itself, has
        no parts, or more than `MAX_PARTS`.
    """
    try:
        return _Maker({} if known is None else known).made(node)
    except _Trouble as trouble:
        return str(trouble)


_SHALLOW = 2
"""Types around a record that don't make it too deep: an array or a map, and itself."""


class _Trouble(Exception):
    """A type can't be a column."""


class _Made(NamedTuple):
    """A record's type, how many types it is made of, and how deep they are."""

    type: AvroType
    parts: int
    depth: int


class _Maker:
    """Makes one type."""

    def __init__(self, known: Known) -> None:
        self._known = known
        self._parts = self._depth = self._deepest = 0
        self._open: list[str] = []

    def made(self, node: Node) -> AvroType:
        if (plain := plain_type(node)) is not None:
            return plain
        self._depth += 1
        self._count(1, self._depth)
        found = self._nested(node)
        self._depth -= 1
        return found

    def _count(self, parts: int, depth: int) -> None:
        self._parts, self._deepest = self._parts + parts, max(self._deepest, depth)
        if self._parts > MAX_PARTS:
            raise _Trouble(f"made of more than {MAX_PARTS} types")
        if depth > MAX_NESTING:
            raise _Trouble(f"made of types that are nested more than {MAX_NESTING} deep")

    def _nested(self, node: Node) -> AvroType:
        if isinstance(node, Record):
            return self._record(node)
        if isinstance(node, Union):
            if not node.branches:
                raise _Trouble("a union of null alone")
            return choice_of([(branch_name(one), self.made(one)) for one in several(node)])
        inner, nullable = strip_null(node.items if isinstance(node, Array) else cast("Map", node).values)
        return (array_of if isinstance(node, Array) else map_of)(self.made(inner), nullable=nullable)

    def _record(self, record: Record) -> AvroType:
        known = self._known.get(id(record))
        if isinstance(known, _Trouble):
            raise known
        if known is not None:
            self._count(known.parts, self._depth + known.depth)
            return known.type
        alone = not self._open and self._depth <= _SHALLOW
        before, self._parts = self._parts, 0
        deepest, self._deepest = self._deepest, self._depth
        try:
            found = struct_of(record.name, self._members(record))
        except _Trouble as trouble:
            if alone:  # else it may come from what is around it
                self._known[id(record)] = trouble
            raise
        self._known[id(record)] = _Made(found, self._parts, self._deepest - self._depth)
        self._deepest = max(deepest, self._deepest)
        self._count(before, self._depth)
        return found

    def _members(self, record: Record) -> list[Member]:
        if record.name in self._open:
            raise _Trouble(f"made of record {record.name}, which contains itself")
        if not record.fields:
            raise _Trouble(f"made of record {record.name}, which has no fields")
        self._open.append(record.name)
        self._count(len(record.fields), self._depth)
        members = [self._member(field) for field in record.fields]
        self._open.pop()
        return members

    def _member(self, field: Field) -> Member:
        inner, nullable = strip_null(field.type)
        names = (field.name,) if field.feature in (None, field.name) else (str(field.feature), field.name)
        optional = field.default is not ABSENT
        return Member(
            name=field.name,
            names=names,
            type=self.made(inner),
            nullable=nullable,
            optional=optional,
            default=field.default if optional else None,
        )


def fields_within(node: Node) -> Iterator[Field]:
    """The fields of the records in a type that can be a column."""
    if isinstance(node, Union):
        for branch in node.branches:
            yield from fields_within(branch)
    elif isinstance(node, Array | Map):
        yield from fields_within(node.items if isinstance(node, Array) else node.values)
    elif isinstance(node, Record):
        for field in node.fields:
            yield field
            yield from fields_within(field.type)
