"""
What waits in the partitions that are owned, and since when.

How long a partition has waited is the age of the record that is committed next: its timestamp, as the topic has it
(`message.timestamp.type`), against this machine's clock. It is known for records that were read and are not committed.
Before a partition's first record is read, the wait counts from the moment at which it was seen that some are there, or
from the last timestamp known of the partition, whichever is later: never more than the truth.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Set

from stream.records import Batch, Partition

__all__ = ["Backlog"]


class Backlog:
    """Written by the engine's thread, `held_back` by another; read by any. Its mappings are replaced, never changed."""

    def __init__(self, wall: Callable[[], float] = time.time) -> None:
        """
        Args:
            wall: seconds since the epoch.
        """
        self._wall = wall
        self.lag: Mapping[Partition, int] = {}
        """Offsets up to the end of each owned partition that were not read yet, as of the last look."""
        self.held_back: Mapping[Partition, int] = {}
        """How many of them can't be read yet: those of upstream transactions that are open."""
        self._since_ms: Mapping[Partition, int] = {}
        self._seen_ms: dict[Partition, int] = {}
        self._last_ms: dict[Partition, int] = {}
        self._working: Batch | None = None

    @property
    def consumable(self) -> dict[Partition, int]:
        """Per owned partition the records that could be read now."""
        held_back = self.held_back
        return {p: max(0, records - held_back.get(p, 0)) for p, records in self.lag.items()}

    def working(self, batch: Batch | None) -> None:
        """This batch is being scored and published; None = no longer."""
        self._working = batch

    def look(self, lag: Mapping[Partition, int], uncommitted: Iterable[Batch]) -> None:
        """
        Take note of where the partitions stand.

        Args:
            lag: see the attribute; of every owned partition.
            uncommitted: what was published and is not committed, oldest first.
        """
        now_ms = round(self._wall() * 1000)
        self.lag = lag
        oldest = _oldest(uncommitted, lag.keys())
        waiting = {p for p, records in self.consumable.items() if records} | oldest.keys()
        self._seen_ms = {p: self._seen_ms.get(p, now_ms) for p in waiting}
        self._last_ms = {p: ms for p, ms in {**self._last_ms, **oldest}.items() if p in lag}
        self._since_ms = {
            p: oldest[p] if p in oldest else max(seen_ms, self._last_ms.get(p, 0))
            for p, seen_ms in self._seen_ms.items()
        }

    def wait_s(self) -> dict[Partition, float]:
        """Per owned partition the age of the record that is committed next; 0 where nothing waits."""
        now_ms, since = self._wall() * 1000, dict(self._since_ms)
        working = self._working
        if working is not None:
            # Also while the loop stands still over it, and does not look.
            for partition, ms in _oldest([working], self.lag.keys()).items():
                since[partition] = min(ms, since.get(partition, ms))
        return {p: max(0.0, now_ms - since.get(p, now_ms)) / 1000 for p in {**self.lag, **since}}


def _oldest(batches: Iterable[Batch], partitions: Set[Partition]) -> dict[Partition, int]:
    """Per partition the timestamp of its first record, in milliseconds; without those that have none."""
    found: dict[Partition, int] = {}
    for batch in batches:
        if partitions and found.keys() >= partitions:
            break
        first = dict(zip(reversed(batch.partitions), reversed(batch.timestamps_ms), strict=True))
        for index, ms in first.items():
            found.setdefault(Partition(batch.topic, index), ms)
    return {partition: ms for partition, ms in found.items() if ms > 0}
