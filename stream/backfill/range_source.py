"""
The input of a backfill: `stream.transport.Source`, of which only the offsets of a plan are passed on.

A partition is *read* when nothing of its range is to come any more: a record at or behind the range's end was seen, or
the client named an end of the partition there (`stream.transport.partition_ends`), or the group's offset was there when
the partition was assigned. It is paused then, and its end is handed to the delivery as the offset to commit, since the
last record may stand before it: markers of transactions, aborted records and what was compacted away have offsets too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from stream.backfill.plan import Extent
from stream.deadline import Deadline
from stream.errors import Stopped
from stream.records import Batch, Partition
from stream.transport import GroupMetadata, Listener, Source

__all__ = ["Pacer", "RangeSource"]

GONE = (
    "the offsets of an empty group expire (offsets.retention.minutes of the broker, 7 days by default); look at what is"
    " on the output topic, and name the rest of the range with `--from` and `--to`"
)


class Pacer:
    """Lets so many records a second pass; what was not used is not made up for."""

    def __init__(self, rate: float | None, clock: Callable[[], float]) -> None:
        """
        Args:
            rate: records a second; None = no limit.
            clock: monotonic seconds.
        """
        self._rate = rate
        self._clock = clock
        self._free_at = clock()

    @property
    def wait_s(self) -> float:
        """How long until the next record may pass."""
        return max(0.0, self._free_at - self._clock())

    def passed(self, records: int) -> None:
        """So many have passed now."""
        if self._rate is not None:
            self._free_at = max(self._free_at, self._clock()) + records / self._rate


class RangeSource:
    """What `stream.worker.Engine` reads; owned by its thread."""

    def __init__(
        self,
        connect: Callable[[Listener], Source],
        listener: Listener,
        topic: str,
        extents: Mapping[int, Extent],
        pacer: Pacer,
    ) -> None:
        """
        Args:
            connect: makes the source that is read, with whom it tells of rebalances.
            listener: told of every rebalance, after this one.
            topic: the input.
            extents: by partition number; of other partitions nothing is read.
            pacer: how fast records pass.
        """
        self._topic, self._extents, self._pacer = topic, extents, pacer
        self._listener = listener
        self._read: set[int] = set()
        """Owned partitions of which nothing is to come."""
        self._news: set[int] = set()
        """Those of them that the last poll has shown."""
        self._ends: dict[Partition, int] = {}
        self._next: dict[int, int] = {}
        self._source = connect(self)
        self.drained = True

    @property
    def owned(self) -> list[Partition]:
        """See `Source.owned`."""
        return self._source.owned

    def subscribe(self) -> None:
        """See `Source.subscribe`."""
        self._source.subscribe()

    def poll(self, idle_s: float, most: int, company: Deadline) -> Batch:
        """
        See `Source.poll`.

        Raises: as that; as `assigned`.
        """
        if wait_s := self._pacer.wait_s:
            self._source.serve(min(wait_s, idle_s))
            return Batch(self._topic)
        self._news.clear()
        batch = self._source.poll(idle_s, most, company)
        for partition, offset in self._source.ends().items():
            self._reached(partition.index, offset)
        kept = self._inside(batch)
        self._pause(self._news)
        self.drained = self._source.drained
        self._pacer.passed(len(kept))
        return kept

    def _reached(self, index: int, offset: int) -> None:
        """The partition was read to this offset, if it is not read already."""
        if index in self._read or index not in self._next:
            return
        end = self._extents[index].end
        self._ends[Partition(self._topic, index)] = min(offset, end)
        self._next[index] = min(offset, end)
        if offset >= end:
            self._read.add(index)
            self._news.add(index)

    def _inside(self, batch: Batch) -> Batch:
        """The records of the ranges."""
        rows = []
        for i, (index, offset) in enumerate(zip(batch.partitions, batch.offsets, strict=True)):
            if index in self._next and offset < self._extents[index].end:
                rows.append(i)
                self._next[index] = offset + 1
            else:
                self._reached(index, offset)
        for index in {batch.partitions[i] for i in rows}:
            if self._next[index] == self._extents[index].end:
                self._reached(index, self._next[index])
        return batch if len(rows) == len(batch) else batch.take(rows)

    def _pause(self, read: set[int]) -> None:
        """Let the client fetch no more of these, as far as they are still owned."""
        if paused := read & {partition.index for partition in self.owned}:
            self._source.pause(paused)

    def ends(self) -> dict[Partition, int]:
        """See `Source.ends`; none lies behind the range's own."""
        ends, self._ends = self._ends, {}
        return ends

    def unread(self) -> dict[Partition, range]:
        """Offsets of the ranges not yet read, per owned partition."""
        return {
            Partition(self._topic, index): range(offset, self._extents[index].end)
            for index, offset in self._next.items()
        }

    # ---- as the source has it ----

    def commit(self, offsets: Mapping[Partition, int], *, wait: bool) -> None:
        """See `Source.commit`."""
        self._source.commit(offsets, wait=wait)

    def not_committed(self) -> dict[Partition, int]:
        """See `Source.not_committed`."""
        return self._source.not_committed()

    def group(self) -> GroupMetadata:
        """See `Source.group`."""
        return self._source.group()

    def committed(self, partitions: Sequence[Partition], deadline: Deadline) -> dict[Partition, int]:
        """See `Source.committed`."""
        return self._source.committed(partitions, deadline)

    def serve(self, wait_s: float) -> None:
        """See `Source.serve`."""
        self._source.serve(wait_s)

    def close(self) -> None:
        """See `Source.close`."""
        self._source.close()

    # ---- stream.transport.Listener ----

    def assigned(self, partitions: Sequence[Partition]) -> None:
        """
        Look where they stand. What is done is paused before it is read: its next record may be gone by now.

        Raises: Stopped when the group has lost its place.
        """
        self._forget(partitions)
        for index in (partition.index for partition in partitions):
            if index not in self._extents:
                self._read.add(index)
            elif (offset := self._source.found.get(index)) is None:
                raise Stopped(
                    f"{Partition(self._topic, index)}: the group's offset is gone: what of this backfill was published"
                    " is not known",
                    hint=GONE,
                )
            elif offset >= self._extents[index].end:
                self._read.add(index)
            else:
                self._next[index] = offset
        self._pause(self._read & {partition.index for partition in partitions})
        self._listener.assigned(partitions)

    def revoked(self, partitions: Sequence[Partition], *, lost: bool) -> None:
        """They are others' now, who find out by themselves where their ranges end."""
        self._listener.revoked(partitions, lost=lost)
        self._forget(partitions)

    def _forget(self, partitions: Sequence[Partition]) -> None:
        for partition in partitions:
            self._read.discard(partition.index)
            self._next.pop(partition.index, None)
            self._ends.pop(partition, None)
