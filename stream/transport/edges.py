"""The first and the last records of a topic: a cheap look at what is on it."""

from __future__ import annotations

from contextlib import closing

from stream.deadline import Deadline
from stream.records import Batch
from stream.settings import KafkaSettings
from stream.transport.reader import OffsetRange, Reader

__all__ = ["first_and_last"]

ANSWER_S = 5.0
"""For one answer of the broker; this is asked by people who wait."""


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
    with closing(Reader(kafka, topic, (), ANSWER_S)) as reader:
        ends = reader.ends().items()
        first = [OffsetRange(index, low, high, records) for index, (low, high) in ends]
        last = [OffsetRange(i, high - records, high) for i, (low, high) in ends if high - records > low]
        for ranges in (first, last):
            reader.read(ranges)
            while not reader.finished and not deadline.over:
                batch.extend(reader.poll(deadline.left_s(0.2)))
    return batch
