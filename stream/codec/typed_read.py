"""A written value read as the type that is expected: what Avro's rules of schema resolution make of each branch."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from stream.codec.checks import (
    PRIMITIVE_CHECKS,
    blocks_check,
    branch_written,
    enum_check,
    least_bytes,
    record_check,
    sized_check,
)
from stream.codec.conversion import converter
from stream.codec.default import stored
from stream.codec.nodes import (
    ABSENT,
    Array,
    Enum,
    Field,
    Fixed,
    Map,
    Node,
    Primitive,
    Record,
    Union,
    branch_name,
    is_null,
    several,
    strip_null,
)
from stream.codec.promotion import alike, fits, matching, position_of
from stream.codec.strict import Checker
from stream.codec.type_names import type_name
from stream.codec.walk import INT_BYTES, LONG_BYTES, Check, Walk, varint
from stream.types import Misfit, key_place

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
    read = _of_one_type(written, branch)
    return _named(read, branch_name(branch)) if several(expected) and not is_null(branch) else read


def _of_one_type(written: Node, branch: Node) -> Read:
    if isinstance(written, Array) and isinstance(branch, Array):
        return _array(written.items, branch.items)
    if isinstance(written, Map) and isinstance(branch, Map):
        return _map(written.values, branch.values)
    if isinstance(written, Record) and isinstance(branch, Record):
        return _record(written, branch)
    read_bare, change = _bare(written, branch), converter(written, branch)
    if change is None:
        return read_bare

    def read_changed(walk: Walk, at: int) -> tuple[int, object]:
        end, value = read_bare(walk, at)
        return end, change(value)

    return read_changed


def _named(read: Read, name: str) -> Read:
    """Says which of the reader's several types the value is of."""

    def read_named(walk: Walk, at: int) -> tuple[int, object]:
        end, value = read(walk, at)
        return end, {name: value}

    return read_named


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
        try:
            end, value = read_item(walk, at)
        except Misfit as misfit:
            raise misfit.within(f"[{len(walk.items)}]") from misfit
        walk.items.append(value)
        return end

    check = blocks_check(item, least_bytes(written, frozenset()))

    def read(walk: Walk, at: int) -> tuple[int, object]:
        outer, walk.items = walk.items, []
        end = check(walk, at)
        items, walk.items = walk.items, outer
        return end, items

    return read


def _map(written: Node, expected: Node) -> Read:
    read_value = typed_read(written, expected)

    def entry(walk: Walk, at: int) -> int:
        start, key = _text(walk, at)
        try:
            end, walk.members[str(key)] = read_value(walk, start)
        except Misfit as misfit:
            raise misfit.within(key_place(str(key))) from misfit
        return end

    return _gathered(blocks_check(entry, 1), {})


def _record(written: Record, expected: Record) -> Read:
    """As `typed_read`, of records: fields by name or alias, the reader's defaults, the writer's others passed over."""
    wanted: dict[int, list[Field]] = {}
    missing: dict[str, object] = {}
    for field in expected.fields:
        position = position_of(written, field)
        if position is not None:
            wanted.setdefault(position, []).append(field)
        elif field.default is ABSENT:
            return _without(field.name)
        else:
            missing[field.name] = stored(field.default, strip_null(field.type)[0])
    checker = Checker(written)
    fields = [
        (found.name, _members(found.type, wanted[i]) if i in wanted else checker.compile(found.type))
        for i, found in enumerate(written.fields)
    ]
    return _gathered(record_check(fields), missing)


def _members(written: Node, wanted: Sequence[Field]) -> Check:
    """Of one written field what one of the reader's, or more by their aliases, make of it."""
    reads = [(field.name, typed_read(written, field.type)) for field in wanted]

    def check(walk: Walk, at: int) -> int:
        end = at
        for name, read in reads:
            try:
                end, walk.members[name] = read(walk, at)
            except Misfit as misfit:
                raise misfit.within(name) from misfit
        return end

    return check


def _without(name: str) -> Read:
    def read(walk: Walk, at: int) -> tuple[int, object]:
        raise Misfit("it is not written, and has no default", name, reason="missing_field")

    return read


def _gathered(check: Check, first: Mapping[str, object]) -> Read:
    """The members that a check puts into its walk, beside some that are always there."""

    def read(walk: Walk, at: int) -> tuple[int, object]:
        outer, walk.members = walk.members, dict(first)
        end = check(walk, at)
        found, walk.members = walk.members, outer
        return end, found

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
