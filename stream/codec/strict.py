"""Is this a valid Avro value of that schema? Our own answer, since the decoders accept much that is not."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from stream.codec.nodes import Array, Enum, Fixed, Map, Node, Primitive, Record, Union
from stream.errors import RecordError

__all__ = ["MAX_DEPTH", "MAX_EMPTY_ITEMS", "Checker"]

MAX_DEPTH = 64
"""Records inside records of one value. Schemas that contain themselves could exhaust the stack."""

MAX_EMPTY_ITEMS = 10_000
"""Items without bytes (null, empty record) in one value: five bytes could claim 2^31 of them."""

INT_BYTES, LONG_BYTES = 5, 10
"""The longest varint of 32 and 64 bits, 7 bits to a byte."""


class _Invalid(Exception):
    """What is wrong, where; the path grows while the walk unwinds."""

    def __init__(self, reason: str, text: str, position: int) -> None:
        super().__init__(text)
        self.reason, self.text, self.position = reason, text, position
        self.path: list[str] = []


class _Walk:
    """The state of one walk: the bytes, how deep it is, how many empty items it has seen."""

    __slots__ = ("data", "depth", "empty", "end")

    def __init__(self, data: bytes) -> None:
        self.data, self.end = data, len(data)
        self.depth = self.empty = 0


_Check: TypeAlias = Callable[[_Walk, int], int]
"""Takes the position of a value, returns the position after it."""


class Checker:
    """
    The check for one schema; make it once.

    Non-minimal varints (`80 00` for 0) within 5 bytes of an int and 10 of a long are valid: the specification
    does not forbid them and Java's decoder reads them.
    """

    def __init__(self, root: Record) -> None:
        self._records: dict[str, _Check] = {}
        self._walk = self._compile(root)

    def check(self, data: bytes) -> RecordError | None:
        """
        Walk a value.

        Args:
            data: the Avro bytes, without framing.
        Returns: None when they are exactly one valid value of the schema, else what is wrong: the field's
            path, the byte's position, and a reason.
        """
        walk = _Walk(data)
        try:
            end = self._walk(walk, 0)
            if end < walk.end:
                raise _Invalid("trailing_bytes", f"{walk.end - end} bytes too many", end)
        except _Invalid as fault:
            field = ".".join(reversed(fault.path)) or None
            place = f"field {field!r}, " if field else ""
            return RecordError(
                f"{place}byte {fault.position}: {fault.text}", reason=fault.reason, field=field
            )
        return None

    def _compile(self, node: Node) -> _Check:
        if isinstance(node, Primitive):
            return _PRIMITIVES[node.type]
        if isinstance(node, Fixed):
            return _sized(node.size_bytes)
        if isinstance(node, Enum):
            return _enum(node)
        if isinstance(node, Union):
            return _union([self._compile(branch) for branch in node.branches])
        if isinstance(node, Array):
            return _blocks(self._compile(node.items), _least_bytes(node.items, frozenset()))
        if isinstance(node, Map):
            return _blocks(_entry(self._compile(node.values)), 1)
        return self._record(node)

    def _record(self, record: Record) -> _Check:
        if record.name not in self._records:
            fields: list[tuple[str, _Check]] = []  # filled afterwards: a record may contain itself
            self._records[record.name] = _record(fields)
            fields += [(field.name, self._compile(field.type)) for field in record.fields]
        return self._records[record.name]


def _varint(walk: _Walk, at: int, most_bytes: int, kind: str) -> tuple[int, int]:
    data, value, shift = walk.data, 0, 0
    for position in range(at, min(at + most_bytes, walk.end)):
        byte = data[position]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            if value >> (32 if most_bytes == INT_BYTES else 64):
                raise _Invalid(f"{kind}_out_of_range", f"more bits than an Avro {kind} has", at)
            return (value >> 1) ^ -(value & 1), position + 1
        shift += 7
    if at + most_bytes <= walk.end:
        raise _Invalid(f"{kind}_out_of_range", f"the {kind} is longer than {most_bytes} bytes", at)
    raise _Invalid("truncated", f"the value ends inside {'an' if kind == 'int' else 'a'} {kind}", walk.end)


def _null(walk: _Walk, at: int) -> int:
    return at


def _int(walk: _Walk, at: int) -> int:
    if at < walk.end and walk.data[at] < 0x80:
        return at + 1
    return _varint(walk, at, INT_BYTES, "int")[1]


def _long(walk: _Walk, at: int) -> int:
    if at < walk.end and walk.data[at] < 0x80:
        return at + 1
    return _varint(walk, at, LONG_BYTES, "long")[1]


def _boolean(walk: _Walk, at: int) -> int:
    if at >= walk.end:
        raise _Invalid("truncated", "the value ends before a boolean", at)
    if walk.data[at] > 1:
        raise _Invalid("bad_boolean", f"a boolean is 00 or 01, found {walk.data[at]:02x}", at)
    return at + 1


def _sized(size: int) -> _Check:
    def check(walk: _Walk, at: int) -> int:
        if at + size > walk.end:
            raise _Invalid("truncated", f"{size} bytes expected, {walk.end - at} left", at)
        return at + size

    return check


def _bytes(walk: _Walk, at: int) -> int:
    length, start = _varint(walk, at, LONG_BYTES, "long")
    if length < 0:
        raise _Invalid("bad_length", f"negative length {length}", at)
    if length > walk.end - start:
        raise _Invalid("truncated", f"{length} bytes announced, {walk.end - start} left", at)
    return start + length


def _string(walk: _Walk, at: int) -> int:
    end = _bytes(walk, at)
    start = _varint(walk, at, LONG_BYTES, "long")[1]
    try:
        walk.data[start:end].decode()
    except UnicodeDecodeError as error:
        raise _Invalid("invalid_utf8", f"not UTF-8: {error.reason}", start + error.start) from None
    return end


_PRIMITIVES: dict[str, _Check] = {
    "null": _null,
    "boolean": _boolean,
    "int": _int,
    "long": _long,
    "float": _sized(4),
    "double": _sized(8),
    "bytes": _bytes,
    "string": _string,
}


def _enum(enum: Enum) -> _Check:
    def check(walk: _Walk, at: int) -> int:
        index, end = _varint(walk, at, INT_BYTES, "int")
        if not 0 <= index < len(enum.symbols):
            text = f"enum {enum.name} has symbols 0 to {len(enum.symbols) - 1}, found {index}"
            raise _Invalid("bad_enum_index", text, at)
        return end

    return check


def _union(branches: list[_Check]) -> _Check:
    def check(walk: _Walk, at: int) -> int:
        index, start = _varint(walk, at, LONG_BYTES, "long")
        if not 0 <= index < len(branches):
            text = f"the union has branches 0 to {len(branches) - 1}, found {index}"
            raise _Invalid("bad_union_index", text, at)
        return branches[index](walk, start)

    return check


def _entry(value: _Check) -> _Check:
    return lambda walk, at: value(walk, _string(walk, at))


def _blocks(item: _Check, least_bytes: int) -> _Check:
    def check(walk: _Walk, at: int) -> int:
        while True:
            count, start, stop = _block_head(walk, at)
            if count == 0:
                return start
            _limit(walk, count, least_bytes, at, start)
            end = start
            for _ in range(count):
                end = item(walk, end)
            # A reader that skips the block trusts its size: a wrong one would give one value two readings.
            if stop is not None and end != stop:
                raise _Invalid(
                    "bad_block", f"the block's size says {stop - start} bytes, it has {end - start}", at
                )
            at = end

    return check


def _block_head(walk: _Walk, at: int) -> tuple[int, int, int | None]:
    """How many items, where they start, and where they stop if the block says so."""
    count, start = _varint(walk, at, LONG_BYTES, "long")
    if count >= 0:
        return count, start, None
    size, first = _varint(walk, start, LONG_BYTES, "long")
    if size < 0 or size > walk.end - first:
        raise _Invalid("bad_length", f"a block of {size} bytes, {walk.end - first} left", start)
    return -count, first, first + size


def _limit(walk: _Walk, count: int, least_bytes: int, at: int, start: int) -> None:
    if count * least_bytes > walk.end - start:
        raise _Invalid("truncated", f"{count} items announced, {walk.end - start} bytes left", at)
    if not least_bytes:
        walk.empty += count
        if walk.empty > MAX_EMPTY_ITEMS:
            raise _too_many(at)


def _too_many(at: int) -> _Invalid:
    return _Invalid("too_many_items", f"more than {MAX_EMPTY_ITEMS} items that take no bytes", at)


def _record(fields: list[tuple[str, _Check]]) -> _Check:
    def check(walk: _Walk, at: int) -> int:
        walk.depth += 1
        if walk.depth > MAX_DEPTH:
            raise _Invalid("too_deep", f"more than {MAX_DEPTH} records inside each other", at)
        current, start = "", at
        try:
            for current, field in fields:  # noqa: B007
                at = field(walk, at)
        except _Invalid as fault:
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


def _least_bytes(node: Node, seen: frozenset[str]) -> int:
    """The fewest bytes that a value of this type takes."""
    if isinstance(node, Primitive):
        return {"null": 0, "float": 4, "double": 8}.get(node.type, 1)
    if isinstance(node, Fixed):
        return node.size_bytes
    if not isinstance(node, Record):
        return 1
    if node.name in seen:
        return 0
    return sum(_least_bytes(field.type, seen | {node.name}) for field in node.fields)
