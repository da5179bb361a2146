"""What is written is what is read: bytes, order, placement, limits."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # its __init__ re-exports without __all__
    AdminClient,
    NewPartitions,
)

from stream.deadline import Deadline
from stream.records import Outgoing
from stream.settings import BatchingSettings, Bytes, Seconds
from stream.transport import Sink
from tests.contract.cluster import PARTITIONS, READ_S, Cluster, Member, send

Join = Callable[..., Member]

_MAX_BYTES = 64 * 1024 * 1024
"""The client's own limit (stream/transport/properties.py)."""


def test_record_comes_back_as_it_was_sent(cluster: Cluster, member: Join) -> None:
    """Key, value, timestamp and headers are kept: in order, doubled, empty and null ones too."""
    topic = cluster.topic("kept")
    headers = [("b", b"2"), ("a", b""), ("b", None), ("ü", b"\x00\xff")]
    send(cluster, topic, [b"\x00value"], [b"\xffkey"], [1_371_000_000_123], [headers])

    (row,) = member(topic).read(1)

    assert (b"\xffkey", b"\x00value", 1_371_000_000_123) == (row.key, row.value, row.timestamp_ms)
    assert tuple(headers) == row.headers


def test_null_key_and_null_value_come_back_as_null(cluster: Cluster, member: Join) -> None:
    """A tombstone without a key is neither dropped nor made empty."""
    topic = cluster.topic("null")
    send(cluster, topic, [None], [None], [1_371_000_000_000])

    (row,) = member(topic).read(1)

    assert (None, None) == (row.key, row.value)


def test_thousands_of_records_of_one_key_come_back_in_order(cluster: Cluster, member: Join) -> None:
    """Records of one key keep their order over many polls, none missing, none twice."""
    topic = cluster.topic("order")
    values = [b"%d" % i for i in range(5_000)]
    send(cluster, topic, values)

    found = member(topic).read(len(values))

    assert values == [row.value for row in found]
    assert sorted(row.offset for row in found) == [row.offset for row in found]


def test_records_are_placed_by_key_as_the_java_client_does(cluster: Cluster, member: Join) -> None:
    """A key's partition is its murmur2 hash, so that predictions co-partition with features."""
    topic = cluster.topic("placed")
    keys = [b"UA-%d" % i for i in range(200)]
    send(cluster, topic, keys, keys)

    found = member(topic).read(len(keys))

    assert {key: _murmur2(key) % PARTITIONS for key in keys} == {row.key: row.partition for row in found}
    assert len({row.partition for row in found}) == PARTITIONS


def test_poll_keeps_within_its_limits(cluster: Cluster, member: Join) -> None:
    """No batch has more records or more bytes than it may, and a larger record comes alone."""
    topic = cluster.topic("limits")
    values = [b"x" * 400, b"x" * 400, b"x" * 400, b"y" * 5_000, *[b"z"] * 20]
    send(cluster, topic, values)
    joined = member(topic, BatchingSettings(8, Bytes(1_000), Seconds(0.0)))

    sizes: list[list[int]] = []
    while len(joined.rows) < len(values):
        batch = joined.poll()
        sizes.append([len(value or b"") for value in batch.values])

    assert values == [row.value for row in joined.rows]
    assert [] == [batch for batch in sizes if len(batch) > 8 or (sum(batch) > 1_000 and len(batch) > 1)]


def test_value_beyond_the_clients_limit_is_refused_and_its_neighbours_are_written(
    cluster: Cluster, member: Join
) -> None:
    """A record too large to send is handed back with its reason; those around it arrive."""
    topic = cluster.topic("huge")
    sink = Sink(cluster.settings())
    values = [b"before", bytes(_MAX_BYTES + 1), b"after"]
    sink.send(Outgoing(topic, [b"k"] * 3, values, [0] * 3, [None] * 3))

    refused = sink.flush(Deadline.after(READ_S))

    assert [("message_too_large", len(values[1]))] == [(r.reason, len(r.value or b"")) for r in refused]
    assert [b"before", b"after"] == [row.value for row in member(topic).read(2)]


@pytest.mark.mock_gap("it takes a value of any size: topics have no max.message.bytes")
def test_value_beyond_the_topics_limit_is_refused(cluster: Cluster) -> None:
    """The broker's own refusal comes back with the whole record, so that it can be dead-lettered."""
    topic = cluster.topic("large", {"max.message.bytes": "10000"})
    sink = Sink(cluster.settings())
    sink.send(Outgoing(topic, [b"key"], [bytes(20_000)], [0], [[("h", b"1")]]))

    (refused,) = sink.flush(Deadline.after(READ_S))

    assert ("message_too_large", b"key", bytes(20_000)) == (refused.reason, refused.key, refused.value)
    assert [("h", b"1")] == list(refused.headers)


@pytest.mark.mock_gap("it takes any timestamp: topics have no message.timestamp.after.max.ms")
def test_timestamp_far_ahead_is_refused(cluster: Cluster) -> None:
    """A timestamp that the broker won't take is a refusal of that record, not the end of the worker."""
    topic = cluster.topic("future", {"message.timestamp.after.max.ms": "3600000"})
    sink = Sink(cluster.settings())
    sink.send(Outgoing(topic, [None], [b"from 2100"], [4_102_444_800_000], [None]))

    (refused,) = sink.flush(Deadline.after(READ_S))

    assert "timestamp_refused" == refused.reason


@pytest.mark.mock_gap("it takes any timestamp: topics have no message.timestamp.after.max.ms")
@pytest.mark.parametrize("far", [1, 3])
def test_refused_records_take_no_neighbour_of_their_batch_with_them(
    cluster: Cluster, member: Join, far: int
) -> None:
    """Refused records of a batch are reported, each with its reason; the others are written once, stamped as sent."""
    topic = cluster.topic("neighbours", {"message.timestamp.after.max.ms": "3600000"})
    sink = Sink(cluster.settings(), repeat=True)
    values = [b"%d" % i for i in range(20)]
    stamps = [4_102_444_800_000] * far + [1_371_000_000_000 + i for i in range(far, 20)]
    sink.send(Outgoing(topic, [b"k"] * 20, values, stamps, [None, [("h", b"1")]] * 10))

    refused = sink.flush(Deadline.after(READ_S))

    assert {(value, "timestamp_refused") for value in values[:far]} == {(r.value, r.reason) for r in refused}
    found = [(row.value, row.timestamp_ms) for row in member(topic).read(20 - far)]
    assert list(zip(values, stamps, strict=True))[far:] == sorted(found, key=lambda row: row[1])


def test_batch_too_large_for_its_topic_is_written_record_by_record(cluster: Cluster, member: Join) -> None:
    """Small records whose batch is larger than max.message.bytes are not refused for that."""
    topic = cluster.topic("crowd", {"max.message.bytes": "2000"})
    sink = Sink(cluster.settings(), repeat=True)
    values = [b"%d" % i * 100 for i in range(50)]
    sink.send(Outgoing(topic, [b"k"] * 50, values, [0] * 50, [None] * 50))

    assert [] == sink.flush(Deadline.after(READ_S))
    assert sorted(values) == sorted(row.value or b"" for row in member(topic).read(50))


@pytest.mark.mock_gap("it can't add partitions")
def test_partitions_that_are_added_are_read(cluster: Cluster, member: Join) -> None:
    """A member of a running group takes new partitions over within seconds, and from their first record on."""
    topic = cluster.topic("grown")
    joined = member(topic)
    send(cluster, topic, [b"before"])
    joined.read(1)
    admin = AdminClient({"bootstrap.servers": cluster.bootstrap, "log_level": 0})
    [added] = admin.create_partitions([NewPartitions(topic, 3 * PARTITIONS)], request_timeout=5).values()
    added.result()

    values = [b"%d" % i for i in range(200)]
    send(cluster, topic, values, values)

    assert sorted([b"before", *values]) == sorted(row.value or b"" for row in joined.read(201))
    assert len({row.partition for row in joined.rows}) > PARTITIONS


def test_lag_is_what_is_left_to_read(cluster: Cluster, member: Join) -> None:
    """The lag of the partition read from falls to zero when all of it was taken."""
    topic = cluster.topic("lag")
    send(cluster, topic, [b"%d" % i for i in range(10)])
    joined = member(topic, BatchingSettings(1, Bytes(1 << 20), Seconds(0.0)))

    joined.read(4)
    assert 6 == sum(map(len, joined.source.unread().values()))

    joined.read(10)
    assert 0 == sum(map(len, joined.source.unread().values()))


def _murmur2(key: bytes) -> int:
    """
    The positive part of Kafka's hash of a key.

    Source: org.apache.kafka.common.utils.Utils.murmur2 and BuiltInPartitioner.
    """
    mask, m = 0xFFFFFFFF, 0x5BD1E995
    h = 0x9747B28C ^ len(key)
    whole = len(key) // 4 * 4
    for i in range(0, whole, 4):
        k = int.from_bytes(key[i : i + 4], "little") * m & mask
        k = (k ^ k >> 24) * m & mask
        h = h * m & mask ^ k
    if rest := key[whole:]:
        h = (h ^ int.from_bytes(rest, "little")) * m & mask
    h = (h ^ h >> 13) * m & mask
    return (h ^ h >> 15) & 0x7FFFFFFF
