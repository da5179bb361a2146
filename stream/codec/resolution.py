"""Schema resolution, column by column: where a needed leaf is found in what a writer wrote."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import pyarrow as pa

from stream.codec.leaf import Leaf, default_of, describe, find
from stream.codec.nodes import ABSENT, Field, Node, Record, Union, is_null, strip_null
from stream.codec.promotion import Convert, any_of, columnar, converter, fits, type_name
from stream.errors import RecordError

__all__ = ["LeafPlan", "Step", "resolve"]


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
        convert: written value → reader's value; None where they are the same.
        columnar: whether a whole column can be taken at once, with an Arrow cast at most.
    """

    leaf: Leaf
    steps: tuple[Step, ...]
    constant: object
    convert: Convert | None
    columnar: bool

    @property
    def storage(self) -> pa.DataType:
        """The Arrow type of the leaf's bare values."""
        return self.leaf.type.storage

    @property
    def checks_null(self) -> bool:
        """Whether a null may be written that the reader doesn't take."""
        return any(step.written and not step.nullable for step in self.steps)

    def pick(self, record: Mapping[str, object]) -> object:
        """
        Take the leaf's value from a decoded record.

        Args:
            record: as the writer's schema says, logical types as bare numbers.
        Returns: the reader's value.
        Raises: RecordError when the reader can't take what was written.
        """
        if not self.steps:
            return self.constant
        value: object = record
        for depth, step in enumerate(self.steps):
            value = cast("Mapping[str, object]", value)[step.name]
            if value is None:
                if step.nullable:
                    return None
                where = ".".join(self.leaf.path.split(".")[: depth + 1])
                raise RecordError(
                    f"field {where!r} is null; {self.leaf.avro} is expected", reason="wrong_type", field=where
                )
        try:
            return self.convert(value) if self.convert else value
        except ValueError as error:
            raise RecordError(
                f"field {self.leaf.path!r}: {error}", reason="wrong_type", field=self.leaf.path
            ) from error


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
    steps: list[Step] = []
    wanted = find(reader, path)
    node: Node = writer
    for depth, field in enumerate(wanted):
        if not isinstance(node, Record):
            where = ".".join(f.name for f in wanted[:depth])
            return RecordError(
                f"field {where!r} is {type_name(node)}; a record is expected",
                reason="wrong_type",
                field=where,
            )
        position = _position(node, field)
        if position is None:
            return _default(wanted, depth)
        found = node.fields[position]
        nullable = strip_null(field.type)[1] or is_null(field.type)
        node, written = strip_null(found.type)
        steps.append(Step(found.name, position, written or is_null(node), nullable))
    return _plan(node, wanted, tuple(steps))


def _position(record: Record, field: Field) -> int | None:
    """The writer's field of that name, else of one of the reader's aliases for it."""
    names = [found.name for found in record.fields]
    return next((names.index(name) for name in (field.name, *field.aliases) if name in names), None)


def _default(wanted: list[Field], depth: int) -> LeafPlan | RecordError:
    leaf = describe(wanted)
    value = default_of(wanted[depth:])
    if value is ABSENT:
        where = ".".join(field.name for field in wanted[: depth + 1])
        return RecordError(
            f"field {where!r} is missing, and has no default", reason="missing_field", field=where
        )
    constant = None if value is None else leaf.type.default(value)
    return LeafPlan(leaf, (), constant, None, True)


def _plan(node: Node, wanted: list[Field], steps: tuple[Step, ...]) -> LeafPlan | RecordError:
    leaf = describe(wanted)
    expected = strip_null(wanted[-1].type)[0]
    if not fits(node, expected):
        return RecordError(
            f"field {leaf.path!r} is {type_name(node)}; {type_name(expected)} is expected",
            reason="wrong_type",
            field=leaf.path,
        )
    convert = any_of(node.branches, expected) if isinstance(node, Union) else converter(node, expected)
    plain = not isinstance(node, Union) and columnar(node, expected)
    around = any(step.written and not step.nullable for step in steps[:-1])
    return LeafPlan(leaf, steps, ABSENT, convert, plain and not around)
