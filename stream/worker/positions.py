"""
Offsets that are committed although no record stands right before them: ends of partitions past markers of
transactions and aborted records (`stream.transport.partition_ends`).

They go along with the next span's commit. Where none comes, they are committed alone after `ALONE_S`, so that a group
that has read everything also says so; an idle worker whose partitions end at records commits nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from stream.records import Partition

__all__ = ["Positions"]

ALONE_S = 0.5
"""How long a position waits for a span to take it along: at most so often a commit is made for positions alone. An
upstream that commits ten times a second, as Kafka Streams does, then costs none beside those of its records."""


class Positions:
    """
    Those that are not committed yet. Used by the engine's thread alone.

    True while there are any.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        """
        Args:
            clock: monotonic seconds.
        """
        self._clock = clock
        self._since = clock()
        self._open: dict[Partition, int] = {}
        self._done: dict[Partition, int] = {}
        """Per partition what was committed last, as far as it is known here."""

    def __bool__(self) -> bool:
        return bool(self._open)

    @property
    def due(self) -> bool:
        """Whether they have waited long enough for a span that takes them along."""
        return bool(self._open) and self._clock() - self._since >= ALONE_S

    def reached(self, ends: Mapping[Partition, int]) -> None:
        """
        Partitions were read to their ends.

        Args:
            ends: per partition the offset to read next; every record before it is published or in the open span. An end
                never goes back, unless the partition was made anew: then what is known of the old one is forgotten.
        """
        for partition, offset in ends.items():
            if offset < self._open.get(partition, offset):
                self.forget([partition])
            if offset > self._done.get(partition, -1):
                if not self._open:
                    self._since = self._clock()
                self._open[partition] = offset

    def join(self, next_offsets: dict[Partition, int]) -> None:
        """Go along with a span: raise what it will commit. Should that fail, they wait as long again."""
        self._since = self._clock()
        for partition, offset in self._open.items():
            next_offsets[partition] = max(offset, next_offsets.get(partition, 0))

    def committed(self, next_offsets: Mapping[Partition, int]) -> None:
        """
        The group's offsets are these now, by whatever commit: a position behind them is not committed any more.

        Args:
            next_offsets: per partition; others are as they were.
        """
        self._done.update(next_offsets)
        if self._open:
            self._open = {p: offset for p, offset in self._open.items() if offset > next_offsets.get(p, -1)}

    def forget(self, partitions: Iterable[Partition]) -> None:
        """These are others' now."""
        for partition in partitions:
            self._open.pop(partition, None)
            self._done.pop(partition, None)
