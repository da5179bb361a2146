"""
What waits in the partitions that are owned, and since when.

How long a partition has waited is the age of the record that is committed next: its timestamp, as the topic has it
(`message.timestamp.type`), against this machine's clock. It is known for records that were read and are not committed.
Before a partition's first record is read, the wait counts from the moment at which it was seen that some are there, or
from the last timestamp known of the partition, whichever is later: never more than the truth.

Records of an upstream transaction that is still open can't be read, and nobody waits for them here. The client does not
say where they begin; the cluster is asked (`stream.transport.Cluster.stable_ends`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Set

from stream.records import Batch, Partition

__all__ = ["Backlog"]


class Backlog:
    """Written by the engine's thread, `stable_ends` by another; read by any. Mappings are replaced, never changed."""

    def __init__(self, wall: Callable[[], float] = time.time) -> None:
        """
        Args:
            wall: seconds since the epoch.
        """
        self._wall = wall
        self.stable_ends: Mapping[Partition, int] = {}
        """Per partition with an open upstream transaction the offset up to which records can be read."""
        self._unread: Mapping[Partition, range] = {}
        self._since_ms: Mapping[Partition, int] = {}
        self._seen_ms: dict[Partition, int] = {}
        self._last_ms: dict[Partition, int] = {}
        self._working: Batch | None = None

    @property
    def lag(self) -> dict[Partition, int]:
        """Per owned partition how many offsets up to its end were not read yet, as of the last look."""
        return {p: len(offsets) for p, offsets in self._unread.items()}

    @property
    def consumable(self) -> dict[Partition, int]:
        """The same without what can't be read yet."""
        ends = self.stable_ends
        return {
            p: len(range(offsets.start, min(offsets.stop, ends.get(p, offsets.stop))))
            for p, offsets in self._unread.items()
        }

    def working(self, batch: Batch | None) -> None:
        """This batch is being scored and published; None = no longer."""
        self._working = batch

    def look(self, unread: Mapping[Partition, range], uncommitted: Iterable[Batch]) -> None:
        """
        Take note of where the partitions stand.

        Args:
            unread: the offsets that were not read yet, of every owned partition.
            uncommitted: what was published and is not committed, oldest first.
        """
        now_ms = round(self._wall() * 1000)
        self._unread = unread
        oldest = _oldest(uncommitted, unread.keys())
        waiting = {p for p, records in self.consumable.items() if records} | oldest.keys()
        self._seen_ms = {p: self._seen_ms.get(p, now_ms) for p in waiting}
        self._last_ms = {p: ms for p, ms in {**self._last_ms, **oldest}.items() if p in unread}
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
            for partition, ms in _oldest([working], self._unread.keys()).items():
                since[partition] = min(ms, since.get(partition, ms))
        return {p: max(0.0, now_ms - since.get(p, now_ms)) / 1000 for p in {**self._unread, **since}}


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
