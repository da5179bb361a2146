"""Schema resolution, column by column: where a needed leaf is found in what a writer wrote."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias, cast

import pyarrow as pa

from stream.codec.leaf import LOGICAL, Leaf, describe, find, storage_type
from stream.codec.nodes import (
    ABSENT,
    Array,
    Enum,
    Field,
    Fixed,
    Node,
    Primitive,
    Record,
    Union,
    is_null,
    strip_null,
)
from stream.errors import RecordError

__all__ = ["Source", "Step", "resolve"]

PROMOTIONS: dict[str, frozenset[str]] = {
    "int": frozenset({"long", "float", "double"}),
    "long": frozenset({"float", "double"}),
    "float": frozenset({"double"}),
    "string": frozenset({"bytes"}),
    "bytes": frozenset({"string"}),
}
"""What a reader may take a written type for (Avro 1.12 specification, "Schema Resolution")."""

Convert: TypeAlias = Callable[[object], object]
"""Turns a written value into the reader's; raises ValueError with the text for people if it can't."""


@dataclass(frozen=True, slots=True)
class Step:
    """
    A field on the way to a leaf.

    Attributes:
        name: in the writer's record.
        position: in the writer's record, from 0.
        written: whether the writer may write null.
        nullable: whether the reader takes null.
    """

    name: str
    position: int
    written: bool
    nullable: bool


@dataclass(frozen=True, slots=True)
class Source:
    """
    Where a leaf's values come from.

    Attributes:
        leaf: the reader's leaf.
        storage: the Arrow type of the leaf's bare values.
        steps: the way to it; empty where the writer hasn't got it and `constant` is taken.
        constant: the reader's default.
        convert: written value → reader's value; None where they are the same.
        columnar: whether a whole column can be taken at once, with an Arrow cast at most.
    """

    leaf: Leaf
    storage: pa.DataType
    steps: tuple[Step, ...]
    constant: object
    convert: Convert | None
    columnar: bool

    @property
    def checks_null(self) -> bool:
        """Whether a null may be written that the reader doesn't take."""
        return any(step.written and not step.nullable for step in self.steps)

    def pick(self, record: Mapping[str, object]) -> object:
        """
        Take the leaf's value from a decoded record.

        Args:
            record: as the writer's schema says, logical types as bare numbers.
        Returns: the reader's value.
        Raises: RecordError when the reader can't take what was written.
        """
        if not self.steps:
            return self.constant
        value: object = record
        for depth, step in enumerate(self.steps):
            value = cast("Mapping[str, object]", value)[step.name]
            if value is None:
                if step.nullable:
                    return None
                where = ".".join(self.leaf.path.split(".")[: depth + 1])
                raise RecordError(
                    f"field {where!r} is null; {self.leaf.avro} is expected", reason="wrong_type"
                )
        try:
            return self.convert(value) if self.convert else value
        except ValueError as error:
            raise RecordError(f"field {self.leaf.path!r}: {error}", reason="wrong_type") from error


def resolve(writer: Record, reader: Record, path: str) -> Source | RecordError:
    """
    Find a reader's leaf in a writer's schema.

    Args:
        writer: what values are written with.
        reader: what the model needs.
        path: a leaf of the reader.
    Returns: where its values come from, or why no value of this writer can be read (`missing_field`,
        `wrong_type`).
    """
    steps: list[Step] = []
    wanted = find(reader, path)
    node: Node = writer
    for depth, field in enumerate(wanted):
        if not isinstance(node, Record):
            where = ".".join(f.name for f in wanted[:depth])
            return RecordError(f"field {where!r} is {_name(node)}; a record is expected", reason="wrong_type")
        position = _position(node, field)
        if position is None:
            return _default(wanted, depth)
        found = node.fields[position]
        nullable = strip_null(field.type)[1] or is_null(field.type)
        node, written = strip_null(found.type)
        steps.append(Step(found.name, position, written or is_null(node), nullable))
    return _source(node, wanted, tuple(steps))


def _position(record: Record, field: Field) -> int | None:
    """The writer's field of that name, else of one of the reader's aliases for it."""
    names = [found.name for found in record.fields]
    return next((names.index(name) for name in (field.name, *field.aliases) if name in names), None)


def _default(wanted: list[Field], depth: int) -> Source | RecordError:
    leaf = describe(wanted)
    value = wanted[depth].default
    for field in wanted[depth + 1 :]:
        value = value.get(field.name, field.default) if isinstance(value, dict) else value
    if value is ABSENT:
        where = ".".join(field.name for field in wanted[: depth + 1])
        return RecordError(f"field {where!r} is missing, and has no default", reason="missing_field")
    if leaf.type in ("bytes", "fixed") and isinstance(value, str):
        value = value.encode(
            "latin-1"
        )  # specification, "Complex Types", default: code points 0-255 are bytes
    storage = storage_type(strip_null(wanted[-1].type)[0])
    return Source(leaf, storage, (), value, None, True)


def _source(node: Node, wanted: list[Field], steps: tuple[Step, ...]) -> Source | RecordError:
    leaf = describe(wanted)
    expected = strip_null(wanted[-1].type)[0]
    branches = node.branches if isinstance(node, Union) else (node,)
    fitting = [branch for branch in branches if _fits(branch, expected)]
    if not fitting:
        return RecordError(
            f"field {leaf.path!r} is {_name(node)}; {_name(expected)} is expected", reason="wrong_type"
        )
    convert = _any_of(fitting, expected) if isinstance(node, Union) else _converter(node, expected)
    plain = not isinstance(node, Union) and _columnar(node, expected)
    columnar = plain and not any(step.written and not step.nullable for step in steps[:-1])
    return Source(leaf, storage_type(expected), steps, ABSENT, convert, columnar)


def _fits(written: Node, expected: Node) -> bool:
    """Whether some value of the written type can be read as the expected type."""
    if isinstance(written, Primitive) and isinstance(expected, Primitive):
        same = written.type == expected.type or expected.type in PROMOTIONS.get(written.type, ())
        return same and _same_unit(written, expected)
    if isinstance(written, Fixed) and isinstance(expected, Fixed):
        return written.size_bytes == expected.size_bytes
    if isinstance(written, Array) and isinstance(expected, Array):
        item, wanted = strip_null(written.items)[0], strip_null(expected.items)[0]
        return is_null(item) or _fits(item, wanted)
    return isinstance(written, Enum) and isinstance(expected, Enum)


def _same_unit(written: Primitive, expected: Primitive) -> bool:
    """Milliseconds read as microseconds would be a silent error by a thousand: Avro allows it, we don't."""
    unit = LOGICAL.get((written.type, written.logical or ""))
    other = LOGICAL.get((expected.type, expected.logical or ""))
    return unit is None or other is None or unit == other


def _columnar(written: Node, expected: Node) -> bool:
    if isinstance(written, Enum) and isinstance(expected, Enum):
        return set(written.symbols) <= set(expected.symbols)
    if isinstance(written, Array) and isinstance(expected, Array):
        item, written_null = strip_null(written.items)
        wanted, nullable = strip_null(expected.items)
        return _columnar(item, wanted) and (nullable or not written_null)
    return isinstance(written, Primitive)


def _converter(written: Node, expected: Node) -> Convert | None:
    if isinstance(written, Enum) and isinstance(expected, Enum):
        return None if set(written.symbols) <= set(expected.symbols) else _symbol(expected)
    if isinstance(written, Array) and isinstance(expected, Array):
        return _items(written, expected)
    if isinstance(written, Primitive) and isinstance(expected, Primitive) and written.type != expected.type:
        return _PROMOTE.get(expected.type)
    return None


def _symbol(expected: Enum) -> Convert:
    def convert(value: object) -> object:
        if value in expected.symbols:
            return value
        if expected.default is None:
            raise ValueError(f"symbol {value!r} is none of {', '.join(expected.symbols)}")
        return expected.default

    return convert


def _items(written: Array, expected: Array) -> Convert | None:
    item, written_null = strip_null(written.items)
    wanted, nullable = strip_null(expected.items)
    each = _any_of([item], wanted) if isinstance(item, Union) else _converter(item, wanted)
    if each is None and (nullable or not (written_null or is_null(item))):
        return None

    def convert(value: object) -> object:
        values = cast("list[object]", value)
        if None in values and not nullable:
            raise ValueError(f"item {values.index(None)} is null; {_name(wanted)} is expected")
        return [None if one is None else each(one) for one in values] if each else values

    return convert


def _any_of(fitting: list[Node], expected: Node) -> Convert:
    """For a written union of several types: fastavro doesn't say which it read, so Python's type decides."""
    kinds = {_PYTHON[branch.type] for branch in fitting if isinstance(branch, Primitive)}
    kinds |= {str for b in fitting if isinstance(b, Enum)} | {bytes for b in fitting if isinstance(b, Fixed)}
    kinds |= {list for branch in fitting if isinstance(branch, Array)}
    by_kind = {kind: _converter(b, expected) for b in fitting for kind in kinds if _is_of(b, kind)}

    def convert(value: object) -> object:
        if type(value) not in by_kind:
            raise ValueError(f"a {type(value).__name__} was written; {_name(expected)} is expected")
        change = by_kind[type(value)]
        return change(value) if change else value

    return convert


def _is_of(branch: Node, kind: type) -> bool:
    if isinstance(branch, Primitive):
        return _PYTHON[branch.type] is kind
    return kind is {Enum: str, Fixed: bytes, Array: list}.get(type(branch))


def _to_float(value: object) -> object:
    return float(cast("int", value))


def _to_bytes(value: object) -> object:
    return cast("str", value).encode()


def _to_text(value: object) -> object:
    return cast("bytes", value).decode()


_PROMOTE: dict[str, Convert] = {
    "float": _to_float,
    "double": _to_float,
    "bytes": _to_bytes,
    "string": _to_text,
}

_PYTHON: dict[str, type] = {
    "null": type(None),
    "boolean": bool,
    "int": int,
    "long": int,
    "float": float,
    "double": float,
    "bytes": bytes,
    "string": str,
}


def _name(node: Node) -> str:
    if isinstance(node, Primitive):
        return node.logical or node.type
    if isinstance(node, Array):
        return f"array of {_name(strip_null(node.items)[0])}"
    if isinstance(node, Union):
        return " or ".join(_name(branch) for branch in node.branches)
    return f"{type(node).__name__.lower()} {node.name}" if isinstance(node, Record | Enum | Fixed) else "map"
