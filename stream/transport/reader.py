"""Reading a topic without a group or commits: every partition as it grows, ranges of offsets, or its ends."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Literal

from confluent_kafka import OFFSET_BEGINNING, OFFSET_END, Consumer, KafkaError, KafkaException, TopicPartition

from stream.deadline import Deadline
from stream.errors import Retriable, Stopped, StreamError
from stream.records import Batch
from stream.settings import KafkaSettings
from stream.transport.client_records import Message, as_batch
from stream.transport.clients import make_client
from stream.transport.faults import decide
from stream.transport.properties import consumer_properties
from stream.transport.reachability import Connection

__all__ = ["OffsetRange", "Reader", "first_and_last"]

ANSWER_S = 15.0
"""For one answer of the broker."""

LOOK_S = 5.0
"""The same for a look at a topic's ends: people wait for it."""


@dataclass(frozen=True, slots=True)
class OffsetRange:
    """
    Records of one partition.

    Attributes:
        partition: its number.
        start: the first offset.
        end: the offset after the last; a range that is not behind `start` is empty.
        records: at most so many; None = all.
    """

    partition: int
    start: int
    end: int
    records: int | None = None


class Reader:
    """Reads committed records of one topic: from one of its ends and without an end, or ranges."""

    def __init__(
        self,
        kafka: KafkaSettings,
        topic: str,
        start: Literal["earliest", "latest"] | Sequence[OffsetRange],
        answer_s: float = ANSWER_S,
    ) -> None:
        """
        Connects, and assigns every partition of the topic or those of the ranges.

        Args:
            kafka: the cluster.
            topic: the topic.
            start: which end to begin at; or see `read`.
            answer_s: how long to wait for one answer of the broker.
        Raises: Stopped when the broker does not answer or the topic is not there; with ranges, never.
        """
        self._kafka, self._topic = kafka, topic
        self._answer_s = answer_s
        self._ends: dict[int, int] = {}
        """Per partition that is not read to its end, the offset after its last wanted record."""
        self._rooms: dict[int, int] = {}
        """Per partition, how many records are still wanted at most."""
        self._bounded = not isinstance(start, str)
        properties = {
            **consumer_properties(kafka, Connection().on_error),
            "enable.partition.eof": self._bounded,
        }
        self._consumer: Any = make_client(Consumer, properties)
        if isinstance(start, str):
            begin = OFFSET_BEGINNING if start == "earliest" else OFFSET_END
            found = self._partitions()
            if not found:
                raise Stopped(f"topic {topic} is not there", hint="create it with `stream topics --create`")
            self._consumer.assign([TopicPartition(topic, i, begin) for i in found])
        else:
            self.read(start)

    def _partitions(self) -> list[int]:
        """Partition numbers, ascending; none when the topic is not there."""
        try:
            found = self._consumer.list_topics(timeout=self._answer_s).topics.get(self._topic)
        except KafkaException as error:
            raise self._stopped(error) from error
        return sorted(found.partitions) if found is not None else []

    def _stopped(self, error: KafkaException) -> Stopped:
        fault = decide(error, f"reading {self._topic}")
        if isinstance(fault, Stopped):
            return fault
        return Stopped(
            f"no broker answers: {fault.message}", hint="start it, or correct `[kafka] bootstrap_servers`"
        )

    def ends(self) -> dict[int, tuple[int, int]]:
        """
        Per partition its earliest offset and the one after its last committed record.

        Returns: ascending; empty when the topic is not there.
        Raises: Stopped when the broker does not answer or refuses. Blocks for an answer per partition.
        """
        asked = [TopicPartition(self._topic, index) for index in self._partitions()]
        try:
            return {
                tp.partition: self._consumer.get_watermark_offsets(tp, timeout=self._answer_s) for tp in asked
            }
        except KafkaException as error:
            raise self._stopped(error) from error

    def written_ends(self) -> dict[int, int]:
        """
        Per partition the offset after its last record, committed or not: `ends` lie before those of open transactions.

        Raises: as `ends`. Blocks likewise.
        """
        properties = {
            **consumer_properties(self._kafka, Connection().on_error),
            "isolation.level": "read_uncommitted",
        }
        with closing(make_client(Consumer, properties)) as onlooker:
            try:
                return {
                    index: onlooker.get_watermark_offsets(
                        TopicPartition(self._topic, index), timeout=self._answer_s
                    )[1]
                    for index in self._partitions()
                }
            except KafkaException as error:
                raise self._stopped(error) from error

    def committed(self, indexes: Iterable[int]) -> dict[int, int] | None:
        """
        The offsets of the group, which is not joined; partitions without one are left out.

        Asked of a consumer: librdkafka 2.16's admin client may end the process when such a request is under way while
        its broker is killed (an assertion in rdkafka_queue.h).

        Args:
            indexes: partition numbers.
        Returns: None where no broker answers in time, or a transaction with such offsets has not ended.
        Raises: Stopped when the broker refuses.
        """
        asked = [TopicPartition(self._topic, index) for index in indexes]
        try:
            found = self._consumer.committed(asked, timeout=self._answer_s)
        except KafkaException as error:
            fault = decide(error, f"reading the group's offsets of {self._topic}")
            if isinstance(fault, Stopped):
                raise fault from error
            return None
        return {tp.partition: tp.offset for tp in found if tp.error is None and tp.offset >= 0}

    def offsets_at(self, time_ms: int) -> dict[int, int | None]:
        """
        Per partition the offset of its first record of this time or later; None where there is none.

        Args:
            time_ms: milliseconds since 1970.
        Raises: as `ends`.
        """
        asked = [TopicPartition(self._topic, index, time_ms) for index in self._partitions()]
        try:
            found = self._consumer.offsets_for_times(asked, timeout=self._answer_s)
        except KafkaException as error:
            raise self._stopped(error) from error
        return {tp.partition: tp.offset if tp.offset >= 0 else None for tp in found}

    def read(self, ranges: Sequence[OffsetRange]) -> None:
        """
        Read these from now on, and nothing else.

        Args:
            ranges: one a partition at most.
        """
        wanted = [each for each in ranges if each.start < each.end and each.records != 0]
        self._ends = {each.partition: each.end for each in wanted}
        self._rooms = {
            each.partition: sys.maxsize if each.records is None else each.records for each in wanted
        }
        self._consumer.assign([TopicPartition(self._topic, each.partition, each.start) for each in wanted])

    @property
    def finished(self) -> bool:
        """Whether every record of the ranges was returned. Without ranges there is no end."""
        return self._bounded and not self._ends

    def poll(self, wait_s: float, records: int = 500) -> Batch:
        """
        What has come; empty when nothing came within wait_s seconds.

        Records of a transaction that is still open, and what is behind them, come once it has ended.

        Raises: Stopped when the broker refuses, or when offsets of a range are gone.
        """
        messages = self._consumer.consume(1, wait_s)
        if messages and records > 1:
            messages += self._consumer.consume(records - 1, 0)
        wanted = filter(self._is_wanted if self._bounded else self._is_record, messages)
        return as_batch(self._topic, list(wanted))

    def _is_record(self, message: Message) -> bool:
        """Whether it is a record, and not an error that passes. Raises: the decision on any other error."""
        error = message.error()
        # The client looks for its group's coordinator unasked; an onlooker needs none.
        if error is None or error.code() == KafkaError.GROUP_AUTHORIZATION_FAILED:
            return error is None
        fault: StreamError = decide(error, f"reading {self._topic}")
        if isinstance(fault, Retriable):
            return False
        raise fault

    def _is_wanted(self, message: Message) -> bool:
        """Whether it is a record of a range; notes the ends of ranges."""
        error = message.error()
        at_end = error is not None and error.code() == KafkaError._PARTITION_EOF
        if not (at_end or self._is_record(message)):
            return False
        index, offset = message.partition(), message.offset()
        end = self._ends.get(index)
        if end is None:
            return False
        inside = not at_end and offset < end
        self._rooms[index] -= inside
        # Offsets are not dense: behind the last record there may be markers of transactions, or nothing.
        if offset + inside >= end or not self._rooms[index]:
            del self._ends[index]
            self._consumer.incremental_unassign([TopicPartition(self._topic, index)])
        return inside

    def batches(self, idle_s: float | None) -> Iterator[Batch]:
        """
        Batches as they come, until the ranges are read.

        Args:
            idle_s: end when nothing came for so long; None = never. `finished` tells whether all was read.
        """
        patience_s = math.inf if idle_s is None else idle_s
        quiet = Deadline.after(patience_s)
        while not self.finished and not quiet.over:
            batch = self.poll(0.2)
            if batch:
                yield batch
                quiet = Deadline.after(patience_s)

    def close(self) -> None:
        """End reading."""
        self._consumer.close()


def first_and_last(kafka: KafkaSettings, topic: str, records: int, budget_s: float = 15.0) -> Batch:
    """
    Read the ends of every partition, without a group's offsets.

    Args:
        kafka: the cluster.
        topic: the topic.
        records: at each end of each partition.
        budget_s: for everything; what was read by then is returned.
    Returns: the records, each once or twice; empty where the topic is not there or empty.
    Raises: Stopped when no broker answers or it refuses.
    """
    deadline, batch = Deadline.after(budget_s), Batch(topic)
    with closing(Reader(kafka, topic, (), LOOK_S)) as reader:
        ends = reader.ends().items()
        first = [OffsetRange(index, low, high, records) for index, (low, high) in ends]
        last = [OffsetRange(i, high - records, high) for i, (low, high) in ends if high - records > low]
        for ranges in (first, last):
            reader.read(ranges)
            while not reader.finished and not deadline.over:
                batch.extend(reader.poll(deadline.left_s(0.2)))
    return batch
