"""Wide events: hundreds of numbers one after the other take the same bytes in every value, and are read in place."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from stream.codec.nodes import Node, Primitive, Record, is_null, strip_null
from stream.codec.parts import Part
from stream.codec.resolution import LeafPlan
from stream.codec.strict import Checker
from stream.codec.walk import Invalid, Walk

__all__ = ["Loose", "Meant", "Run", "WideReader", "find_run", "loose_plans", "loose_record"]

LEAST_FIELDS = 128
"""Of a run; below, one call of the Rust codec for the whole value is quicker than looking for the run in each."""

Loose: TypeAlias = Callable[[list[bytes]], tuple[Part, list[int]]]
"""Reads values of the fields outside the run; gives the rows that are certainly right, and all other indices."""

Meant: TypeAlias = Callable[[pa.Array, LeafPlan, set[int]], pa.Array]
"""Makes the reader's column of a written one; adds the rows that it doubts to the set."""


@dataclass(frozen=True, slots=True)
class _Number:
    """
    A field of a run.

    Attributes:
        width: its bytes: 8 or 4.
        branch: the byte before it, since it may be null and is not; None = it can't be null.
    """

    width: int
    branch: int | None

    @property
    def step(self) -> int:
        """Bytes to the next field."""
        return self.width + (self.branch is not None)


@dataclass(frozen=True, slots=True)
class Run:
    """
    Numbers one after the other.

    Attributes:
        first: position of the first in the record, from 0.
        numbers: what each is.
    """

    first: int
    numbers: tuple[_Number, ...]

    @property
    def end(self) -> int:
        """The position after the last."""
        return self.first + len(self.numbers)

    @property
    def size(self) -> int:
        """Bytes of all of them where none is null."""
        return sum(number.step for number in self.numbers)

    def stretches(self) -> Iterator[tuple[int, int, _Number]]:
        """Fields of one kind: the position of the first in the run, how many, the kind."""
        start = 0
        for number, group in groupby(self.numbers):
            count = len(list(group))
            yield start, count, number
            start += count


def find_run(root: Record) -> Run | None:
    """
    Look for a run among a record's own fields.

    Args:
        root: of the writer.
    Returns: the longest of fields that are float, double, or one of these or null; None where it is short.
    """
    best, at = Run(0, ()), 0
    for is_run, group in groupby(
        (_number(field.type) for field in root.fields), key=lambda one: one is not None
    ):
        found = list(group)
        if is_run and len(found) > len(best.numbers):
            best = Run(at, tuple(one for one in found if one is not None))
        at += len(found)
    return best if len(best.numbers) >= LEAST_FIELDS else None


def _number(node: Node) -> _Number | None:
    bare, nullable = strip_null(node)
    if not isinstance(bare, Primitive) or bare.type not in ("double", "float") or bare.logical is not None:
        return None
    width = 8 if bare.type == "double" else 4
    if not nullable:
        return _Number(width, None)
    first = node.branches[0]  # type: ignore[union-attr]  # null was taken out of it
    return _Number(width, 2 if is_null(first) else 0)


def loose_record(root: Record, run: Run) -> Record:
    """The record without the run; called otherwise, since a field may hold the whole record."""
    return Record(f"{root.name}_loose", [*root.fields[: run.first], *root.fields[run.end :]])


def loose_plans(plans: Sequence[LeafPlan], run: Run) -> list[LeafPlan]:
    """The leaves outside the run, with their places in the record without it."""
    found = []
    for plan in plans:
        if plan.steps and run.first <= plan.steps[0].position < run.end:
            continue
        if plan.steps and plan.steps[0].position >= run.end:
            step = replace(plan.steps[0], position=plan.steps[0].position - len(run.numbers))
            plan = replace(plan, steps=(step, *plan.steps[1:]))
        found.append(plan)
    return found


class WideReader:
    """
    Decodes values with a run in them.

    A value is believed where each number of the run has the byte before it that says it is there, and the rest of
    the value, cut out and put together, is believed by the reader of the loose fields. A value with a null in the run
    is longer or shorter: it is left to others, as wrong ones are.
    """

    def __init__(self, root: Record, run: Run, plans: Sequence[LeafPlan], loose: Loose, meant: Meant) -> None:
        """
        Args:
            root: the writer's record.
            run: its run.
            plans: where the leaves are; all columnar.
            loose: reads the other fields.
            meant: a written column → the reader's.
        """
        checker = Checker(root)
        self._before = [checker.compile(field.type) for field in root.fields[: run.first]]
        self._run = run
        self._plans = {
            plan.steps[0].position - run.first: plan
            for plan in plans
            if plan.steps and run.first <= plan.steps[0].position < run.end
        }
        self._loose, self._meant = loose, meant

    def read(self, bodies: list[bytes]) -> tuple[Part, list[int]]:
        """As `FastReader.read`."""
        size, total = self._run.size, len(bodies)
        rows, pieces, rest = [], [], []
        for row, body in enumerate(bodies):
            start = self._start(body)
            if start is not None and start + size <= len(body):
                rows.append(row)
                pieces.append(body[start : start + size])
                rest.append(body[:start] + body[start + size :])
        if not rows:
            return Part((), {}), list(range(total))
        part, _ = self._loose(rest)
        believed = np.zeros(len(rows), dtype=np.bool_)
        believed[list(part.rows)] = True
        raw = np.frombuffer(b"".join(pieces), np.uint8).reshape(len(rows), size)
        doubted: set[int] = set()
        columns = self._columns(raw, believed, doubted)
        believed[list(doubted)] = False
        if len(part.rows) < len(rows) or not believed.all():
            columns = {path: column.filter(pa.array(believed)) for path, column in columns.items()}
        others = part.columns
        if not believed[list(part.rows)].all():
            kept = pa.array(believed[list(part.rows)])
            others = {path: column.filter(kept) for path, column in others.items()}
        good = [row for row, is_good in zip(rows, believed.tolist(), strict=True) if is_good]
        left = np.setdiff1d(np.arange(total), good, assume_unique=True).tolist()
        return Part(range(total) if len(good) == total else good, {**others, **columns}), left

    def _start(self, body: bytes) -> int | None:
        """Where the run starts; None where a field before it is wrong."""
        if not self._before:
            return 0
        walk, at = Walk(body), 0
        walk.depth = 1
        try:
            for check in self._before:
                at = check(walk, at)
        except Invalid:
            return None
        return at

    def _columns(
        self, raw: npt.NDArray[np.uint8], believed: npt.NDArray[np.bool_], doubted: set[int]
    ) -> dict[str, pa.Array]:
        columns, at, count = {}, 0, len(raw)
        for start, fields, number in self._run.stretches():
            part = raw[:, at : at + fields * number.step].reshape(count, fields, number.step)
            at += fields * number.step
            if number.branch is not None:
                believed &= (part[:, :, 0] == number.branch).all(axis=1)
            wanted = [i for i in range(start, start + fields) if i in self._plans]
            values = part[:, [i - start for i in wanted]] if len(wanted) < fields else part
            turned = np.ascontiguousarray(values[:, :, number.step - number.width :].transpose(1, 0, 2))
            kind, buffer = pa.float64() if number.width == 8 else pa.float32(), pa.py_buffer(turned)
            length = count * number.width
            for place, i in enumerate(wanted):
                plan = self._plans[i]
                column = pa.Array.from_buffers(kind, count, [None, buffer.slice(place * length, length)])
                columns[plan.leaf.path] = self._meant(column, plan, doubted)
        return columns
