"""Records that wait in the source while a rebalance is under way."""

from __future__ import annotations

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


@pytest.mark.parametrize("how", ["on_lost", "on_revoke"])
def test_record_goes_with_a_partition_that_came_in_the_same_poll(
    played: tuple[Source, Client], how: str
) -> None:
    """It came, went and came back while its first record waited for company: it is read again, and once."""
    one, client = played
    new = TopicPartition("in", 2)

    def comes() -> list[Message]:
        client.calls["on_assign"](client, [new])
        return [record(2, 5)]

    def goes_and_comes_back() -> list[Message]:
        client.calls[how](client, [new])
        client.calls["on_assign"](client, [new])
        return [record(1, 7)]

    client.script = [comes, goes_and_comes_back, [record(2, 5), record(2, 6)]]
    found = [one.poll(0.0, 10, Deadline.after(0.0)) for _ in range(2)]

    places = [[*zip(batch.partitions, batch.offsets, strict=True)] for batch in found]
    assert [[(1, 7)], [(2, 5), (2, 6)]] == places
