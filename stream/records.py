"""The types that every room shares: what was read, and what became of it. Standard library only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

__all__ = [
    "Batch",
    "DeadLetter",
    "Headers",
    "Outcome",
    "Outgoing",
    "Partition",
    "Place",
    "Prediction",
    "Skip",
    "Stage",
]

Headers: TypeAlias = Sequence[tuple[str, bytes | None]]
"""Kafka headers: in order, duplicates and null values allowed."""

Stage: TypeAlias = Literal["decode", "contract", "score", "encode", "publish"]
"""The step at which a record failed."""


@dataclass(frozen=True, slots=True, order=True)
class Partition:
    """One partition of a topic."""

    topic: str
    index: int

    def __str__(self) -> str:
        return f"{self.topic}[{self.index}]"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record is: topic, partition (number) and offset."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}[{self.partition}]@{self.offset}"


@dataclass(slots=True)
class Batch:
    """
    The records of one poll, as columns of equal length n: element i of each list is record i.

    Records of one partition are in offset order; partitions may be mixed. All are of one topic.

    Attributes:
        topic: the input topic.
        partitions: partition numbers.
        offsets: offsets within the partitions; not dense.
        timestamps_ms: milliseconds since the epoch; 0 where the broker has none.
        keys: the keys as they came.
        values: the values as they came; None is a null value (a tombstone).
        headers: the headers as they came; None or empty where there are none.
    """

    topic: str
    partitions: list[int] = field(default_factory=list)
    offsets: list[int] = field(default_factory=list)
    timestamps_ms: list[int] = field(default_factory=list)
    keys: list[bytes | None] = field(default_factory=list)
    values: list[bytes | None] = field(default_factory=list)
    headers: list[Headers | None] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.offsets)

    def take(self, rows: Sequence[int]) -> Batch:
        """
        Some of the records, as a batch of its own.

        Args:
            rows: ascending, each once.
        """
        return Batch(
            self.topic,
            [self.partitions[i] for i in rows],
            [self.offsets[i] for i in rows],
            [self.timestamps_ms[i] for i in rows],
            [self.keys[i] for i in rows],
            [self.values[i] for i in rows],
            [self.headers[i] for i in rows],
        )

    def extend(self, more: Batch) -> None:
        """Append the records of another batch of this topic."""
        self.partitions += more.partitions
        self.offsets += more.offsets
        self.timestamps_ms += more.timestamps_ms
        self.keys += more.keys
        self.values += more.values
        self.headers += more.headers

    def place(self, i: int) -> Place:
        """Where record i is."""
        return Place(self.topic, self.partitions[i], self.offsets[i])


@dataclass(frozen=True, slots=True)
class Outgoing:
    """
    n records to write to one topic, in order, as columns of equal length.

    Attributes:
        topic: the topic.
        keys: shape (n,).
        values: shape (n,); None is a null value (a tombstone).
        timestamps_ms: shape (n,); milliseconds since the epoch; 0 = now.
        headers: shape (n,); None or empty where there are none.
    """

    topic: str
    keys: Sequence[bytes | None]
    values: Sequence[bytes | None]
    timestamps_ms: Sequence[int]
    headers: Sequence[Headers | None]

    @classmethod
    def one(
        cls, topic: str, key: bytes | None, value: bytes | None, timestamp_ms: int, headers: Headers | None
    ) -> Outgoing:
        """A single record."""
        return cls(topic, [key], [value], [timestamp_ms], [headers])

    def rows(self) -> Iterator[tuple[bytes | None, bytes | None, int, Headers | None]]:
        """Key, value, timestamp and headers of each record. Raises: ValueError for columns of unequal length."""
        return zip(self.keys, self.values, self.timestamps_ms, self.headers, strict=True)


Prediction: TypeAlias = bytes | None
"""
A record was scored: the value, ready for the wire. None: its null value is forwarded.

No object of its own: to make one would cost a record as much as to decode it.
"""


@dataclass(slots=True)
class DeadLetter:
    """
    A record that can't be scored.

    Attributes:
        stage: where it failed.
        reason: stable snake_case code.
        exception: the error's class, as `stream.errors.class_name` spells it.
        message: for people; names the field and what was expected.
        field: the field that it concerns (the first, if several), as it is called in the row; dotted within nested
            records. None where it concerns no single field.
    """

    stage: Stage
    reason: str
    exception: str
    message: str
    field: str | None = None


@dataclass(slots=True)
class Skip:
    """A record that the settings say to drop; it is counted under `reason`."""

    reason: str


Outcome: TypeAlias = Prediction | DeadLetter | Skip
"""Every input record becomes exactly one of these."""
