"""
A span: the batches published since the last commit. It ends in one commit, or not at all.

The records themselves are kept until then: a dead letter for an output that the broker refuses late must
still carry the original bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from stream.records import Batch, Outcome, Partition, Prediction

if TYPE_CHECKING:
    from stream.tracing import Traced

__all__ = ["ScoredBatch", "Span"]


@dataclass(frozen=True, slots=True)
class ScoredBatch:
    """
    A batch, and what became of it.

    Attributes:
        batch: n records.
        outcomes: shape (n,); outcome i belongs to record i.
        model: `name@version` that answered.
        seconds: how long scoring it took; the next batch may take as long.
        restamped: rows whose dead letter is stamped with the current time: the broker refuses their own.
        traced: the spans of the batch; None where none of its records is traced.
    """

    batch: Batch
    outcomes: list[Outcome]
    model: str
    seconds: float = 0.0
    restamped: set[int] = field(default_factory=set)
    traced: Traced | None = None

    @property
    def predictions(self) -> int:
        """How many records have one."""
        return sum(isinstance(outcome, Prediction) for outcome in self.outcomes)

    def where(self, keep: Callable[[Partition, int], bool]) -> ScoredBatch:
        """
        The records that are still this worker's to deal with.

        Args:
            keep: given a record's partition and offset.
        """
        batch = self.batch
        places = enumerate(zip(batch.partitions, batch.offsets, strict=True))
        rows = [i for i, (index, offset) in places if keep(Partition(batch.topic, index), offset)]
        if len(rows) == len(batch):
            return self
        new = {old: i for i, old in enumerate(rows)}
        return ScoredBatch(
            batch.take(rows),
            [self.outcomes[i] for i in rows],
            self.model,
            self.seconds,
            {new[i] for i in self.restamped if i in new},
            self.traced.at(rows) if self.traced else None,
        )

    def find(self, key: bytes | None, value: bytes | None) -> int | None:
        """The row of the first record whose prediction has this key and value; None when no record has."""
        for i, outcome in enumerate(self.outcomes):
            if isinstance(outcome, Prediction) and outcome == value and self.batch.keys[i] == key:
                return i
        return None

    def next_offsets(self) -> dict[Partition, int]:
        """Per partition the offset after its last record here."""
        batch = self.batch
        last = dict(zip(batch.partitions, batch.offsets, strict=True))
        return {Partition(batch.topic, index): offset + 1 for index, offset in last.items()}


@dataclass(slots=True)
class Span:
    """
    Attributes:
        started: monotonic seconds of its first batch.
        next_offsets: per partition the offset after its last record here: what to commit.
        records: how many it has.
        value_bytes: of their values.
        batches: the records, and what became of each.
    """

    started: float
    next_offsets: dict[Partition, int] = field(default_factory=dict)
    records: int = 0
    value_bytes: int = 0
    batches: list[ScoredBatch] = field(default_factory=list)

    def add(self, scored: ScoredBatch) -> None:
        """Take in a batch and what became of it."""
        batch = scored.batch
        self.next_offsets |= scored.next_offsets()
        self.records += len(batch)
        self.value_bytes += sum(len(value) for value in batch.values if value)
        self.batches.append(scored)
