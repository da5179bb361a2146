"""Going through the bytes of a value: where it is, and what is wrong there."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

__all__ = ["INT_BYTES", "LONG_BYTES", "Check", "Invalid", "Walk", "block_head", "varint"]

INT_BYTES, LONG_BYTES = 5, 10
"""The longest varint of 32 and 64 bits, 7 bits to a byte."""


class Invalid(Exception):
    """What is wrong, where; the path grows while the walk unwinds."""

    def __init__(self, reason: str, text: str, position: int) -> None:
        super().__init__(text)
        self.reason, self.text, self.position = reason, text, position
        self.path: list[str] = []


class Walk:
    """
    The state of one walk.

    Attributes:
        data, end: the bytes, and how many.
        depth: records around this place.
        empty: items without bytes so far.
        out: the values that were asked for, by the number of their leaf.
        items: those of the array that is being read.
        members: those of the record or map that is being read.
    """

    __slots__ = ("data", "depth", "empty", "end", "items", "members", "out")

    def __init__(self, data: bytes, leaves: int = 0) -> None:
        self.data, self.end = data, len(data)
        self.depth = self.empty = 0
        self.out: list[object] = [None] * leaves
        self.items: list[object] = []
        self.members: dict[str, object] = {}

    def finish(self, at: int) -> None:
        """Say that the value ends here. Raises: Invalid when bytes are left."""
        if at < self.end:
            raise Invalid("trailing_bytes", f"{self.end - at} bytes too many", at)


Check: TypeAlias = Callable[[Walk, int], int]
"""Takes the position of a value, returns the position after it."""


def varint(walk: Walk, at: int, most_bytes: int, kind: str) -> tuple[int, int]:
    """
    Read a number.

    Args:
        walk, at: where it is.
        most_bytes: `INT_BYTES` or `LONG_BYTES`.
        kind: `int` or `long`, for the reason.
    Returns: the number, and the position after it.
    Raises: Invalid.
    """
    data, value, shift = walk.data, 0, 0
    for position in range(at, min(at + most_bytes, walk.end)):
        byte = data[position]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            if value >> (32 if most_bytes == INT_BYTES else 64):
                raise Invalid(f"{kind}_out_of_range", f"more bits than an Avro {kind} has", at)
            return (value >> 1) ^ -(value & 1), position + 1
        shift += 7
    if at + most_bytes <= walk.end:
        raise Invalid(f"{kind}_out_of_range", f"the {kind} is longer than {most_bytes} bytes", at)
    raise Invalid("truncated", f"the value ends inside {'an' if kind == 'int' else 'a'} {kind}", walk.end)


def block_head(walk: Walk, at: int) -> tuple[int, int, int | None]:
    """How many items, where they start, and where they stop if the block says so."""
    count, start = varint(walk, at, LONG_BYTES, "long")
    if count >= 0:
        return count, start, None
    size, first = varint(walk, start, LONG_BYTES, "long")
    if size < 0 or size > walk.end - first:
        raise Invalid("bad_length", f"a block of {size} bytes, {walk.end - first} left", start)
    return -count, first, first + size
