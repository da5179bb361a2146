"""What a writer's schema means to a reader, field by field, before any record is read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from stream.codec.leaf import describe, find
from stream.codec.resolution import LeafPlan, resolve
from stream.codec.schema import RecordSchema
from stream.errors import RecordError, SchemaError
from stream.nearest import nearest

__all__ = ["Difference", "Kind", "compare"]

Kind: TypeAlias = Literal["missing", "retyped", "partly", "nullable", "default", "promoted"]
"""
`missing` and `retyped`: no record of this writer can be read (of a nullable field, only those with a null there).
`partly`: those with another type of a union can't. `nullable`: those with a null can't. `default`: the reader's default
stands in for a field that the writer lacks, or it writes nothing but null. `promoted`: read as a wider type.
"""


@dataclass(frozen=True, slots=True)
class Difference:
    """
    A field that differs between a writer and a reader.

    Attributes:
        path: the reader's field, dotted.
        kind: what it means.
        message: for people.
        near: the writer's field that it may have become, when one was renamed; empty otherwise.
    """

    path: str
    kind: Kind
    message: str
    near: str = ""


def compare(writer: RecordSchema, reader: RecordSchema, paths: Sequence[str]) -> list[Difference]:
    """
    Compare what is written with what is read.

    Args:
        writer: the schema of a topic's values.
        reader: what is needed.
        paths: the reader's leaves that are needed.
    Returns: the differences, in the order of `paths`; empty when every record is read as it was written.
    """
    found = [_difference(writer, reader, path) for path in paths]
    return [difference for difference in found if difference is not None]


def _difference(writer: RecordSchema, reader: RecordSchema, path: str) -> Difference | None:
    plan = resolve(writer.root, reader.root, path)
    if isinstance(plan, RecordError):
        kind: Kind = "missing" if plan.reason == "missing_field" else "retyped"
        return _renamed(Difference(path, kind, plan.message), writer, reader)
    if not plan.steps:
        message = f"field {path!r} is not written any more: every record gets the default {plan.constant!r}"
        return _renamed(Difference(path, "default", message), writer, reader)
    if plan.only_null:
        return _only_null(plan)
    if plan.unread:
        kinds = ", ".join(plan.unread)
        return Difference(path, "partly", f"field {path!r} may be {kinds} now; {plan.leaf.avro} is expected")
    if plan.checks_null:
        return Difference(path, "nullable", f"field {path!r} may be null now; the model takes no null there")
    return _promotion(writer, plan)


def _only_null(plan: LeafPlan) -> Difference:
    path = plan.leaf.path
    if not plan.unread:
        return Difference(path, "default", f"field {path!r} is null in every record")
    text = f"field {path!r} is {', '.join(plan.unread)}; {plan.leaf.avro} is expected"
    return Difference(path, "retyped", text)


def _renamed(difference: Difference, writer: RecordSchema, reader: RecordSchema) -> Difference:
    """With the field that it may have become, where it is not written."""
    near = "" if difference.kind == "retyped" else _near(writer, reader, difference.path)
    message = f"{difference.message}; was it renamed to {near!r}?" if near else difference.message
    return replace(difference, message=message, near=near)


def _promotion(writer: RecordSchema, plan: LeafPlan) -> Difference | None:
    try:
        written = describe(find(writer.root, ".".join(step.name for step in plan.steps)))
    except SchemaError:
        return None
    if written.avro == plan.leaf.avro:
        return None
    path = plan.leaf.path
    return Difference(
        path, "promoted", f"field {path!r} is written as {written.avro}, read as {plan.leaf.avro}"
    )


def _near(writer: RecordSchema, reader: RecordSchema, path: str) -> str:
    """A field that only the writer has, of a like name or of the same type where it is the only one."""
    ours = {leaf.path for leaf in reader.leaves()}
    new = [leaf for leaf in writer.leaves() if leaf.path not in ours]
    if close := nearest(path, [leaf.path for leaf in new]):
        return close[0]
    same = [leaf for leaf in new if leaf.avro == reader.leaf(path).avro]
    return same[0].path if len(same) == 1 else ""
