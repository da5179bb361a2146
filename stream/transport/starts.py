"""Where reading starts: at the group's committed offset, else at the beginning; and where offsets are gone."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from typing import Literal

from confluent_kafka import OFFSET_INVALID, Consumer, KafkaException, TopicPartition

from stream.deadline import Deadline
from stream.errors import MovedOn, OffsetOutOfRange, Retriable
from stream.records import Partition
from stream.transport.faults import decide
from stream.transport.offset_gap import OffsetGap

__all__ = ["Starts"]

log = logging.getLogger(__name__)

AGAIN_S = 0.1
"""Seconds to wait before a broker is asked again."""

HELD_BACK = (
    "look at the brokers; if they are healthy, a transaction of this group may be hanging:"
    " kafka-transactions.sh find-hanging (docs/guarantees.md, Hanging transactions)"
)
"""What to do when the group's offsets can't be read for a long time."""


class Starts:
    """Asks through the consumer that will read, in the thread that owns it."""

    def __init__(self, consumer: Consumer, topic: str) -> None:
        """
        Args:
            consumer: confluent_kafka.Consumer.
            topic: the input.
        """
        self._consumer = consumer
        self._topic = topic
        self.known: dict[int, int] = {}
        """Per partition number that `find` was asked for, the group's offset, if it has one that is still there."""

    def find(self, partitions: list[TopicPartition], deadline: Deadline) -> list[TopicPartition]:
        """
        Where each partition starts; the log says where the group has no offset, and how many records that means.

        Raises: what `decide` makes of the client's error: at once if it is permanent, else after the deadline.
        """
        return [self._start(tp, deadline) for tp in self._committed(partitions, deadline)]

    def committed(self, partitions: Sequence[Partition], deadline: Deadline) -> dict[Partition, int]:
        """
        The group's offsets, of the partitions that have one.

        Raises: as `find`.
        """
        asked = [TopicPartition(p.topic, p.index) for p in partitions]
        return {
            Partition(tp.topic, tp.partition): tp.offset
            for tp in self._committed(asked, deadline)
            if tp.offset != OFFSET_INVALID
        }

    def replacement(
        self,
        gone: TopicPartition,
        choice: Literal["stop", "earliest", "latest"],
        deadline: Deadline,
    ) -> TopicPartition:
        """
        Where to go on in a partition that does not hold the offset to read next.

        Whether records were lost can't be known any more: what is gone may have been markers of transactions or
        aborted records, which no `read_committed` reader sees.

        Args:
            gone: the partition and the offset.
            choice: `[input] on_out_of_range`.
            deadline: for the broker's answer.
        Raises: OffsetOutOfRange when the choice is to stop; else as `find`.
        """
        low, high = self.ends(gone, deadline)
        self.known.pop(gone.partition, None)
        if low <= gone.offset <= high:  # it moved between the fetch and our look
            return gone
        gap = OffsetGap(gone, low, high)
        if choice == "stop":
            raise OffsetOutOfRange(gap.found, hint=gap.choices)
        start = low if choice == "earliest" else high
        log.error(
            "%s[%d]: offset out of range; going on at %s, %d, which %s: %s",
            gone.topic, gone.partition, choice, start, gap.skipped(start) or "skips nothing", gap.found,
        )  # fmt: skip
        return TopicPartition(gone.topic, gone.partition, start)

    def ends(self, tp: TopicPartition, deadline: Deadline) -> tuple[int, int]:
        """
        The earliest offset and the one after the last. Waits for a partition that has no leader yet.

        Raises: as `find`.
        """
        while True:
            try:
                low, high = self._consumer.get_watermark_offsets(tp, timeout=max(0.1, deadline.left_s()))
                return low, high
            except KafkaException as error:
                fault = decide(error, f"asking for the ends of {tp.topic}[{tp.partition}]")
                if not isinstance(fault, Retriable) or deadline.over:
                    raise fault from error
                time.sleep(AGAIN_S)

    def _committed(self, partitions: list[TopicPartition], deadline: Deadline) -> list[TopicPartition]:
        while partitions:
            try:
                found = self._consumer.committed(partitions, timeout=max(0.1, deadline.left_s()))
            except KafkaException as error:
                fault = decide(error, f"reading the group's offsets of {self._topic}")
                if not isinstance(fault, Retriable | MovedOn):
                    raise fault from error
                if deadline.over:
                    # The client gives no reason: it retries by itself while an open transaction holds the offsets back.
                    fault.hint = fault.hint or HELD_BACK
                    raise fault from error
                time.sleep(AGAIN_S)
                continue
            for tp in found:
                if tp.error is not None:
                    raise decide(tp.error, f"reading the committed offset of {tp.topic}[{tp.partition}]")
            return list(found)
        return []

    def _start(self, tp: TopicPartition, deadline: Deadline) -> TopicPartition:
        if tp.offset != OFFSET_INVALID:
            self.known[tp.partition] = tp.offset
            return TopicPartition(tp.topic, tp.partition, tp.offset)
        self.known.pop(tp.partition, None)
        low, high = self.ends(tp, deadline)
        log.warning(
            "%s[%d]: the group has no committed offset; starting at the earliest record, %d: %d records to read",
            tp.topic, tp.partition, low, high - low,
        )  # fmt: skip
        return TopicPartition(tp.topic, tp.partition, low)
