"""Which written types a reader may take for its own, and how values change on the way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias, cast

import numpy as np

from stream.codec.leaf import type_at
from stream.codec.nodes import Array, Enum, Fixed, Node, Primitive, Record, Union, is_null, strip_null
from stream.types import type_of

__all__ = ["Convert", "any_of", "columnar", "converter", "fits", "type_name"]

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


INT_LIMIT = 1 << 31
"""One more than the largest int."""


def fits(written: Node, expected: Node) -> bool:
    """
    Say whether some value of a written type can be read as the expected one.

    Args:
        written: the writer's type, null taken off.
        expected: the reader's type, null taken off.
    Returns: True also where it depends on the value: a union's branch, an enum's symbol.
    """
    if isinstance(written, Union):
        return any(fits(branch, expected) for branch in written.branches)
    if isinstance(written, Primitive) and isinstance(expected, Primitive):
        same = written.type == expected.type or expected.type in PROMOTIONS.get(written.type, ())
        return same and _same_unit(written, expected)
    if isinstance(written, Fixed) and isinstance(expected, Fixed):
        return written.size_bytes == expected.size_bytes
    if isinstance(written, Array) and isinstance(expected, Array):
        item, wanted = strip_null(written.items)[0], strip_null(expected.items)[0]
        return is_null(item) or fits(item, wanted)
    return isinstance(written, Enum) and isinstance(expected, Enum)


def _same_unit(written: Primitive, expected: Primitive) -> bool:
    """Milliseconds read as microseconds would be a silent error by a thousand: Avro allows it, we don't."""
    meant = [type_of(node.type, node.logical) for node in (written, expected)]
    bare = any(one.arrow == one.storage for one in meant)
    return bare or meant[0].arrow == meant[1].arrow


def columnar(written: Node, expected: Node) -> bool:
    """
    Say whether every value of a written type can be read as the expected one, by an Arrow cast at most.

    Args:
        written: the writer's type, null taken off; it `fits`.
        expected: the reader's type, null taken off.
    Returns: False where values must be looked at one by one.
    """
    if isinstance(written, Enum) and isinstance(expected, Enum):
        return set(written.symbols) <= set(expected.symbols)
    if isinstance(written, Array) and isinstance(expected, Array):
        item, written_null = strip_null(written.items)
        wanted, nullable = strip_null(expected.items)
        return columnar(item, wanted) and (nullable or not written_null)
    return isinstance(written, Primitive)


def converter(written: Node, expected: Node) -> Convert | None:
    """
    Make the change from a written value to the reader's.

    Args:
        written: the writer's type, null taken off, no union; it `fits`.
        expected: the reader's type, null taken off.
    Returns: the function; None where nothing changes.
    """
    if isinstance(written, Enum) and isinstance(expected, Enum):
        return _symbol(expected)
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
            raise ValueError(f"symbol {value!r} is not one of {', '.join(expected.symbols)}")
        return expected.default

    return convert


def _items(written: Array, expected: Array) -> Convert | None:
    item, written_null = strip_null(written.items)
    wanted, nullable = strip_null(expected.items)
    each = any_of(item.branches, wanted) if isinstance(item, Union) else converter(item, wanted)
    if each is None and (nullable or not (written_null or is_null(item))):
        return None

    def convert(value: object) -> object:
        values = cast("list[object]", value)
        if None in values and not nullable:
            raise ValueError(f"item {values.index(None)} is null; {type_name(wanted)} is expected")
        return [None if one is None else each(one) for one in values] if each else values

    return convert


def any_of(branches: Sequence[Node], expected: Node) -> Convert:
    """
    Make the change for a written union of several types.

    fastavro doesn't say which branch it read, so Python's type and the value decide: of int and long, read as
    int, a long that fits is taken too.

    Args:
        branches: the written types, null taken off.
        expected: the reader's type, null taken off.
    Returns: a function that raises ValueError for values of other branches.
    """
    by_kind = {_python_type(b): converter(b, expected) for b in branches if fits(b, expected)}

    def convert(value: object) -> object:
        if type(value) not in by_kind or not _holds(expected, value):
            raise ValueError(f"a {type(value).__name__} was written; {type_name(expected)} is expected")
        change = by_kind[type(value)]
        return change(value) if change else value

    return convert


def _python_type(node: Node) -> type:
    found = type_at(node)
    if found is not None:
        return found.python
    return list if isinstance(node, Array) else dict


def _holds(expected: Node, value: object) -> bool:
    """False for the value of a branch that fits by Python's type alone."""
    if isinstance(value, int) and isinstance(expected, Primitive) and expected.type == "int":
        return -INT_LIMIT <= value < INT_LIMIT
    return not (isinstance(value, bytes) and isinstance(expected, Fixed)) or len(value) == expected.size_bytes


def _to_double(value: object) -> object:
    return float(cast("int", value))


def _to_float(value: object) -> object:
    # Rounded once, from all 64 bits, as Java does and as Arrow casts; through a double it would be rounded twice.
    return float(np.float32(np.int64(cast("int", value))))


def _to_bytes(value: object) -> object:
    return cast("str", value).encode()


def _to_text(value: object) -> object:
    return cast("bytes", value).decode()


_PROMOTE: dict[str, Convert] = {
    "float": _to_float,
    "double": _to_double,
    "bytes": _to_bytes,
    "string": _to_text,
}


def type_name(node: Node) -> str:
    """A type's name for people: `double`, `timestamp-millis`, `array of int`, `enum Colour`."""
    if isinstance(node, Primitive):
        return node.logical or node.type
    if isinstance(node, Array):
        return f"array of {type_name(strip_null(node.items)[0])}"
    if isinstance(node, Union):
        return " or ".join(type_name(branch) for branch in node.branches)
    return f"{type(node).__name__.lower()} {node.name}" if isinstance(node, Record | Enum | Fixed) else "map"
