"""What a field at the end of a path is: its Avro type, its Arrow type, whether it may be null."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from stream.codec.nodes import ABSENT, Array, Enum, Field, Fixed, Node, Primitive, Record, strip_null
from stream.errors import SchemaError

__all__ = ["Leaf", "describe", "find", "storage_type"]

STORAGE: dict[str, pa.DataType] = {
    "null": pa.null(),
    "boolean": pa.bool_(),
    "int": pa.int32(),
    "long": pa.int64(),
    "float": pa.float32(),
    "double": pa.float64(),
    "bytes": pa.binary(),
    "string": pa.string(),
}
"""How Arrow holds the bare values of each primitive type."""

LOGICAL: dict[tuple[str, str], pa.DataType] = {
    ("int", "date"): pa.date32(),
    ("long", "timestamp-millis"): pa.timestamp("ms"),
    ("long", "timestamp-micros"): pa.timestamp("us"),
    ("long", "timestamp-nanos"): pa.timestamp("ns"),
    ("long", "local-timestamp-millis"): pa.timestamp("ms"),
    ("long", "local-timestamp-micros"): pa.timestamp("us"),
    ("long", "local-timestamp-nanos"): pa.timestamp("ns"),
}
"""Logical types that change the Arrow type; all others (time, decimal, uuid …) are left as stored."""

KNOWN = frozenset(
    {*LOGICAL, ("int", "time-millis"), ("long", "time-micros"), ("bytes", "decimal"), ("fixed", "decimal")}
    | {("string", "uuid"), ("fixed", "uuid"), ("fixed", "duration")}
)
"""Logical types as they may be used; on any other type they mean nothing (specification, "Logical Types")."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """
    A field that can become a column.

    Attributes:
        path: field names from the root, joined by dots.
        avro: the type's name without null: the logical type if it has one, else `type`.
        type: `int`, `long`, `float`, `double`, `boolean`, `string`, `bytes`, `fixed`, `enum`, `array` or
            `null`.
        logical: the logical type, None where there is none (or none that fits the type).
        nullable: whether it, or a record around it, may be null.
        default: the default as in the schema's JSON; `ABSENT` where there is none.
        feature: the original name (`feature` property) of the field; None where it has none.
        symbols: of an enum.
        item: of an array: what its items are.
        arrow: the type of its column.
    """

    path: str
    avro: str
    type: str
    logical: str | None
    nullable: bool
    default: object
    feature: str | None
    symbols: tuple[str, ...]
    item: Leaf | None
    arrow: pa.DataType

    @property
    def has_default(self) -> bool:
        """Whether a record without the field can be read."""
        return self.default is not ABSENT


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


def describe(steps: list[Field]) -> Leaf:
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
    return _leaf(path, strip_null(last.type)[0], nullable, last)


def storage_type(node: Node) -> pa.DataType:
    """
    The Arrow type that holds a type's bare values, before logical types.

    Args:
        node: a primitive, fixed or enum type, or an array of such.
    Returns: the Arrow type.
    """
    if isinstance(node, Array):
        return pa.list_(storage_type(strip_null(node.items)[0]))
    if isinstance(node, Fixed):
        return pa.binary()
    return STORAGE[node.type] if isinstance(node, Primitive) else pa.string()


def _leaf(path: str, node: Node, nullable: bool, field: Field | None) -> Leaf:
    default, feature = (field.default, field.feature) if field else (ABSENT, None)
    if isinstance(node, Array) and field:
        item, null_items = strip_null(node.items)
        inner = _leaf(f"{path}[]", item, null_items, None)
        return Leaf(
            path, "array", "array", None, nullable, default, feature, (), inner, pa.list_(inner.arrow)
        )
    if not isinstance(node, Primitive | Fixed | Enum):
        raise SchemaError(
            f"field {path!r} can't be a column: it is {_what(node)}",
            hint="use a field with one plain type (and null), or an array of such",
        )
    kind = node.type if isinstance(node, Primitive) else type(node).__name__.lower()
    logical = None if isinstance(node, Enum) or (kind, node.logical) not in KNOWN else node.logical
    symbols = node.symbols if isinstance(node, Enum) else ()
    arrow = LOGICAL.get((kind, logical or ""), storage_type(node))
    return Leaf(path, logical or kind, kind, logical, nullable, default, feature, symbols, None, arrow)


def _what(node: Node) -> str:
    name = type(node).__name__.lower()
    return (
        "a union of several types"
        if name == "union"
        else "an array in an array"
        if name == "array"
        else f"a {name}"
    )
