"""An Avro schema as a tree of typed nodes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

__all__ = [
    "ABSENT",
    "Array",
    "Enum",
    "Field",
    "Fixed",
    "Map",
    "Node",
    "Primitive",
    "Record",
    "Union",
    "branch_name",
    "is_null",
    "several",
    "strip_null",
]

PRIMITIVES = frozenset({"null", "boolean", "int", "long", "float", "double", "bytes", "string"})


class _Absent:
    """The type of `ABSENT`; None can't serve, since null is a default like any other."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT = _Absent()
"""The default of a field that has none."""


@dataclass(frozen=True, slots=True)
class Primitive:
    """
    null, boolean, int, long, float, double, bytes or string, with its logical type if it has a valid one.

    Attributes:
        precision, scale: of a decimal; 0 for all others.
    """

    type: str
    logical: str | None = None
    precision: int = 0
    scale: int = 0


@dataclass(frozen=True, slots=True)
class Fixed:
    """`size_bytes` bytes without a length; the others as in `Primitive`."""

    name: str
    size_bytes: int
    logical: str | None = None
    precision: int = 0
    scale: int = 0


@dataclass(frozen=True, slots=True)
class Enum:
    """One of `symbols`; `default` is what a reader takes for a symbol that it doesn't know."""

    name: str
    symbols: tuple[str, ...]
    default: str | None = None


@dataclass(frozen=True, slots=True)
class Array:
    """Items of one type."""

    items: Node


@dataclass(frozen=True, slots=True)
class Map:
    """Values of one type by string keys."""

    values: Node


@dataclass(frozen=True, slots=True)
class Union:
    """One of several types."""

    branches: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Field:
    """
    A field of a record.

    Attributes:
        feature: the model's own name for it where Avro can't hold that.
        wrong: why it can't be a leaf, though its bytes can be read; empty where it can.
    """

    name: str
    type: Node
    default: object = ABSENT
    feature: str | None = None
    aliases: tuple[str, ...] = ()
    wrong: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """Named fields in order. The list is filled while parsing, since a record may contain itself."""

    name: str
    fields: list[Field] = field(default_factory=list)
    _positions: dict[str, int] = field(default_factory=dict, repr=False)

    def field(self, name: str) -> Field | None:
        """The field called `name`."""
        position = self.position(name)
        return None if position is None else self.fields[position]

    def position(self, name: str) -> int | None:
        """Which field is called `name`, from 0."""
        if len(self._positions) != len(self.fields):
            self._positions.update({found.name: i for i, found in enumerate(self.fields)})
        return self._positions.get(name)


Node: TypeAlias = Primitive | Fixed | Enum | Array | Map | Union | Record
"""Any Avro type."""


def is_null(node: Node) -> bool:
    """Whether this is the null type."""
    return isinstance(node, Primitive) and node.type == "null"


def strip_null(node: Node) -> tuple[Node, bool]:
    """
    Take null out of a union.

    Args:
        node: any type.
    Returns: the type that is left (a union where several are), and whether null was among the branches.
    """
    if not isinstance(node, Union):
        return node, False
    rest = tuple(branch for branch in node.branches if not is_null(branch))
    left = rest[0] if len(rest) == 1 else Union(rest)
    return left, len(rest) < len(node.branches)


def several(node: Node) -> tuple[Node, ...]:
    """The branches of a union of several types, null aside; none where there is one type only."""
    rest = tuple(one for one in node.branches if not is_null(one)) if isinstance(node, Union) else ()
    return rest if len(rest) > 1 else ()


def branch_name(node: Node) -> str:
    """
    What a union's branch is called where a value must say which it is of.

    Source: Avro 1.12 specification, "JSON Encoding": a named type's full name, else the type's, not the logical one's.
    """
    if isinstance(node, Primitive):
        return node.type
    return node.name if isinstance(node, Record | Enum | Fixed) else type(node).__name__.lower()
