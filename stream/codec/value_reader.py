"""
What a reader wants of a value, read from its bytes by the writer's schema.

The walk is the check's (`strict`), field by field in the order in which they were written. On its way it reads what
is wanted and passes over the rest. A union says which of its branches was written; what becomes of it is decided for
each branch beforehand, as Avro Java's Resolver does, never by the class of the value in Python: 3 may be an int, a
long or a timestamp.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from stream.codec.checks import PRIMITIVE_CHECKS, record_check, union_check
from stream.codec.leaf import find
from stream.codec.nodes import Field, Node, Record, Union, is_null, strip_null
from stream.codec.promotion import position_of
from stream.codec.resolution import default_or_fault
from stream.codec.strict import Checker
from stream.codec.type_names import type_name
from stream.codec.typed_read import typed_read
from stream.codec.walk import Check, Walk
from stream.errors import RecordError
from stream.types import Misfit

__all__ = ["ValueReader"]


@dataclass(slots=True)
class _Wanted:
    """A field that is a leaf, or a record around some."""

    steps: list[Field]
    leaf: int | None = None
    inner: dict[str, _Wanted] = field(default_factory=dict)

    @property
    def path(self) -> str:
        return ".".join(step.name for step in self.steps)

    @property
    def nullable(self) -> bool:
        kind = self.steps[-1].type
        return strip_null(kind)[1] or is_null(kind)

    def leaves(self) -> Iterator[_Wanted]:
        if self.leaf is not None:
            yield self
        for inner in self.inner.values():
            yield from inner.leaves()


class ValueReader:
    """Reads the leaves that a reader wants from values of one writer's schema."""

    def __init__(self, writer: Record, reader: Record, paths: Sequence[str]) -> None:
        """
        Args:
            writer: what the values are written with.
            reader: what is wanted.
            paths: its leaves, dotted.
        """
        self._checker = Checker(writer)
        self._leaves = len(paths)
        self._read = self._record(writer, _tree(reader, paths))

    def check(self, body: bytes) -> RecordError | None:
        """What is wrong with the bytes, whatever is wanted (`Checker.check`)."""
        return self._checker.check(body)

    def read(self, body: bytes) -> list[object]:
        """
        Read a value.

        Args:
            body: the Avro bytes, without framing.
        Returns: the leaves' values, logical types as bare numbers, in the order of the paths.
        Raises: Invalid when the bytes are not a value of the writer's schema; RecordError when the reader can't take
            what was written (then the bytes behind it were not looked at).
        """
        walk = Walk(body, self._leaves)
        walk.finish(self._read(walk, 0))
        return walk.out

    def _record(self, written: Record, wanted: Mapping[str, _Wanted]) -> Check:
        at_position: dict[int, list[_Wanted]] = {}
        missing: list[_Wanted] = []
        for one in wanted.values():
            position = position_of(written, one.steps[-1])
            at_position.setdefault(position, []).append(one) if position is not None else missing.append(one)
        fields = [
            (found.name, self._field(found.type, at_position.get(i, ())))
            for i, found in enumerate(written.fields)
        ]
        check = record_check(fields)
        return _defaulted(check, missing) if missing else check

    def _field(self, written: Node, wanted: Sequence[_Wanted]) -> Check:
        if not wanted:
            return self._checker.compile(written)
        first, *others = [
            self._inner(written, one) if one.leaf is None else _leaf(written, one) for one in wanted
        ]
        if not others:
            return first

        def check(walk: Walk, at: int) -> int:
            for other in others:  # two of the reader's fields with one alias
                other(walk, at)
            return first(walk, at)

        return check

    def _inner(self, written: Node, wanted: _Wanted) -> Check:
        """A record around wanted fields."""
        if isinstance(written, Union):
            return union_check([self._inner(branch, wanted) for branch in written.branches])
        if isinstance(written, Record):
            return self._record(written, wanted.inner)
        if is_null(written) and wanted.nullable:
            return PRIMITIVE_CHECKS["null"]  # all leaves in it stay None
        what = "null" if is_null(written) else type_name(written)
        return _refusal(f"field {wanted.path!r} is {what}; a record is expected", wanted.path)


def _leaf(written: Node, wanted: _Wanted) -> Check:
    number, path = cast("int", wanted.leaf), wanted.path
    read = typed_read(written, wanted.steps[-1].type)

    def check(walk: Walk, at: int) -> int:
        try:
            end, walk.out[number] = read(walk, at)
        except Misfit as misfit:
            place = misfit.within(path).field
            raise RecordError(f"field {place!r}: {misfit}", reason=misfit.reason, field=place) from misfit
        return end

    return check


def _refusal(text: str, path: str) -> Check:
    def check(walk: Walk, at: int) -> int:
        raise RecordError(text, reason="wrong_type", field=path)

    return check


def _tree(reader: Record, paths: Sequence[str]) -> dict[str, _Wanted]:
    root: dict[str, _Wanted] = {}
    for number, path in enumerate(paths):
        level, steps = root, find(reader, path)
        for depth, step in enumerate(steps):
            one = level.setdefault(step.name, _Wanted(steps[: depth + 1]))
            level = one.inner
        one.leaf = number
    return root


def _defaulted(check: Check, missing: Sequence[_Wanted]) -> Check:
    """With the defaults of fields that are not written."""
    found = {
        cast("int", leaf.leaf): default_or_fault(leaf.steps, len(one.steps) - 1)
        for one in missing
        for leaf in one.leaves()
    }
    fault = next((one for one in found.values() if isinstance(one, RecordError)), None)

    def with_defaults(walk: Walk, at: int) -> int:
        if fault is not None:
            raise fault
        for number, value in found.items():
            walk.out[number] = value
        return check(walk, at)

    return with_defaults
