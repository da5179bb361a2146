"""
Ends of partitions that have been read to their end.

A partition's *end* is where a `read_committed` reader waits for the next record. It may lie past the last record,
because markers of transactions, aborted records and records that were compacted away have offsets too. A group that
commits only "last record + 1" then stands before offsets that hold no record: lag never reaches 0, and once retention
has deleted them, it looks as if records were lost. Java's consumer commits its position, which is past them.

librdkafka names the end in its place among the records (`enable.partition.eof`), once for each new end, after a fetch
that came back empty. `Consumer.position` is no substitute: inside a rebalance it may already be past records that
have not been handed over.
Source: librdkafka 2.16, rd_kafka_fetch_reply_handle_partition.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from confluent_kafka import TopicPartition

from stream.records import Partition

__all__ = ["PartitionEnds"]


class PartitionEnds:
    """Keeps the ends of owned partitions. Used by the thread that owns the consumer."""

    def __init__(self, known: Mapping[int, int]) -> None:
        """
        Args:
            known: per partition number the offset that the group had when the partition came.
        """
        self._known = known
        self._ends: dict[int, int] = {}
        self._news: dict[Partition, int] = {}

    def reached(self, at: TopicPartition) -> None:
        """
        A partition was read to its end, or is read on elsewhere since its records are gone.

        Args:
            at: the partition and the offset to read next; that may lie before an earlier end where the topic was made
                anew.
        """
        self._ends[at.partition] = at.offset
        if self._known.get(at.partition) != at.offset:
            self._news[Partition(at.topic, at.partition)] = at.offset

    def take(self) -> dict[Partition, int]:
        """Ends that were reached since the last call, without those where the group stood already."""
        news, self._news = self._news, {}
        return news

    def forget(self, partitions: Iterable[TopicPartition]) -> None:
        """These are others' now."""
        for tp in partitions:
            self._ends.pop(tp.partition, None)
            self._news.pop(Partition(tp.topic, tp.partition), None)

    def position(self, at: TopicPartition) -> int:
        """The offset to read next: the client's position, or the end where that is further; negative = not known."""
        return max(at.offset, self._ends.get(at.partition, -1))
