"""The first and the last records of a topic: a cheap look at what is on it."""

from __future__ import annotations

from typing import Any

from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka.cimpl import KafkaError

from stream.deadline import Deadline
from stream.errors import Stopped
from stream.records import Batch
from stream.settings import KafkaSettings
from stream.transport.clients import make_client
from stream.transport.faults import decide
from stream.transport.properties import consumer_properties
from stream.transport.reachability import Connection

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
    properties = consumer_properties(kafka, Connection().on_error)
    consumer: Any = make_client(
        Consumer, {**properties, "enable.partition.eof": True, "auto.offset.reset": "earliest"}
    )
    deadline, batch = Deadline.after(budget_s), Batch(topic)
    try:
        found = consumer.list_topics(timeout=ANSWER_S).topics.get(topic)
        for index in sorted(found.partitions) if found is not None else ():
            low, high = consumer.get_watermark_offsets(TopicPartition(topic, index), timeout=ANSWER_S)
            for start in dict.fromkeys((low, max(low, high - records))):
                _read(consumer, TopicPartition(topic, index, start), records, deadline, batch)
    except KafkaException as error:
        raise Stopped(f"{topic} can't be read: {decide(error, 'looking').message}") from error
    finally:
        consumer.close()
    return batch


def _read(consumer: Any, start: TopicPartition, records: int, deadline: Deadline, batch: Batch) -> None:
    """Up to so many records of one partition from an offset on."""
    consumer.assign([start])
    taken = 0
    while taken < records and not deadline.over:
        for message in consumer.consume(records - taken, deadline.left_s(0.2)):
            if message.error() is None:
                _add(batch, message)
                taken += 1
            elif message.error().code() == KafkaError._PARTITION_EOF:
                return


def _add(batch: Batch, message: Any) -> None:
    batch.partitions.append(message.partition())
    batch.offsets.append(message.offset())
    batch.timestamps_ms.append(message.timestamp()[1])
    batch.keys.append(message.key())
    batch.values.append(message.value())
    batch.headers.append(message.headers())
