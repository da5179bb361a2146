"""What exactly-once rests on; the mock only pretends, so that the demo runs at-least-once there."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from confluent_kafka import OFFSET_INVALID, Consumer, Producer, TopicPartition

from tests.contract.cluster import READ_S, Cluster, Member, send
from tests.kafka.process import wait_for

Join = Callable[..., Member]


@pytest.fixture
def producer(cluster: Cluster) -> Producer:
    """A transactional producer that is ready."""
    identity = cluster.topics.name("transactional")
    producer = Producer(
        {
            "bootstrap.servers": cluster.bootstrap,
            "transactional.id": identity,
            "log_level": 0,
            "partitioner": "murmur2_random",  # as `send` has it: the same key, the same partition
        }
    )
    producer.init_transactions(READ_S)
    return producer


@pytest.fixture
def consumer(cluster: Cluster) -> Iterator[Consumer]:
    """A member of the test's group that commits nothing by itself."""
    consumer = Consumer(
        {
            "bootstrap.servers": cluster.bootstrap,
            "group.id": cluster.topics.name("group"),
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
        }
    )
    yield consumer
    consumer.close()


def _read_all(consumer: Consumer, topic: str, count: int) -> None:
    found = 0

    def read() -> bool:
        nonlocal found
        found += len(consumer.consume(count, 0.2))
        return found >= count

    consumer.subscribe([topic])
    wait_for(read, READ_S, f"{count} records of {topic}")


def _committed(consumer: Consumer, topic: str) -> list[int]:
    partitions = [TopicPartition(topic, index) for index in range(4)]
    found = consumer.committed(partitions, timeout=READ_S)
    return [each.offset for each in found if each.offset != OFFSET_INVALID]


def _send_offsets(producer: Producer, consumer: Consumer) -> None:
    positions = [each for each in consumer.position(consumer.assignment()) if each.offset >= 0]
    producer.send_offsets_to_transaction(positions, consumer.consumer_group_metadata())


@pytest.mark.mock_gap("offsets sent to a transaction are thrown away")
def test_offsets_of_a_transaction_are_committed_with_it(
    cluster: Cluster, producer: Producer, consumer: Consumer
) -> None:
    """After the commit of a transaction the group's offset is the one that was sent in it."""
    topic = cluster.topic("input")
    send(cluster, topic, [b"1", b"2", b"3"])
    _read_all(consumer, topic, 3)

    producer.begin_transaction()
    _send_offsets(producer, consumer)
    producer.commit_transaction(READ_S)

    assert [3] == _committed(consumer, topic)


def test_offsets_of_an_aborted_transaction_are_not_committed(
    cluster: Cluster, producer: Producer, consumer: Consumer
) -> None:
    """An abort leaves the group where it was."""
    topic = cluster.topic("input")
    send(cluster, topic, [b"1"])
    _read_all(consumer, topic, 1)

    producer.begin_transaction()
    _send_offsets(producer, consumer)
    producer.abort_transaction(READ_S)

    assert [] == _committed(consumer, topic)


@pytest.mark.mock_gap("records of an aborted transaction are delivered")
def test_records_of_an_aborted_transaction_are_never_read(
    cluster: Cluster, producer: Producer, member: Join
) -> None:
    """A reader sees what was committed before and after an abort, and nothing of what was aborted."""
    topic = cluster.topic("output")
    for value, commits in ((b"before", True), (b"aborted", False), (b"after", True)):
        producer.begin_transaction()
        producer.produce(topic, value, b"one key")
        producer.flush(READ_S)
        (producer.commit_transaction if commits else producer.abort_transaction)(READ_S)

    assert [b"before", b"after"] == [row.value for row in member(topic).read(2)]


@pytest.mark.mock_gap("an open transaction's records are delivered before its commit")
def test_records_of_an_open_transaction_wait_for_its_commit(
    cluster: Cluster, producer: Producer, member: Join
) -> None:
    """A reader gets nothing of a transaction until it is committed, then all of it."""
    topic = cluster.topic("output")
    send(cluster, topic, [b"first"])
    reader = member(topic)
    reader.read(1)
    producer.begin_transaction()
    producer.produce(topic, b"open", b"one key")
    producer.flush(READ_S)
    send(cluster, topic, [b"behind it"])

    for _ in range(10):
        reader.poll()
    assert [b"first"] == [row.value for row in reader.rows]

    producer.commit_transaction(READ_S)
    assert [b"first", b"open", b"behind it"] == [row.value for row in reader.read(3)]
