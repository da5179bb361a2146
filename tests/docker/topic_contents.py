"""What a topic holds, as an onlooker reads it: committed records only."""

from __future__ import annotations

from confluent_kafka import Consumer, KafkaError, TopicPartition

__all__ = ["count", "read"]


def read(bootstrap: str, topic: str, count: int) -> list[bytes]:
    """The first `count` committed values of a topic; fewer when no more come within half a minute."""
    consumer = _reader(bootstrap, topic)
    values: list[bytes] = []
    while len(values) < count and (batch := consumer.consume(count - len(values), 30)):
        values += [value for message in batch if (value := message.value()) is not None]
    consumer.close()
    return values


def count(bootstrap: str, topic: str) -> int:
    """How many committed records a topic holds now; offsets don't tell, transactions leave marks between them."""
    consumer = _reader(bootstrap, topic, {"enable.partition.eof": True})
    left, records = len(consumer.assignment()), 0
    while left:
        message = consumer.poll(30)
        assert message is not None, f"{topic}: neither a record nor its end"
        error = message.error()
        ended = error is not None
        assert error is None or error.code() == KafkaError._PARTITION_EOF, error
        left, records = left - ended, records + (not ended)
    consumer.close()
    return records


def _reader(bootstrap: str, topic: str, properties: dict[str, bool] | None = None) -> Consumer:
    """A consumer at the start of every partition of a topic."""
    own = {"group.id": "onlooker", "enable.auto.commit": False, "isolation.level": "read_committed"}
    consumer = Consumer({"bootstrap.servers": bootstrap, **own, **(properties or {})})
    partitions = consumer.list_topics(topic, timeout=60).topics[topic].partitions
    consumer.assign([TopicPartition(topic, each, 0) for each in partitions])
    return consumer
