"""What a field at the end of a path is: its type, and whether it may be null."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from stream.codec.nodes import Array, Enum, Field, Fixed, Node, Primitive, Record, strip_null
from stream.errors import SchemaError
from stream.types import AvroType, array_of, decimal_of, enum_of, fixed_of, type_of

__all__ = ["Leaf", "default_of", "describe", "find", "type_at"]


@dataclass(frozen=True, slots=True)
class Leaf:
    """
    A field that can become a column.

    Attributes:
        path: field names from the root, joined by dots.
        type: what its values are.
        nullable: whether it, or a record around it, may be null.
        default: the default as in the schema's JSON; `ABSENT` where there is none.
        feature: the original name (`feature` property) of the field; None where it has none.
    """

    path: str
    type: AvroType
    nullable: bool
    default: object
    feature: str | None

    @property
    def avro(self) -> str:
        """The type's name without null: the logical type if it has one, else Avro's own."""
        return self.type.name

    @property
    def arrow(self) -> pa.DataType:
        """The type of its column."""
        return self.type.arrow


def find(root: Record, path: str) -> list[Field]:
    """
    Walk a dotted path.

    Args:
        root: the record that it starts in.
        path: field names joined by dots; every one but the last is a (nullable) record.
    Returns: the fields on the way, the last one included.
    Raises: SchemaError that names the record and the fields that it has.
    """
    steps: list[Field] = []
    node: Node = root
    for name in path.split("."):
        found = node.field(name) if isinstance(node, Record) else None
        if found is None:
            has = ", ".join(field.name for field in node.fields) if isinstance(node, Record) else "no fields"
            raise SchemaError(
                f"record {root.name}: no field {path!r} ({name!r} is missing)", hint=f"use one of: {has}"
            )
        steps.append(found)
        node = strip_null(found.type)[0]
    return steps


def default_of(steps: Sequence[Field]) -> object:
    """
    What the field at the end of a path is where the first step is not written.

    Args:
        steps: fields on the way, the last one included.
    Returns: its value in the first step's default, as in the schema's JSON; `ABSENT` where there is none.
    """
    value = steps[0].default
    for step in steps[1:]:
        value = value.get(step.name, step.default) if isinstance(value, dict) else value
    return value


def describe(steps: Sequence[Field]) -> Leaf:
    """
    Say what the field at the end of a path is.

    Args:
        steps: what `find` gave.
    Returns: the leaf.
    Raises: SchemaError when it can't be a column: a record, a map, a union of several types, nested arrays.
    """
    path = ".".join(step.name for step in steps)
    nullable = any(strip_null(step.type)[1] for step in steps)
    last = steps[-1]
    node = strip_null(last.type)[0]
    found = type_at(node)
    if found is not None and not found.column:
        raise SchemaError(
            f"field {path!r} can't be a column: it is a {found.full_name}, which no column can hold",
            hint="leave it out: a field that is neither a feature nor carried may be anything",
        )
    if found is None:
        inner = strip_null(node.items)[0] if isinstance(node, Array) else None
        path, node = (path, node) if inner is None else (f"{path}[]", inner)
        raise SchemaError(
            f"field {path!r} can't be a column: it is {_what(node)}",
            hint="use a field with one plain type (and null), or an array of such",
        )
    return Leaf(path, found, nullable, last.default, last.feature)


def type_at(node: Node) -> AvroType | None:
    """
    The type of a field's values.

    Args:
        node: null taken off.
    Returns: its row of the table; None where it has none, so that it can't be a column: a record, a map, a union
        of several types, an array of such.
    """
    if isinstance(node, Array):
        inner, nullable = strip_null(node.items)
        item = None if isinstance(inner, Array) else type_at(inner)
        return None if item is None else array_of(item, nullable=nullable)
    if isinstance(node, Primitive | Fixed) and node.logical == "decimal":
        return decimal_of(node.precision, node.scale, node.size_bytes if isinstance(node, Fixed) else None)
    if isinstance(node, Primitive):
        return type_of(node.type, node.logical)
    if isinstance(node, Enum):
        return enum_of(node.symbols)
    return fixed_of(node.size_bytes, node.logical) if isinstance(node, Fixed) else None


def _what(node: Node) -> str:
    name = type(node).__name__.lower()
    return {"union": "a union of several types", "array": "an array in an array"}.get(name, f"a {name}")
