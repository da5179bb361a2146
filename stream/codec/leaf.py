"""What a field at the end of a path is: its type, and whether it may be null."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import pyarrow as pa

from stream.codec.node_types import Known, type_or_trouble
from stream.codec.nodes import Field, Node, Record, strip_null
from stream.errors import SchemaError
from stream.types import AvroType

__all__ = ["Leaf", "default_of", "describe", "find"]


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


def describe(steps: Sequence[Field], known: Known | None = None) -> Leaf:
    """
    Say what the field at the end of a path is.

    Args:
        steps: what `find` gave.
        known: as for `type_or_trouble`.
    Returns: the leaf.
    Raises: SchemaError when it can't be a column: a record, whose fields can; a type that contains itself; a duration.
    """
    path = ".".join(step.name for step in steps)
    nullable = any(strip_null(step.type)[1] for step in steps)
    last = steps[-1]
    node = strip_null(last.type)[0]
    if isinstance(node, Record):
        what, hint = "a record", _inner_fields(path, node, known)
    elif isinstance(found := type_or_trouble(node, known), str):
        what, hint = found, "use a field of another type"
    elif not found.column:
        what = f"a {found.full_name}, which no column can hold"
        hint = "leave it out: a field that is neither a feature nor carried may be anything"
    else:
        return Leaf(path, found, nullable, last.default, last.feature)
    raise SchemaError(f"field {path!r} can't be a column: it is {what}", hint=hint)


def _inner_fields(path: str, record: Record, known: Known | None) -> str:
    some = [repr(inner) for inner in islice(_columns(path, record, known, set()), 3)]
    return (
        f"name its fields, each by its path: {', '.join(some)}"
        if some
        else "none of its fields can be a column"
    )


def _columns(path: str, record: Record, known: Known | None, seen: set[str]) -> Iterator[str]:
    """Paths in a record that can be columns; each record is looked at once, since one may contain itself."""
    seen.add(record.name)
    for field in record.fields:
        inner, node = f"{path}.{field.name}", strip_null(field.type)[0]
        if isinstance(node, Record):
            if node.name not in seen:
                yield from _columns(inner, node, known, seen)
        elif not isinstance(found := type_or_trouble(node, known), str) and found.column:
            yield inner
