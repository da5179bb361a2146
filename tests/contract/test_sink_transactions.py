"""Our transactional sink and source on a real broker; the mock is left out, since its transactions only pretend."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from stream.deadline import Deadline
from stream.errors import Aborted, Fenced, MovedOn, OutcomeUnknown
from stream.records import Outgoing, Partition
from stream.settings import KafkaSettings
from stream.transport import GroupMetadata, TransactionalSink
from tests.contract.cluster import READ_S, Cluster, Join, joining, send
from tests.kafka.topics import Topics

pytestmark = pytest.mark.kafka

FAR_MS = 4_102_444_800_000
"""The year 2100."""


@pytest.fixture
def real(topics: Topics) -> Cluster:
    """The session's real Kafka."""
    return Cluster("real", topics.bootstrap, topics)


def budget() -> Deadline:
    """For one step."""
    return Deadline.after(READ_S)


@pytest.fixture
def settings(real: Cluster) -> KafkaSettings:
    """This test's group."""
    return real.settings()


@pytest.fixture
def sink(settings: KafkaSettings) -> Iterator[TransactionalSink]:
    """Ready."""
    sink = TransactionalSink(settings, f"{settings.group}.one")
    sink.start(budget())
    yield sink
    sink.close()


@pytest.fixture
def member(real: Cluster, settings: KafkaSettings) -> Iterator[Join]:
    """Members of this test's group."""
    with joining(settings) as join:
        yield join


def write(sink: TransactionalSink, topic: str, values: list[bytes], stamps: list[int] | None = None) -> None:
    """Send them under one key."""
    sink.send(
        Outgoing(topic, [b"k"] * len(values), values, stamps or [0] * len(values), [None] * len(values))
    )


def values_of(real: Cluster, topic: str, count: int) -> list[bytes | None]:
    """The first committed values of a topic, read by a group of its own."""
    settings = real.settings()
    with joining(replace(settings, group=f"{settings.group}.reader")) as join:
        return [row.value for row in join(topic).read(count)]


def test_outputs_and_offsets_are_committed_together(
    real: Cluster, sink: TransactionalSink, member: Join
) -> None:
    """After the commit the outputs are there, and the group goes on behind their records."""
    topic, out = real.topic("in"), real.topic("out")
    send(real, topic, [b"1", b"2"])
    joined = member(topic)
    [first, _] = joined.read(2)

    sink.begin()
    write(sink, out, [b"a", b"b"])
    assert [] == sink.flush(budget())
    where = Partition(topic, first.partition)
    sink.add_offsets({where: 2}, joined.source.group(), budget())
    sink.commit(budget())

    assert {where: 2} == joined.source.committed([where], budget())
    assert [b"a", b"b"] == values_of(real, out, 2)


def test_refused_timestamps_are_told_and_nothing_of_them_is_seen(
    real: Cluster, sink: TransactionalSink
) -> None:
    """The guilty record has its reason, its neighbours are in doubt; after the abort a new transaction counts."""
    out = real.topic("out", {"message.timestamp.after.max.ms": "3600000"})
    sink.begin()
    values = [b"%d" % i for i in range(10)]
    write(sink, out, values, [FAR_MS if i == 3 else 0 for i in range(10)])

    refused = sink.flush(budget())
    sink.abort(budget())
    assert {"timestamp_refused"} == {r.reason for r in refused}
    assert b"3" in {r.value for r in refused}
    assert all(r.doubtful for r in refused if r.value != b"3")

    sink.begin()
    write(sink, out, [v for v in values if v != b"3"])
    assert [] == sink.flush(budget())
    sink.commit(budget())
    assert [v for v in values if v != b"3"] == values_of(real, out, 9)


def test_record_that_is_too_large_is_told(real: Cluster, sink: TransactionalSink) -> None:
    """A record alone in its batch is known to be the refused one; the producer can be used afterwards."""
    out = real.topic("out", {"max.message.bytes": "10000"})
    sink.begin()
    write(sink, out, [bytes(20_000)])

    [refused] = sink.flush(budget())
    sink.abort(budget())

    assert ("message_too_large", False) == (refused.reason, refused.doubtful)
    sink.begin()
    write(sink, out, [b"small"])
    sink.commit(budget())
    assert [b"small"] == values_of(real, out, 1)


def test_batch_that_is_too_large_as_a_whole_is_sent_singly(real: Cluster, sink: TransactionalSink) -> None:
    """The broker does not say which; the next transaction has an answer for each, the one after it batches again."""
    out = real.topic("out", {"max.message.bytes": "10000"})
    values = [bytes(6_000), bytes(20_000), b"small"]
    sink.begin()
    write(sink, out, values)
    refused = sink.flush(budget())
    sink.abort(budget())
    assert [("message_too_large", True)] * 3 == [(r.reason, r.doubtful) for r in refused]

    sink.begin()
    write(sink, out, values)
    refused = sink.flush(budget())
    sink.abort(budget())
    assert [(20_000, "message_too_large", False)] == [
        (len(r.value or b""), r.reason, r.doubtful) for r in refused
    ]

    for _ in range(2):
        sink.begin()
        write(sink, out, [values[0], values[2]])
        assert [] == sink.flush(budget())
        sink.commit(budget())
    assert [values[0], values[2]] * 2 == values_of(real, out, 4)


def test_offsets_of_no_member_are_not_even_sent(real: Cluster, sink: TransactionalSink) -> None:
    """They are not sent, since the broker would take them unchecked."""
    topic = real.topic("in")
    sink.begin()

    with pytest.raises(MovedOn):
        sink.add_offsets({Partition(topic, 0): 1}, GroupMetadata(b"CGMDv2:\xff\xff\xff\xffgroup"), budget())

    sink.abort(budget())


def test_offsets_of_another_generation_are_refused(
    real: Cluster, sink: TransactionalSink, member: Join
) -> None:
    """Once the group has moved on without this member, its offsets do not count."""
    topic = real.topic("in")
    send(real, topic, [b"1"])
    first = member(topic)
    first.read(1)
    before = first.source.group()
    second = member(topic)
    while first.source.group().generation == before.generation or not second.source.joined:
        first.poll()
        second.poll()

    sink.begin()
    with pytest.raises(MovedOn):
        sink.add_offsets({Partition(topic, 0): 1}, before, budget())
    sink.abort(budget())


def test_older_producer_of_an_id_is_fenced(
    real: Cluster, settings: KafkaSettings, sink: TransactionalSink
) -> None:
    """What it had open is aborted; what the newer one commits counts."""
    out = real.topic("out")
    sink.begin()
    write(sink, out, [b"old"])
    assert [] == sink.flush(budget())

    newer = TransactionalSink(settings, f"{settings.group}.one")
    newer.start(budget())
    newer.begin()
    write(newer, out, [b"new"])
    newer.commit(budget())

    with pytest.raises(OutcomeUnknown) as fenced:
        sink.commit(budget())
    assert fenced.value.fenced
    assert [b"new"] == values_of(real, out, 1)
    newer.close()


def test_renewed_producer_ends_what_the_one_before_left_open(real: Cluster, sink: TransactionalSink) -> None:
    """A new producer of the same id aborts the open transaction, and works."""
    out = real.topic("out")
    sink.begin()
    write(sink, out, [b"left open"])
    assert [] == sink.flush(budget())

    sink.renew()
    sink.start(budget())
    sink.begin()
    write(sink, out, [b"after"])
    sink.commit(budget())

    assert [b"after"] == values_of(real, out, 1)


def test_topic_that_is_not_there_aborts(real: Cluster, settings: KafkaSettings) -> None:
    """An output that can't be delivered is not lost silently: the transaction can't be committed."""
    chosen = KafkaSettings(
        settings.bootstrap_servers,
        settings.group,
        properties={**settings.properties},
        producer={"topic.metadata.propagation.max.ms": 1_000},
    )
    sink = TransactionalSink(chosen, f"{settings.group}.two")
    sink.start(budget())
    sink.begin()
    write(sink, real.topics.name("never-made"), [b"lost?"])

    with pytest.raises((Aborted, Fenced)):
        sink.flush(budget())
    sink.abort(budget())
    sink.close()
