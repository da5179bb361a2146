"""What can be asked of topics and groups from outside."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from functools import partial

import pytest

from stream.errors import Stopped
from stream.records import Partition
from stream.settings import KafkaSettings
from stream.transport import Cluster as Catalogue
from stream.transport import GroupLayout, GroupWatch, TopicState, WantedTopic
from tests.contract.cluster import PARTITIONS, READ_S, Cluster, Member, joining, send
from tests.kafka.artifacts import KAFKA
from tests.kafka.process import wait_for

Join = Callable[..., Member]


@pytest.fixture
def catalogue(cluster: Cluster) -> Catalogue:
    """The product's own look at the cluster."""
    return Catalogue(cluster.settings())


def test_topics_that_exist_are_listed(cluster: Cluster, catalogue: Catalogue) -> None:
    """A topic that is there is seen by name with its partitions, and looking makes none."""
    topic = cluster.topic("listed")

    assert topic in catalogue.topics(READ_S)
    assert catalogue.partitions()[topic] == PARTITIONS
    assert f"{topic}.not" not in catalogue.topics(READ_S)


def test_topic_that_is_gone_is_said_whatever_is_asked_of_it(cluster: Cluster, catalogue: Catalogue) -> None:
    """The client calls an empty list of partitions a mistake of its caller."""
    gone = cluster.topics.name("gone")

    for ask in (catalogue.ends, partial(catalogue.committed, "group")):
        with pytest.raises(Stopped, match=f"topic {gone} is not there") as stopped:
            ask(gone)
        assert "create it with `stream topics --create`" == stopped.value.hint


@pytest.mark.mock_gap("CreateTopics is not answered: topics appear when they are asked for")
def test_missing_topic_is_created_as_wanted_and_then_left_alone(
    cluster: Cluster, catalogue: Catalogue
) -> None:
    """A topic gets its partitions and its limit when it is made; the second time nothing happens."""
    if cluster.kind == "mock":  # it never answers: don't wait for that
        catalogue = Catalogue(replace(cluster.settings(), properties={"socket.timeout.ms": 2_000}))
    name = cluster.topics.name("created")
    wanted = WantedTopic(name, "input", 7, config={"max.message.bytes": "123456"})

    assert [TopicState(name, "input", 7, created=True)] == catalogue.create([wanted])
    wait_for(lambda: catalogue.partitions().get(name) == 7, READ_S, "7 partitions")

    assert [TopicState(name, "input", 7, created=False)] == catalogue.create([wanted])
    assert 123_456 == catalogue.max_message_bytes(name)


def test_ends_are_the_first_and_the_next_offset(cluster: Cluster, catalogue: Catalogue) -> None:
    """Each partition of a topic answers with both of its ends."""
    topic = cluster.topic("ends")
    send(cluster, topic, [b"1", b"2", b"3"])

    ends = catalogue.ends(topic)

    assert [Partition(topic, index) for index in range(PARTITIONS)] == sorted(ends)
    assert [(0, 0)] * (PARTITIONS - 1) + [(0, 3)] == sorted(ends.values())


def test_committed_offsets_are_seen_from_outside(
    cluster: Cluster, catalogue: Catalogue, member: Join
) -> None:
    """What a member committed is what an onlooker is told; partitions without a commit are left out."""
    topic = cluster.topic("committed")
    send(cluster, topic, [b"1", b"2", b"3"])
    joined = member(topic)
    row = joined.read(3)[1]

    joined.source.commit({Partition(topic, row.partition): row.offset + 1}, wait=True)

    assert {Partition(topic, row.partition): 2} == catalogue.committed(cluster.settings().group, topic)


@pytest.mark.mock_gap("ListGroups is not answered: it is not known who owns a partition")
def test_group_is_seen_with_its_owners_offsets_and_ends(cluster: Cluster, member: Join) -> None:
    """Each partition has one owner by its client's name; what has no commit is left out."""
    topic = cluster.topic("layout")
    send(cluster, topic, [b"1", b"2", b"3"])
    joined = member(topic)
    row = joined.read(3)[1]
    joined.source.commit({Partition(topic, row.partition): row.offset + 1}, wait=True)

    with closing(GroupWatch(cluster.settings(), topic)) as seen:
        found = seen.layout()

    assert PARTITIONS == found.partitions[topic]
    assert {row.partition: 2} == found.committed
    assert {i: 3 if i == row.partition else 0 for i in range(PARTITIONS)} == found.ends
    assert dict.fromkeys(range(PARTITIONS), "rdkafka") == found.owners


def test_group_without_a_broker_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is raised, and nothing claimed."""
    monkeypatch.setattr("stream.transport.group_layout.ANSWER_S", 0.1)
    away = KafkaSettings("127.0.0.1:9", properties={"log_level": 0, "socket.timeout.ms": 500})

    with closing(GroupWatch(away, "topic")) as seen:
        assert GroupLayout(owners=None) == seen.layout()


def test_group_of_the_newer_protocol_is_seen_without_its_owners(cluster: Cluster) -> None:
    """That nobody owned its partitions would be wrong: it is not known."""
    if cluster.kind == "real" and KAFKA.startswith("3."):
        pytest.skip(f"Kafka {KAFKA} has no groups of the newer protocol: 4.0 was the first to offer them")
    topic = cluster.topic("newer")
    settings = replace(cluster.settings(), properties={"group.protocol": "consumer"})
    send(cluster, topic, [b"1"])

    with joining(settings) as join, closing(GroupWatch(settings, topic)) as seen:
        join(topic).read(1)
        found = seen.layout()

    assert (None, PARTITIONS) == (found.owners, found.partitions[topic])
