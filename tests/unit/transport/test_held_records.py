"""Records that wait in the source while a rebalance is under way."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from confluent_kafka import Message, TopicPartition

from stream.deadline import Deadline
from stream.records import Partition
from stream.settings import BatchingSettings, InputSettings, KafkaSettings
from stream.transport import Source, source


def record(partition: int, offset: int) -> Message:
    """One of the topic `in`."""
    return Message(topic="in", partition=partition, offset=offset, key=b"k", value=b"v")


class Client:
    """A consumer that plays a script, a step for each `consume`: what it returns, or what happens inside it."""

    def __init__(self) -> None:
        self.script: list[list[Message] | Callable[[], list[Message]]] = []
        self.calls: dict[str, Any] = {}

    def subscribe(self, topics: Sequence[str], **calls: Any) -> None:
        """Keeps whom to tell of rebalances."""
        self.calls = calls

    def consume(self, records: int, wait_s: float) -> list[Message]:
        """The next step."""
        step = self.script.pop(0) if self.script else []
        return step() if callable(step) else step

    def incremental_assign(self, partitions: Sequence[TopicPartition]) -> None:
        """Taken over."""

    def incremental_unassign(self, partitions: Sequence[TopicPartition]) -> None:
        """Given up."""

    def committed(self, partitions: Sequence[TopicPartition], timeout: float) -> list[TopicPartition]:
        """The group has read to 5 everywhere."""
        return [TopicPartition(tp.topic, tp.partition, 5) for tp in partitions]

    def get_watermark_offsets(self, partition: TopicPartition, **_: Any) -> tuple[int, int]:
        """Everything is still there."""
        return 0, 100

    def position(self, partitions: Sequence[TopicPartition]) -> list[TopicPartition]:
        """It gave all before 9."""
        return [TopicPartition(tp.topic, tp.partition, 9) for tp in partitions]


class Nobody:
    """Is told of rebalances."""

    def assigned(self, partitions: Sequence[Partition]) -> None:
        """Does nothing."""

    def revoked(self, partitions: Sequence[Partition], *, lost: bool) -> None:
        """Does nothing."""


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> tuple[Source, Client]:
    """A source that owns partitions 0 and 1, and its client."""
    client = Client()
    monkeypatch.setattr(source, "make_client", lambda make, properties: client)
    one = Source(KafkaSettings(group="g"), InputSettings("in"), BatchingSettings(), Nobody())
    one.subscribe()
    client.calls["on_assign"](client, [TopicPartition("in", 0), TopicPartition("in", 1)])
    return one, client


@pytest.mark.parametrize("how", ["on_lost", "on_revoke"])
@pytest.mark.parametrize("back", [True, False], ids=["comes back", "stays away"])
def test_held_record_goes_with_its_partition(played: tuple[Source, Client], how: str, *, back: bool) -> None:
    """Whoever owns the partition next reads it, this worker too: from the group's offset, and once."""
    one, client = played

    def goes() -> list[Message]:
        client.calls[how](client, [TopicPartition("in", 0)])
        if back:
            client.calls["on_assign"](client, [TopicPartition("in", 0)])
        return [record(1, 8)]

    client.script = [[record(0, 7)], [record(1, 7)], goes]
    for _ in range(3):
        one.serve(0.0)
    batch = one.poll(0.0, 10, Deadline.after(0.0))

    assert [(1, 7), (1, 8)] == [*zip(batch.partitions, batch.offsets, strict=True)]


def test_held_records_are_unread(played: tuple[Source, Client]) -> None:
    """The client gave them, but no poll returned them yet."""
    one, client = played
    client.script = [[record(0, 7)], [record(0, 8)]]
    for _ in range(2):
        one.serve(0.0)

    waiting = one.unread()
    one.poll(0.0, 10, Deadline.after(0.0))

    assert {Partition("in", 0): range(7, 100), Partition("in", 1): range(9, 100)} == waiting
    assert {Partition("in", 0): range(9, 100), Partition("in", 1): range(9, 100)} == one.unread()


PARTITIONS = range(3)


class Cluster(Client):
    """Endless partitions, which go and come back at random while it is asked; it gives what it has of a random one."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.chance = random.Random(seed)
        self.group = dict.fromkeys(PARTITIONS, 5)
        self.positions: dict[int, int] = {}

    def consume(self, records: int, wait_s: float) -> list[Message]:
        """Records, and rebalances before, between and after them."""
        found: list[Message] = []
        for _ in range(self.chance.randint(0, 6)):
            if self.chance.random() < 0.3:
                self.rebalance()
            given = sorted(self.positions)
            if given and len(found) < records:
                index = self.chance.choice(given)
                found.append(record(index, self.positions[index]))
                self.positions[index] += 1
        return found

    def rebalance(self) -> None:
        """A partition comes, or goes; then it may come back at once."""
        index = TopicPartition("in", self.chance.choice(PARTITIONS))
        if index.partition in self.positions:
            self.calls[self.chance.choice(["on_lost", "on_revoke"])](self, [index])
        if self.chance.random() < 0.7:
            self.calls["on_assign"](self, [index])

    def incremental_assign(self, partitions: Sequence[TopicPartition]) -> None:
        """Read from where it is said."""
        self.positions.update({tp.partition: tp.offset for tp in partitions})

    def incremental_unassign(self, partitions: Sequence[TopicPartition]) -> None:
        """Read no more."""
        for tp in partitions:
            del self.positions[tp.partition]

    def committed(self, partitions: Sequence[TopicPartition], timeout: float) -> list[TopicPartition]:
        """The group's."""
        return [TopicPartition(tp.topic, tp.partition, self.group[tp.partition]) for tp in partitions]

    def get_watermark_offsets(self, partition: TopicPartition, **_: Any) -> tuple[int, int]:
        """Everything is still there."""
        return 0, 1_000_000


@pytest.mark.parametrize("seed", range(40))
def test_each_record_is_read_once_however_partitions_come_and_go(
    monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Inside any call of the client, more than once in one, before and after it gives records."""
    cluster = Cluster(seed)
    monkeypatch.setattr(source, "make_client", lambda make, properties: cluster)
    limits = BatchingSettings(max_records=5)
    one = Source(KafkaSettings(group="g"), InputSettings("in"), limits, Nobody())
    one.subscribe()
    read: dict[int, list[int]] = {index: [] for index in PARTITIONS}
    for _ in range(400):
        if cluster.chance.random() < 0.3:
            one.serve(0.0)
            continue
        batch = one.poll(0.0, cluster.chance.choice([1, 5]), Deadline.after(0.0))
        for index, offset in zip(batch.partitions, batch.offsets, strict=True):
            read[index].append(offset)
            cluster.group[index] = offset + 1

    assert sum(map(len, read.values())) > 300
    for offsets in read.values():
        assert list(range(5, 5 + len(offsets))) == offsets
