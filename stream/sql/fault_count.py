"""How many rows had no prediction, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from stream.records import DeadLetter

__all__ = ["FaultCount", "Tally"]


@dataclass(slots=True)
class FaultCount:
    """
    Rows that failed for one reason.

    Attributes:
        stage: `contract` (the row doesn't fit) or `score` (the model has no answer).
        reason: a stable code, as in a dead letter.
        message: what was said of the first.
        count: of rows.
    """

    stage: str
    reason: str
    message: str
    count: int = 0


@dataclass(slots=True)
class Tally:
    """
    What became of the rows that were asked about. Not for several threads at once.

    Attributes:
        rows: asked about, those without a prediction included.
        faults: by reason, in the order in which they came up.
        absent: a line for each column that was not there and whose default was taken.
    """

    rows: int = 0
    faults: dict[str, FaultCount] = field(default_factory=dict)
    absent: list[str] = field(default_factory=list)

    @property
    def failed(self) -> int:
        """Rows without a prediction."""
        return sum(fault.count for fault in self.faults.values())

    def add(self, rows: int, faults: Mapping[int, DeadLetter]) -> list[FaultCount]:
        """
        Count a batch.

        Args:
            rows: how many it had.
            faults: by index, why a row has no prediction.
        Returns: the reasons that came up for the first time.
        """
        self.rows += rows
        new: list[FaultCount] = []
        for fault in faults.values():
            if fault.reason not in self.faults:
                new.append(FaultCount(fault.stage, fault.reason, fault.message))
                self.faults[fault.reason] = new[-1]
            self.faults[fault.reason].count += 1
        return new

    @contextmanager
    def paused(self) -> Iterator[None]:
        """What is counted within is forgotten."""
        rows, faults = self.rows, {reason: replace(fault) for reason, fault in self.faults.items()}
        absent = list(self.absent)
        try:
            yield
        finally:
            self.rows, self.faults, self.absent = rows, faults, absent

    def clear(self) -> None:
        """Begin again at 0."""
        self.rows = 0
        self.faults.clear()
        self.absent.clear()
