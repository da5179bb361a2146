"""
What a backfill is to do, and the topic that keeps it.

A plan is made once, by the first process of a backfill, and every other one takes it from the topic: processes that
share the work, and those that go on after a stop, agree on the offsets, whatever a time would mean today. The topic is
never cleaned: a backfill that was finished is known as finished for good, also when the group's offsets have expired.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from stream.errors import Stopped
from stream.records import Batch

__all__ = ["Extent", "Plan", "PlanBook", "Purpose"]

VERSION = 1

ID_CHARS = 12
"""Of an id: enough that two never meet, and short enough for names of groups."""


@dataclass(frozen=True, slots=True)
class Extent:
    """Offsets of one partition: from `start` to before `end`."""

    start: int
    end: int

    @property
    def offsets(self) -> int:
        """How many; fewer records, where some of them hold none."""
        return self.end - self.start

    def meets(self, other: Extent | None) -> bool:
        """Whether some offset is in both."""
        return other is not None and max(self.start, other.start) < min(self.end, other.end)


@dataclass(frozen=True, slots=True)
class Purpose:
    """
    What tells one backfill from another: two commands that agree in this are one backfill.

    Attributes:
        source: name and id of the input topic; one that is made anew under its name has another id.
        target: the same of the output topic.
        start: the range's first end, as `Bound` spells it.
        end: its other end.
        model: `name@version`.
        manifest: SHA-256 of the version's manifest.
    """

    source: tuple[str, str]
    target: tuple[str, str]
    start: str
    end: str
    model: str
    manifest: str

    @property
    def id(self) -> str:
        """In the names of the backfill's group and transactions."""
        parts = [*self.source, *self.target, self.start, self.end, self.model, self.manifest]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:ID_CHARS]

    def is_but_for_the_model(self, other: Purpose) -> bool:
        """Whether another backfill differs from this one in nothing but the model."""
        mine = (self.source, self.target, self.start, self.end)
        return mine == (other.source, other.target, other.start, other.end)

    def is_but_for_the_range(self, other: Purpose) -> bool:
        """Whether another backfill differs from this one in nothing but the range."""
        mine = (self.source, self.target, self.model, self.manifest)
        return mine == (other.source, other.target, other.model, other.manifest)


@dataclass(frozen=True, slots=True)
class Plan:
    """
    A backfill's range, as it was decided once.

    Attributes:
        purpose: which backfill.
        extents: per partition number, of every partition that the topic had.
        made_ms: when, in milliseconds since 1970.
    """

    purpose: Purpose
    extents: Mapping[int, Extent]
    made_ms: int

    @property
    def id(self) -> str:
        """See `Purpose.id`."""
        return self.purpose.id

    @property
    def offsets(self) -> int:
        """Of all partitions together."""
        return sum(extent.offsets for extent in self.extents.values())

    def left(self, committed: Mapping[int, int]) -> int:
        """
        Offsets that are not done.

        Args:
            committed: per partition number the group's offset.
        """
        return sum(
            extent.end - min(extent.end, max(extent.start, committed.get(index, extent.start)))
            for index, extent in self.extents.items()
        )

    def value(self) -> bytes:
        """The record's value: JSON."""
        p = self.purpose
        return _text(
            {
                "version": VERSION,
                "id": self.id,
                "made_ms": self.made_ms,
                "input": {"topic": p.source[0], "id": p.source[1]},
                "output": {"topic": p.target[0], "id": p.target[1]},
                "from": p.start,
                "to": p.end,
                "model": p.model,
                "manifest": p.manifest,
                "offsets": {index: [extent.start, extent.end] for index, extent in self.extents.items()},
            }
        )


def finished_key(plan_id: str) -> bytes:
    """
    The key of that record: another than the plan's, which is its id. Were the topic compacted, the note of the end
    would replace the plan, and the backfill would begin anew.
    """
    return f"{plan_id}.finished".encode()


def finished_value(plan_id: str, at_ms: int) -> bytes:
    """The value of the record that says that a backfill is finished."""
    return _text({"version": VERSION, "id": plan_id, "finished_ms": at_ms})


def _text(content: object) -> bytes:
    return json.dumps(content, separators=(",", ":")).encode()


@dataclass(slots=True)
class PlanBook:
    """
    All that the topic says.

    Attributes:
        plans: by id.
        finished: by id, when, in milliseconds since 1970.
    """

    plans: dict[str, Plan] = field(default_factory=dict)
    finished: dict[str, int] = field(default_factory=dict)

    def add(self, batch: Batch) -> None:
        """
        Take in records of the topic.

        Raises: Stopped when one is neither a plan nor the end of one.
        """
        for i, value in enumerate(batch.values):
            try:
                self._take(json.loads(value or b""))
            except (ValueError, TypeError, KeyError, AttributeError) as error:
                raise Stopped(
                    f"{batch.place(i)} is not a plan of a backfill: {type(error).__name__}: {error}",
                    hint="a newer version may have written it: go on with that one",
                ) from error

    def _take(self, found: Any) -> None:
        if found["version"] != VERSION:
            raise ValueError(f"version {found['version']}")
        if "finished_ms" in found:
            self.finished.setdefault(str(found["id"]), int(found["finished_ms"]))
            return
        purpose = Purpose(
            _topic(found["input"]), _topic(found["output"]), str(found["from"]), str(found["to"]),
            str(found["model"]), str(found["manifest"]),
        )  # fmt: skip
        extents = {int(index): Extent(int(a), int(b)) for index, (a, b) in found["offsets"].items()}
        if purpose.id != found["id"]:
            raise ValueError(f"the id {found['id']} is not that of its content")
        # Two can't be committed for one id; should it be so all the same, the first is the one that was begun.
        self.plans.setdefault(purpose.id, Plan(purpose, extents, int(found["made_ms"])))

    def overlapping(self, purpose: Purpose, extents: Mapping[int, Extent]) -> list[Plan]:
        """
        Other backfills by the same version into the same topic that have some of these offsets too.

        Args:
            purpose: which backfill.
            extents: its own offsets, by partition number.
        Returns: in the order in which they were begun.
        """
        return [
            plan
            for name, plan in self.plans.items()
            if name != purpose.id
            and plan.purpose.is_but_for_the_range(purpose)
            and any(extent.meets(plan.extents.get(index)) for index, extent in extents.items())
        ]

    @property
    def without_plan(self) -> list[str]:
        """Ids of backfills that are finished, and whose plan is not there."""
        return sorted(self.finished.keys() - self.plans.keys())

    def unfinished_twins(self, purpose: Purpose) -> list[Plan]:
        """Backfills of the same range into the same topic by another model, that have not come to their end."""
        return [
            plan
            for name, plan in self.plans.items()
            if name not in self.finished and name != purpose.id and plan.purpose.is_but_for_the_model(purpose)
        ]


def _topic(found: Any) -> tuple[str, str]:
    return str(found["topic"]), str(found["id"])
