"""
A span: the batches published since the last commit. It ends in one commit, or not at all.

The records themselves are kept until then: a dead letter for an output that the broker refuses late must
still carry the original bytes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from stream.records import Batch, DeadLetter, Outcome, Partition, Prediction

__all__ = ["Judged", "Span"]


@dataclass(frozen=True, slots=True)
class Judged:
    """
    A batch, and what became of it.

    Attributes:
        batch: n records.
        outcomes: shape (n,); outcome i belongs to record i.
        model: `name@version` that answered.
    """

    batch: Batch
    outcomes: list[Outcome]
    model: str


@dataclass(slots=True)
class Span:
    """
    Attributes:
        started: monotonic seconds of its first batch.
        first: per partition the offset of its first record here: where to go back to.
        next_offsets: per partition the offset after its last record here: what to commit.
        records: how many there are.
        value_bytes: of their values.
        batches: the records, and what became of each.
    """

    started: float
    first: dict[Partition, int] = field(default_factory=dict)
    next_offsets: dict[Partition, int] = field(default_factory=dict)
    records: int = 0
    value_bytes: int = 0
    batches: list[Judged] = field(default_factory=list)

    def add(self, judged: Judged) -> None:
        """Take in a batch and what became of it."""
        batch = judged.batch
        last = dict(zip(batch.partitions, batch.offsets, strict=True))
        for index, offset in last.items():
            self.next_offsets[Partition(batch.topic, index)] = offset + 1
        for index, offset in zip(reversed(batch.partitions), reversed(batch.offsets), strict=True):
            last[index] = offset
        for index, offset in last.items():
            self.first.setdefault(Partition(batch.topic, index), offset)
        self.records += len(batch)
        self.value_bytes += sum(len(value) for value in batch.values if value)
        self.batches.append(judged)

    def forget(self, partitions: Iterable[Partition]) -> None:
        """Commit nothing for these: they belong to others now."""
        for partition in partitions:
            self.first.pop(partition, None)
            self.next_offsets.pop(partition, None)

    def demote(self, key: bytes | None, value: bytes | None, letter: DeadLetter) -> tuple[Judged, int] | None:
        """
        Find the record whose prediction had this key and value, and note that it is a dead letter now.

        Returns: its batch and row; None when it is not of this span. Each record is found once: forwarded
            nulls of one key look alike.
        """
        for judged in self.batches:
            for i, outcome in enumerate(judged.outcomes):
                if isinstance(outcome, Prediction) and outcome.value == value and judged.batch.keys[i] == key:
                    judged.outcomes[i] = letter
                    return judged, i
        return None
