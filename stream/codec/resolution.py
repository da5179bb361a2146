"""Schema resolution, column by column: where a needed leaf is found in what a writer wrote."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa

from stream.codec.conversion import columnar
from stream.codec.leaf import Leaf, default_of, describe, find
from stream.codec.nodes import ABSENT, Array, Field, Map, Node, Primitive, Record, Union, is_null, strip_null
from stream.codec.promotion import alike, fits, matching, position_of, why_not
from stream.codec.type_names import type_name
from stream.errors import RecordError

__all__ = ["LeafPlan", "Step", "default_or_fault", "resolve"]


@dataclass(frozen=True, slots=True)
class Step:
    """
    A field on the way to a leaf.

    Attributes:
        name: in the writer's record.
        position: in the writer's record, from 0.
        written: whether the writer may write null.
        nullable: whether the reader takes null.
    """

    name: str
    position: int
    written: bool
    nullable: bool


@dataclass(frozen=True, slots=True)
class LeafPlan:
    """
    Where a leaf's values come from.

    Attributes:
        leaf: the reader's leaf.
        steps: the path to it; empty where the writer lacks it and `constant` is taken.
        constant: the reader's default.
        columnar: whether a whole column can be taken at once, with an Arrow cast at most.
        unread: what else may be written, null aside, and can't be read.
        only_null: whether nothing but null can be read.
    """

    leaf: Leaf
    steps: tuple[Step, ...]
    constant: object
    columnar: bool
    unread: tuple[str, ...] = ()
    only_null: bool = False

    @property
    def storage(self) -> pa.DataType:
        """The Arrow type of the leaf's bare values."""
        return self.leaf.type.storage

    @property
    def checks_null(self) -> bool:
        """Whether a null may be written that the reader doesn't take."""
        return any(step.written and not step.nullable for step in self.steps)


def resolve(writer: Record, reader: Record, path: str) -> LeafPlan | RecordError:
    """
    Find a reader's leaf in a writer's schema.

    Args:
        writer: what values are written with.
        reader: what the model needs.
        path: a leaf of the reader.
    Returns: where its values come from, or why no value of this writer can be read (`missing_field`,
        `wrong_type`).
    """
    return _follow(writer, find(reader, path), ())


def _follow(node: Node, wanted: list[Field], steps: tuple[Step, ...]) -> LeafPlan | RecordError:
    """Go on from a written type, after some steps."""
    depth = len(steps)
    if isinstance(node, Union):
        return _any(node, wanted, steps)
    if not isinstance(node, Record):
        return _wrong(wanted[:depth], node, "a record")
    position = position_of(node, wanted[depth])
    if position is None:
        value = default_or_fault(wanted, depth)
        return value if isinstance(value, RecordError) else LeafPlan(describe(wanted), (), value, True)
    found, field = node.fields[position], wanted[depth]
    inner, written = strip_null(found.type)
    inner = Primitive("null") if written and inner == Union(()) else inner
    nullable = strip_null(field.type)[1] or is_null(field.type)
    steps = (*steps, Step(found.name, position, written or is_null(inner), nullable))
    if is_null(inner) and nullable:
        return LeafPlan(describe(wanted), steps, ABSENT, False, only_null=True)
    plan = _plan(inner, wanted, steps) if depth + 1 == len(wanted) else _follow(inner, wanted, steps)
    if isinstance(plan, LeafPlan) or not (written and nullable):
        return plan
    return LeafPlan(describe(wanted), steps, ABSENT, False, (type_name(inner),), only_null=True)


def _any(union: Union, wanted: list[Field], steps: tuple[Step, ...]) -> LeafPlan | RecordError:
    """Of several records, those that can be read are: a value says which one it is."""
    each = [(branch, _follow(branch, wanted, steps)) for branch in union.branches]
    unread = tuple(type_name(branch) for branch, one in each if isinstance(one, RecordError))
    found = next((one for _, one in each if isinstance(one, LeafPlan)), None)
    if found is not None:
        return replace(found, columnar=False, unread=(*unread, *found.unread))
    return LeafPlan(describe(wanted), steps, ABSENT, False, unread, only_null=True)


def _wrong(wanted: list[Field], written: Node, expected: str) -> RecordError:
    path = ".".join(field.name for field in wanted)
    text = f"field {path!r} is {type_name(written)}; {expected} is expected"
    return RecordError(text, reason="wrong_type", field=path)


def default_or_fault(wanted: Sequence[Field], depth: int) -> object:
    """
    What a leaf is where a field on the way to it is not written.

    Args:
        wanted: the fields on the way, the leaf's included.
        depth: which one is not written, from 0.
    Returns: the default as a decoder gives it; a RecordError (`missing_field`) where there is none.
    """
    leaf = describe(wanted)
    value = default_of(wanted[depth:])
    if value is ABSENT:
        where = ".".join(field.name for field in wanted[: depth + 1])
        return RecordError(
            f"field {where!r} is missing, and has no default", reason="missing_field", field=where
        )
    return None if value is None else leaf.type.default(value)


def _plan(node: Node, wanted: list[Field], steps: tuple[Step, ...]) -> LeafPlan | RecordError:
    expected = strip_null(wanted[-1].type)[0]
    if not fits(node, expected):
        misfit = why_not(node, expected).within(".".join(field.name for field in wanted))
        text = f"field {misfit.field!r} {misfit}"
        return RecordError(text, reason=misfit.reason, field=misfit.field)
    around = any(step.written and not step.nullable for step in steps[:-1])
    unread = tuple(dict.fromkeys(_unread(node, expected)))
    if not isinstance(node, Union):
        return LeafPlan(describe(wanted), steps, ABSENT, columnar(node, expected) and not around, unread)
    return LeafPlan(describe(wanted), steps, ABSENT, False, unread)


def _unread(written: Node, expected: Node) -> Iterator[str]:
    """The types of branches that the reader can't take, in a type and the types in it."""
    if isinstance(written, Union):
        for branch in written.branches:
            if alike(written, branch, expected) and fits(branch, expected):
                yield from _unread(branch, expected)
            else:
                yield type_name(branch)
        return
    mine = matching(written, expected)
    if isinstance(written, Array) and isinstance(mine, Array):
        yield from _unread(written.items, mine.items)
    elif isinstance(written, Map) and isinstance(mine, Map):
        yield from _unread(written.values, mine.values)
    elif isinstance(written, Record) and isinstance(mine, Record):
        for field in mine.fields:
            if (position := position_of(written, field)) is not None:
                yield from _unread(written.fields[position].type, field.type)
