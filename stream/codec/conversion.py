"""How the values of a written type become the reader's, for which it may be taken (`promotion`)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeAlias, cast

from stream.codec.canonical import canonical_form
from stream.codec.node_types import plain_type, type_or_trouble
from stream.codec.nodes import Array, Enum, Field, Map, Node, Primitive, Record, several, strip_null
from stream.types import AvroType, Misfit, type_of

__all__ = ["Convert", "columnar", "converter"]

Convert: TypeAlias = Callable[[object], object]
"""Turns a written value into the reader's; raises Misfit if it can't."""


def columnar(written: Node, expected: Node) -> bool:
    """
    Say whether every value of a written type can be read as the expected one, by an Arrow cast at most.

    Args:
        written: the writer's type, null taken off; it `fits`.
        expected: the reader's type, null taken off.
    Returns: False where values must be looked at one by one.
    """
    if several(expected):
        return False
    if isinstance(written, Enum) and isinstance(expected, Enum):
        return set(written.symbols) <= set(expected.symbols)
    if isinstance(written, Array) and isinstance(expected, Array):
        item, written_null = strip_null(written.items)
        wanted, nullable = strip_null(expected.items)
        return columnar(item, wanted) and (nullable or not written_null)
    if isinstance(written, Map | Record):
        return _same(written, expected)
    return isinstance(written, Primitive) and _rescaled(written, expected) is None


def _same(written: Node, expected: Node) -> bool:
    """Whether a type with types in it is the same."""
    kinds = [type_or_trouble(node) for node in (written, expected)]
    names = [kind.full_name for kind in kinds if isinstance(kind, AvroType)]
    return len(names) == len(kinds) and names[0] == names[1] and _canonical(written) == _canonical(expected)


def _canonical(node: Node) -> str:
    return canonical_form(Record("of", [Field("x", node)]))


def _rescaled(written: Node, expected: Node) -> Convert | None:
    """The change of unit between two types, if there is one."""
    meant, wanted = plain_type(written), plain_type(expected)
    if meant is None or wanted is None or meant.measure == wanted.measure:
        return None
    return wanted.rescaled(meant)


def converter(written: Node, expected: Node) -> Convert | None:
    """
    Make the change from a written value to the reader's.

    Args:
        written: the writer's type, no union and no array; it `fits`.
        expected: the reader's type, no union.
    Returns: the function; None where nothing changes (bytes that are read as a text are one).
    """
    change = _change(written, expected)
    wanted = plain_type(expected)
    return partial(_checked, change, wanted) if wanted is not None and wanted.checked else change


def _checked(change: Convert | None, wanted: AvroType, value: object) -> object:
    changed = change(value) if change else value
    wanted.check(changed)
    return changed


def _change(written: Node, expected: Node) -> Convert | None:
    if isinstance(written, Enum) and isinstance(expected, Enum):
        return _symbol(expected)
    if (rescaled := _rescaled(written, expected)) is not None:
        return rescaled
    if isinstance(written, Primitive) and isinstance(expected, Primitive) and written.type != expected.type:
        return _PROMOTE.get(expected.type)
    return None


def _symbol(expected: Enum) -> Convert:
    def convert(value: object) -> object:
        if value in expected.symbols:
            return value
        if expected.default is None:
            raise Misfit(f"symbol {value!r} is not one of {', '.join(expected.symbols)}")
        return expected.default

    return convert


def _to_double(value: object) -> object:
    return _DOUBLE.read(value, text=False)


def _to_float(value: object) -> object:
    return _FLOAT.read(value, text=False)


def _to_bytes(value: object) -> object:
    return cast("str", value).encode()


_DOUBLE, _FLOAT = type_of("double"), type_of("float")
"""A whole number that they would round is refused; Avro allows it, but the model would get another number."""

_PROMOTE: dict[str, Convert] = {
    "float": _to_float,
    "double": _to_double,
    "bytes": _to_bytes,
}
