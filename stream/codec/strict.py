"""Is this a valid Avro value of that schema? Our own answer, since the decoders accept much that is not."""

from __future__ import annotations

from itertools import pairwise

from stream.codec.checks import (
    PRIMITIVE_CHECKS,
    blocks_check,
    entry_check,
    enum_check,
    least_bytes,
    record_check,
    sized_check,
    union_check,
)
from stream.codec.nodes import Array, Enum, Fixed, Map, Node, Primitive, Record, Union
from stream.codec.walk import Check, Invalid, Walk
from stream.errors import RecordError

__all__ = ["Checker", "about"]


class Checker:
    """
    The check for one schema; make it once.

    Non-minimal varints (`80 00` for 0) within 5 bytes of an int and 10 of a long are valid: the specification
    does not forbid them and Java's decoder reads them.
    """

    def __init__(self, root: Record) -> None:
        self._records: dict[str, Check] = {}
        self._walk = self.compile(root)

    def check(self, data: bytes) -> RecordError | None:
        """
        Walk a value.

        Args:
            data: the Avro bytes, without framing.
        Returns: None when they are exactly one valid value of the schema, else what is wrong: the field's
            path, the byte's position, and a reason.
        """
        walk = Walk(data)
        try:
            walk.finish(self._walk(walk, 0))
        except Invalid as fault:
            return about(fault)
        return None

    def cut(self, data: bytes, count: int) -> list[bytes]:
        """
        Cut values that stand one after the other.

        Args:
            data: their Avro bytes, without framing.
            count: how many.
        Returns: each value's own bytes.
        Raises: Invalid when they are not exactly that many valid values.
        """
        ends = [0]
        for _ in range(count):
            ends.append(self._walk(Walk(data), ends[-1]))
        Walk(data).finish(ends[-1])
        return [data[start:end] for start, end in pairwise(ends)]

    def compile(self, node: Node) -> Check:
        """The check of a type that is part of the schema."""
        if isinstance(node, Primitive):
            return PRIMITIVE_CHECKS[node.type]
        if isinstance(node, Fixed):
            return sized_check(node.size_bytes)
        if isinstance(node, Enum):
            return enum_check(node)
        if isinstance(node, Union):
            return union_check([self.compile(branch) for branch in node.branches])
        if isinstance(node, Array):
            return blocks_check(self.compile(node.items), least_bytes(node.items, frozenset()))
        if isinstance(node, Map):
            return blocks_check(entry_check(self.compile(node.values)), 1)
        return self._record(node)

    def _record(self, record: Record) -> Check:
        if record.name not in self._records:
            fields: list[tuple[str, Check]] = []  # filled afterwards: a record may contain itself
            self._records[record.name] = record_check(fields)
            fields += [(field.name, self.compile(field.type)) for field in record.fields]
        return self._records[record.name]


def about(fault: Invalid) -> RecordError:
    """What is wrong, with the field's path and the byte's position."""
    field = ".".join(reversed(fault.path)) or None
    place = f"field {field!r}, " if field else ""
    return RecordError(f"{place}byte {fault.position}: {fault.text}", reason=fault.reason, field=field)
