"""Where a partition ends for a reader of committed records, and what is said when the next offset is gone."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from stream.errors import OffsetOutOfRange
from stream.records import Partition
from tests.conftest import Kafka
from tests.contract.cluster import PARTITIONS, READ_S, Cluster, Join, Member, joining, send
from tests.kafka.process import wait_for
from tests.kafka.topics import Topics


@pytest.fixture
def real(kafka: Kafka, topics: Topics) -> Cluster:
    """A real Kafka: on the mock nothing is aborted, marked or deleted."""
    return Cluster("real", kafka.bootstrap, topics)


@pytest.fixture
def join(real: Cluster) -> Iterator[Join]:
    """A factory of members of the test's group: `join(topic)`; all of them leave at the end."""
    with joining(real.settings()) as join:
        yield join


@pytest.fixture
def upstream(real: Cluster) -> Callable[..., None]:
    """Writes records in a transaction of its own: `upstream(topic, count, commits=True)`."""
    producer = Producer(
        {
            "bootstrap.servers": real.bootstrap,
            "transactional.id": real.topics.name("upstream"),
            "log_level": 0,
        }
    )
    producer.init_transactions(READ_S)

    def write(topic: str, count: int, *, commits: bool = True) -> None:
        producer.begin_transaction()
        for _ in range(count):
            producer.produce(topic, b"v", b"k", partition=0)
        producer.flush(READ_S)
        (producer.commit_transaction if commits else producer.abort_transaction)(READ_S)

    return write


def _ends(member: Member, least: int = 0) -> dict[Partition, int]:
    """All four ends; that of partition 0 not before it is this."""
    found: dict[Partition, int] = {}

    def told() -> bool:
        member.poll()
        found.update(member.source.ends())
        return len(found) == PARTITIONS and found[Partition(member.topic, 0)] >= least

    wait_for(told, READ_S, f"the ends of {member.topic}")
    return found


def _delete_before(cluster: Cluster, topic: str, offset: int) -> None:
    admin = AdminClient({"bootstrap.servers": cluster.bootstrap, "log_level": 0})
    [future] = admin.delete_records([TopicPartition(topic, 0, offset)]).values()
    future.result(READ_S)


def test_end_is_after_the_last_record(cluster: Cluster, member: Join) -> None:
    """Where no transaction wrote, it is the offset after the last record, and comes after that record."""
    topic = cluster.topic("plain")
    send(cluster, topic, [b"1", b"2"])
    joined = member(topic)
    ends = _ends(joined)

    assert [0, 0, 0, 2] == sorted(ends.values())
    assert 2 == len(joined.rows)


@pytest.mark.kafka
def test_end_is_past_the_markers_of_transactions(
    real: Cluster, join: Join, upstream: Callable[..., None]
) -> None:
    """Committed records have a marker behind them; aborted ones leave nothing but offsets."""
    topic = real.topic("markers")
    upstream(topic, 3)
    upstream(topic, 5, commits=False)
    joined = join(topic)
    joined.read(3)

    assert 10 == _ends(joined, 4)[Partition(topic, 0)]
    assert range(10, 10) == joined.source.unread()[Partition(topic, 0)]


def test_end_where_the_group_stands_is_not_told(real: Cluster, join: Join) -> None:
    """There is nothing to commit."""
    topic = real.topic("known")
    send(real, topic, [b"1", b"2"])
    first = join(topic)
    ends = _ends(first)
    first.source.commit(ends, wait=True)
    first.source.close()
    second = join(topic)
    wait_for(lambda: second.poll() is not None and len(second.source.unread()) == 4, READ_S, "all ends")

    assert {} == second.source.ends()


@pytest.mark.kafka
def test_group_that_stands_past_the_markers_goes_on_when_they_are_deleted(
    real: Cluster, join: Join, upstream: Callable[..., None]
) -> None:
    """Retention empties the topic; the next member reads what comes then."""
    topic = real.topic("emptied")
    upstream(topic, 100)
    first = join(topic)
    first.read(100)
    first.source.commit(_ends(first, 101), wait=True)
    first.source.close()
    _delete_before(real, topic, 101)
    second = join(topic)
    wait_for(lambda: second.poll() is not None and bool(second.source.owned), READ_S, "its partitions")
    upstream(topic, 7)

    assert list(range(101, 108)) == [row.offset for row in second.read(7)]


GAPS = [
    # the group's offset, then what the stop's message and its hint must say
    (100, ["up to 1 record may be missing, or none", "offset 100 "], ['"latest" goes on at the end']),
    (90, ["up to 11 records may be missing, or none", "offsets 90 to 100"], ["skips nothing that is there"]),
]


@pytest.mark.kafka
@pytest.mark.parametrize(("offset", "message", "hint"), GAPS)
@pytest.mark.parametrize("more", [0, 400])
def test_message_says_what_each_choice_skips(
    real: Cluster, join: Join, upstream: Callable[..., None], offset: int, message: list[str],
    hint: list[str], more: int
) -> None:  # fmt: skip
    """Nobody can tell whether records are gone, but what is there and would be skipped is known."""
    topic = real.topic("gap")
    upstream(topic, 100)
    first = join(topic)
    first.read(100)
    first.source.commit({Partition(topic, 0): offset}, wait=True)
    first.source.close()
    _delete_before(real, topic, 101)
    if more:
        upstream(topic, more)
    second = join(topic)

    with pytest.raises(OffsetOutOfRange) as caught:
        wait_for(lambda: second.poll() is None, READ_S, "an error")

    said = caught.value
    holds = "it now holds offsets 101 to 501" if more else "it is empty now"
    skips = (
        "skips offsets 101 to 501, up to 401 records that are there"
        if more
        else "skips what is written until"
    )
    assert all(text in said.message.replace("Up", "up") for text in (*message, holds))
    assert all(text in (said.hint or "") for text in (*hint, '"earliest" goes on at offset 101', skips))


@pytest.mark.kafka
@pytest.mark.parametrize(("choice", "first"), [("earliest", 101), ("latest", 502)])
def test_chosen_place_is_committed_without_a_record(
    real: Cluster, join: Join, upstream: Callable[..., None], choice: str, first: int
) -> None:
    """Where the worker goes on is an end to commit, so that the next start does not choose once more."""
    topic = real.topic("chosen")
    upstream(topic, 100)
    before = join(topic)
    before.read(100)
    before.source.commit({Partition(topic, 0): 90}, wait=True)
    before.source.close()
    _delete_before(real, topic, 101)
    upstream(topic, 400)
    joined = join(topic, on_out_of_range=choice)

    assert 502 == _ends(joined, 102)[Partition(topic, 0)]
    assert list(range(first, 501)) == [row.offset for row in joined.rows]
