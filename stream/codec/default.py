"""Defaults: what a schema's JSON says a field is when the writer hasn't got it."""

from __future__ import annotations

from collections.abc import Callable

from stream.codec.nodes import ABSENT, Array, Enum, Fixed, Map, Node, Primitive, Record, Union

__all__ = ["fits", "stored"]

INT_BITS, LONG_BITS = 32, 64


def fits(value: object, node: Node) -> bool:
    """
    Say whether a default is one of its type.

    Args:
        value: the JSON value.
        node: the field's type.
    Returns: True when some branch of a union, or the type itself, holds it.
    Source: Avro 1.12 specification, "Complex Types", table of field defaults.
    """
    if isinstance(node, Union):
        return any(fits(value, branch) for branch in node.branches)
    if isinstance(node, Primitive):
        return _PRIMITIVES[node.type](value)
    if isinstance(node, Enum):
        return value in node.symbols
    if isinstance(node, Fixed):
        return _is_bytes(value) and isinstance(value, str) and len(value) == node.size_bytes
    if isinstance(node, Array):
        return isinstance(value, list) and all(fits(item, node.items) for item in value)
    if isinstance(node, Map):
        return isinstance(value, dict) and all(fits(item, node.values) for item in value.values())
    return isinstance(value, dict) and _fits_record(value, node)


def stored(value: object, node: Node) -> object:
    """
    Turn a default into the value that a decoder gives for the type.

    Args:
        value: the JSON value; it fits.
        node: the leaf's type, null taken off.
    Returns: bytes for bytes and fixed, a float for float and double, items of arrays likewise.
    """
    kind = node.type if isinstance(node, Primitive) else ""
    if isinstance(value, str) and (kind == "bytes" or isinstance(node, Fixed)):
        return value.encode("latin-1")  # code points 0 to 255 stand for bytes
    if isinstance(value, int | float) and kind in ("float", "double"):
        return float(value)
    if isinstance(value, list) and isinstance(node, Array):
        return [stored(item, node.items) for item in value]
    if isinstance(node, Union) and value is not None:
        return next(stored(value, branch) for branch in node.branches if fits(value, branch))
    return value


def _fits_record(value: dict[str, object], record: Record) -> bool:
    given = [(field, value.get(field.name, field.default)) for field in record.fields]
    return all(one is not ABSENT and fits(one, field.type) for field, one in given)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_bytes(value: object) -> bool:
    return isinstance(value, str) and all(ord(point) < 256 for point in value)


def _is_integer(bits: int) -> Callable[[object], bool]:
    limit = 1 << (bits - 1)
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and -limit <= value < limit


_PRIMITIVES: dict[str, Callable[[object], bool]] = {
    "null": lambda value: value is None,
    "boolean": lambda value: isinstance(value, bool),
    "int": _is_integer(INT_BITS),
    "long": _is_integer(LONG_BITS),
    "float": _is_number,
    "double": _is_number,
    "bytes": _is_bytes,
    "string": lambda value: isinstance(value, str),
}
