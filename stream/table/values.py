"""Single foreign values (of a file, a query, a request) → values of an Avro schema's type, or a Misfit."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeAlias

from stream.codec import Array, Map, Node, Record, Union, is_null, strip_null, type_at
from stream.types import Misfit, Read, mismatch, nullable_reader, read_list

__all__ = ["Records", "reader_of"]

Records: TypeAlias = Callable[..., Callable[[dict[str, Any]], dict[str, Any]]]
"""Makes the reader of a record."""


def reader_of(node: Node, text: bool, records: Records) -> Read:
    """
    The function that reads values of a type.

    Args:
        node: the Avro type.
        text: whether texts stand for numbers, dates … (csv).
        records: makes the readers of nested records; called when the first value comes, so that a record may
            contain itself.
    Returns: the function; it raises Misfit.
    """
    bare, nullable = strip_null(node)
    plain = type_at(bare)
    if plain is not None:
        return plain.reader(nullable=nullable, text=text)
    expected = type(bare).__name__.lower()
    return nullable_reader(_single(bare, text, records), expected, nullable=nullable, text=text)


def _single(node: Node, text: bool, records: Records) -> Read:
    plain = type_at(node)
    if plain is not None:
        return partial(plain.read, text=text)
    match node:
        case Union():
            return _several(node, text, records)
        case Array():
            return partial(read_list, each=reader_of(node.items, False, records), text=text)
        case Map():
            return _map(reader_of(node.values, False, records))
        case Record():
            return _record(node, text, records)
    raise AssertionError(node)  # every other node has a type


def _several(union: Union, text: bool, records: Records) -> Read:
    """Takes a value as the first branch that it fits."""
    readers = [_single(branch, text, records) for branch in union.branches if not is_null(branch)]

    def convert(value: Any) -> Any:
        for read in readers:
            try:
                return read(value)
            except Misfit:
                continue
        raise mismatch("one of the union's types", value)

    return convert


def _record(node: Record, text: bool, records: Records) -> Read:
    made: list[Callable[[dict[str, Any]], dict[str, Any]]] = []

    def convert(value: Any) -> Any:
        if not isinstance(value, dict):
            raise mismatch("an object", value)
        if not made:
            made.append(records(node, text=text))
        return made[0](value)

    return convert


def _map(read: Read) -> Read:
    def convert(value: Any) -> Any:
        # Arrow gives a map as a list of pairs.
        pairs = dict(value) if isinstance(value, list) else value
        if not isinstance(pairs, dict):
            raise mismatch("an object", value)
        return {str(key): read(item) for key, item in pairs.items()}

    return convert
