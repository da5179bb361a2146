"""A written value read as the type that is expected: what Avro's rules of schema resolution make of each branch."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import TypeAlias

from stream.codec.checks import (
    PRIMITIVE_CHECKS,
    blocks_check,
    branch_written,
    enum_check,
    least_bytes,
    sized_check,
)
from stream.codec.nodes import Array, Enum, Fixed, Node, Primitive, Union, is_null
from stream.codec.promotion import alike, converter, fits, matching, type_name
from stream.codec.walk import INT_BYTES, LONG_BYTES, Walk, varint
from stream.types import Misfit

__all__ = ["Read", "typed_read"]

Read: TypeAlias = Callable[[Walk, int], tuple[int, object]]
"""Takes the position of a value, returns the position after it, and the value; raises Invalid or Misfit."""


def typed_read(written: Node, expected: Node) -> Read:
    """
    Make what reads the values of a written type.

    Args:
        written: the writer's type.
        expected: the reader's.
    Returns: reads one as a bare value of the reader's type. It raises Invalid for bytes that are not a value of the
        writer's type; Misfit for a value that the reader can't take, which may be any.
    Source: Avro 1.12 specification, "Schema Resolution"; Avro Java 1.12.1, `Resolver`.
    """
    if isinstance(written, Union):
        return _union(
            [
                typed_read(branch, expected)
                if alike(written, branch, expected)
                else _refusal(branch, expected)
                for branch in written.branches
            ]
        )
    branch = matching(written, expected)
    if branch is None or not fits(written, branch):
        return _refusal(written, expected)
    if isinstance(written, Array) and isinstance(branch, Array):
        return _array(written.items, branch.items)
    read_bare, change = _bare(written, branch), converter(written, branch)
    if change is None:
        return read_bare

    def read_changed(walk: Walk, at: int) -> tuple[int, object]:
        end, value = read_bare(walk, at)
        return end, change(value)

    return read_changed


def _union(branches: Sequence[Read]) -> Read:
    def read(walk: Walk, at: int) -> tuple[int, object]:
        index, start = branch_written(walk, at, len(branches))
        return branches[index](walk, start)

    return read


def _refusal(written: Node, expected: Node) -> Read:
    what = "null" if is_null(written) else type_name(written)
    text = f"{what} was written; {type_name(expected)} is expected"

    def read(walk: Walk, at: int) -> tuple[int, object]:
        raise Misfit(text)

    return read


def _array(written: Node, expected: Node) -> Read:
    read_item = typed_read(written, expected)

    def item(walk: Walk, at: int) -> int:
        end, value = read_item(walk, at)
        walk.items.append(value)
        return end

    check = blocks_check(item, least_bytes(written, frozenset()))

    def read(walk: Walk, at: int) -> tuple[int, object]:
        outer, walk.items = walk.items, []
        end = check(walk, at)
        items, walk.items = walk.items, outer
        return end, items

    return read


def _bare(written: Node, expected: Node) -> Read:
    if isinstance(written, Enum):
        return _symbol(written)
    if isinstance(written, Fixed):
        return _fixed(written.size_bytes)
    kind = written.type if isinstance(written, Primitive) else ""
    # Bytes that are read as a text must be one: that is a fault of the bytes, not of the type.
    return _text if isinstance(expected, Primitive) and expected.type == "string" else _READS[kind]


def _symbol(enum: Enum) -> Read:
    check = enum_check(enum)

    def read(walk: Walk, at: int) -> tuple[int, object]:
        return check(walk, at), enum.symbols[varint(walk, at, INT_BYTES, "int")[0]]

    return read


def _fixed(size: int) -> Read:
    check = sized_check(size)

    def read(walk: Walk, at: int) -> tuple[int, object]:
        end = check(walk, at)
        return end, walk.data[at:end]

    return read


def _null(walk: Walk, at: int) -> tuple[int, object]:
    return at, None


def _boolean(walk: Walk, at: int) -> tuple[int, object]:
    return PRIMITIVE_CHECKS["boolean"](walk, at), walk.data[at : at + 1] == b"\x01"


def _int(walk: Walk, at: int) -> tuple[int, object]:
    value, end = varint(walk, at, INT_BYTES, "int")
    return end, value


def _long(walk: Walk, at: int) -> tuple[int, object]:
    value, end = varint(walk, at, LONG_BYTES, "long")
    return end, value


def _float(walk: Walk, at: int) -> tuple[int, object]:
    end = PRIMITIVE_CHECKS["float"](walk, at)
    return end, struct.unpack_from("<f", walk.data, at)[0]


def _double(walk: Walk, at: int) -> tuple[int, object]:
    end = PRIMITIVE_CHECKS["double"](walk, at)
    return end, struct.unpack_from("<d", walk.data, at)[0]


def _bytes(walk: Walk, at: int) -> tuple[int, object]:
    end = PRIMITIVE_CHECKS["bytes"](walk, at)
    return end, walk.data[varint(walk, at, LONG_BYTES, "long")[1] : end]


def _text(walk: Walk, at: int) -> tuple[int, object]:
    end = PRIMITIVE_CHECKS["string"](walk, at)
    return end, walk.data[varint(walk, at, LONG_BYTES, "long")[1] : end].decode()


_READS: dict[str, Read] = {
    "null": _null,
    "boolean": _boolean,
    "int": _int,
    "long": _long,
    "float": _float,
    "double": _double,
    "bytes": _bytes,
    "string": _text,
}
