"""Offsets are kept, and partitions move between members without stopping the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from confluent_kafka import Consumer, TopicPartition

from stream.errors import OffsetOutOfRange
from stream.records import Partition
from tests.contract.cluster import PARTITIONS, READ_S, Cluster, Member, send
from tests.kafka.process import wait_for

Join = Callable[..., Member]


def _poll_until(members: list[Member], condition: Callable[[], bool], what: str) -> None:
    def step() -> bool:
        for each in members:
            each.poll()
        return condition()

    wait_for(step, READ_S, what)


def test_group_without_offsets_starts_at_the_earliest_record(cluster: Cluster, member: Join) -> None:
    """What was written before the group's first start is read."""
    topic = cluster.topic("earliest")
    send(cluster, topic, [b"1", b"2"])

    assert [b"1", b"2"] == [row.value for row in member(topic).read(2)]


def test_committed_offset_is_where_the_next_member_goes_on(cluster: Cluster, member: Join) -> None:
    """After a commit in the middle, a later member reads what was not committed, and nothing before."""
    topic = cluster.topic("resume")
    send(cluster, topic, [b"%d" % i for i in range(10)])
    first = member(topic)
    row = first.read(10)[3]
    first.source.commit({Partition(topic, row.partition): row.offset + 1}, wait=True)
    first.source.close()

    found = member(topic).read(6)

    assert [b"4", b"5", b"6", b"7", b"8", b"9"] == [row.value for row in found]


def test_second_member_takes_half_and_the_first_keeps_the_rest(cluster: Cluster, member: Join) -> None:
    """Cooperative-sticky: only the partitions that move are revoked, and every partition has one owner."""
    topic = cluster.topic("shared")
    first = member(topic)
    _poll_until([first], lambda: first.owns(range(PARTITIONS)), "the first member to own all")

    second = member(topic)
    _poll_until([first, second], lambda: len(second.source.owned) == PARTITIONS // 2, "the second's share")

    assert PARTITIONS // 2 == len(first.source.owned)
    assert set() == set(first.source.owned) & set(second.source.owned)
    assert {(partition, False) for partition in second.source.owned} == set(first.heard.gone)


def test_partitions_of_a_member_that_leaves_go_to_the_other(cluster: Cluster, member: Join) -> None:
    """When one of two members closes, the other owns everything and reads what comes then."""
    topic = cluster.topic("inherited")
    first, second = member(topic), member(topic)
    _poll_until([first, second], lambda: bool(first.source.owned and second.source.owned), "both to own some")

    second.source.close()
    _poll_until([first], lambda: first.owns(range(PARTITIONS)), "the one that stayed to own all")
    keys = [b"%d" % i for i in range(40)]
    send(cluster, topic, keys, keys)

    assert set(keys) == {row.value for row in first.read(40)}


def test_offset_beyond_the_end_stops_the_worker(cluster: Cluster, member: Join) -> None:
    """A committed offset that the topic does not hold is an error that names the partition, never a jump."""
    topic = cluster.topic("range")
    _commit_beyond_the_end(cluster, topic)
    joined = member(topic)

    with pytest.raises(OffsetOutOfRange, match=rf"{topic}\[0\]: the group would read offset 1000 next"):
        _poll_until([joined], lambda: False, "an error")


def test_offset_beyond_the_end_goes_on_where_it_was_told(cluster: Cluster, member: Join) -> None:
    """With `on_out_of_range = "earliest"` the records that are there are read."""
    topic = cluster.topic("range")
    _commit_beyond_the_end(cluster, topic)
    joined = member(topic, on_out_of_range="earliest")
    keys = [b"%d" % i for i in range(40)]
    send(cluster, topic, keys, keys)

    assert set(keys) == {row.value for row in joined.read(40)}


def _commit_beyond_the_end(cluster: Cluster, topic: str) -> None:
    consumer = Consumer({"bootstrap.servers": cluster.bootstrap, "group.id": cluster.topics.name("group")})
    consumer.commit(offsets=[TopicPartition(topic, 0, 1_000)], asynchronous=False)
    consumer.close()


@pytest.fixture
def consumer(cluster: Cluster) -> Iterator[Consumer]:
    """A client that only asks, and is not a member of a group."""
    consumer = Consumer({"bootstrap.servers": cluster.bootstrap, "group.id": "unused"})
    yield consumer
    consumer.close()


def test_both_ends_of_a_partition_are_known(cluster: Cluster, consumer: Consumer) -> None:
    """ListOffsets answers with the first offset and the one after the last record."""
    topic = cluster.topic("ends")
    send(cluster, topic, [b"1", b"2", b"3"])

    ends = [consumer.get_watermark_offsets(TopicPartition(topic, index)) for index in range(PARTITIONS)]

    assert [(0, 0)] * (PARTITIONS - 1) + [(0, 3)] == sorted(ends)


@pytest.mark.mock_gap("ListOffsets knows the ends only: a time is answered with -1")
def test_offsets_are_found_by_time(cluster: Cluster, consumer: Consumer) -> None:
    """ListOffsets answers a time with the first record at or after it."""
    topic = cluster.topic("times")
    send(cluster, topic, [b"1", b"2", b"3"], timestamps_ms=[1_000, 2_000, 3_000])

    asked = [TopicPartition(topic, index, 1_500) for index in range(PARTITIONS)]
    found = consumer.offsets_for_times(asked, timeout=READ_S)

    assert [-1] * (PARTITIONS - 1) + [1] == sorted(each.offset for each in found)
