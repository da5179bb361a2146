"""The check of each kind of type: a step of a walk that passes a valid value, or says what is wrong there."""

from __future__ import annotations

from stream.codec.nodes import Enum, Fixed, Node, Primitive, Record
from stream.codec.walk import INT_BYTES, LONG_BYTES, Check, Invalid, Walk, block_head, varint

__all__ = [
    "MAX_DEPTH",
    "MAX_EMPTY_ITEMS",
    "PRIMITIVE_CHECKS",
    "blocks_check",
    "branch_written",
    "entry_check",
    "enum_check",
    "least_bytes",
    "record_check",
    "sized_check",
    "union_check",
]

MAX_DEPTH = 64
"""Records inside records of one value. Schemas that contain themselves could exhaust the stack."""

MAX_EMPTY_ITEMS = 10_000
"""Items without bytes (null, empty record) in one value: five bytes could claim 2^31 of them."""


def _null(walk: Walk, at: int) -> int:
    return at


def _int(walk: Walk, at: int) -> int:
    if at < walk.end and walk.data[at] < 0x80:
        return at + 1
    return varint(walk, at, INT_BYTES, "int")[1]


def _long(walk: Walk, at: int) -> int:
    if at < walk.end and walk.data[at] < 0x80:
        return at + 1
    return varint(walk, at, LONG_BYTES, "long")[1]


def _boolean(walk: Walk, at: int) -> int:
    if at >= walk.end:
        raise Invalid("truncated", "the value ends before a boolean", at)
    if walk.data[at] > 1:
        raise Invalid("bad_boolean", f"a boolean is 00 or 01, found {walk.data[at]:02x}", at)
    return at + 1


def sized_check(size: int) -> Check:
    """Of so many bytes."""

    def check(walk: Walk, at: int) -> int:
        if at + size > walk.end:
            raise Invalid("truncated", f"{size} bytes expected, {walk.end - at} left", at)
        return at + size

    return check


def _bytes(walk: Walk, at: int) -> int:
    length, start = varint(walk, at, LONG_BYTES, "long")
    if length < 0:
        raise Invalid("bad_length", f"negative length {length}", at)
    if length > walk.end - start:
        raise Invalid("truncated", f"{length} bytes announced, {walk.end - start} left", at)
    return start + length


def _string(walk: Walk, at: int) -> int:
    end = _bytes(walk, at)
    start = varint(walk, at, LONG_BYTES, "long")[1]
    try:
        walk.data[start:end].decode()
    except UnicodeDecodeError as error:
        raise Invalid("invalid_utf8", f"not UTF-8: {error.reason}", start + error.start) from None
    return end


PRIMITIVE_CHECKS: dict[str, Check] = {
    "null": _null,
    "boolean": _boolean,
    "int": _int,
    "long": _long,
    "float": sized_check(4),
    "double": sized_check(8),
    "bytes": _bytes,
    "string": _string,
}


def enum_check(enum: Enum) -> Check:
    """Of a symbol."""

    def check(walk: Walk, at: int) -> int:
        index, end = varint(walk, at, INT_BYTES, "int")
        if not 0 <= index < len(enum.symbols):
            text = f"enum {enum.name} has symbols 0 to {len(enum.symbols) - 1}, found {index}"
            raise Invalid("bad_enum_index", text, at)
        return end

    return check


def branch_written(walk: Walk, at: int, count: int) -> tuple[int, int]:
    """Which of a union's branches was written, and where its value starts. Raises: Invalid."""
    index, start = varint(walk, at, LONG_BYTES, "long")
    if not 0 <= index < count:
        raise Invalid("bad_union_index", f"the union has branches 0 to {count - 1}, found {index}", at)
    return index, start


def union_check(branches: list[Check]) -> Check:
    """Of the branch that was written."""

    def check(walk: Walk, at: int) -> int:
        index, start = branch_written(walk, at, len(branches))
        return branches[index](walk, start)

    return check


def entry_check(value: Check) -> Check:
    """Of a map's key and value."""
    return lambda walk, at: value(walk, _string(walk, at))


def blocks_check(item: Check, least_bytes: int) -> Check:
    """Of the blocks of an array or map, whose items take so many bytes at least."""

    def check(walk: Walk, at: int) -> int:
        while True:
            count, start, stop = block_head(walk, at)
            if count == 0:
                return start
            _limit(walk, count, least_bytes, at, start)
            end = start
            for _ in range(count):
                end = item(walk, end)
            # A reader that skips the block trusts its size: a wrong one would give one value two readings.
            if stop is not None and end != stop:
                raise Invalid(
                    "bad_block", f"the block's size says {stop - start} bytes, it has {end - start}", at
                )
            at = end

    return check


def _limit(walk: Walk, count: int, least_bytes: int, at: int, start: int) -> None:
    if count * least_bytes > walk.end - start:
        raise Invalid("truncated", f"{count} items announced, {walk.end - start} bytes left", at)
    if not least_bytes:
        walk.empty += count
        if walk.empty > MAX_EMPTY_ITEMS:
            raise _too_many(at)


def _too_many(at: int) -> Invalid:
    return Invalid("too_many_items", f"more than {MAX_EMPTY_ITEMS} items that take no bytes", at)


def record_check(fields: list[tuple[str, Check]]) -> Check:
    """Of the fields, in order; a fault has the names on its path."""

    def check(walk: Walk, at: int) -> int:
        walk.depth += 1
        if walk.depth > MAX_DEPTH:
            raise Invalid("too_deep", f"more than {MAX_DEPTH} records inside each other", at)
        current, start = "", at
        try:
            for current, field in fields:  # noqa: B007
                at = field(walk, at)
        except Invalid as fault:
            fault.path.append(current)
            raise
        if at == start:
            # A record of two records of two records … of nulls: 2^n of them in no bytes at all.
            walk.empty += 1
            if walk.empty > MAX_EMPTY_ITEMS:
                raise _too_many(at)
        walk.depth -= 1
        return at

    return check


def least_bytes(node: Node, seen: frozenset[str]) -> int:
    """The fewest bytes that a value of this type takes."""
    if isinstance(node, Primitive):
        return {"null": 0, "float": 4, "double": 8}.get(node.type, 1)
    if isinstance(node, Fixed):
        return node.size_bytes
    if not isinstance(node, Record):
        return 1
    if node.name in seen:
        return 0
    return sum(least_bytes(field.type, seen | {node.name}) for field in node.fields)
