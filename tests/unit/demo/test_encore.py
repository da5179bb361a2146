"""The flights over and over, on the embedded broker."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from stream.deadline import Deadline
from stream.demo.encore import MOST_PER_S, Encore
from stream.settings import KafkaSettings
from stream.tasks import Message
from stream.transport import EmbeddedBroker, Reader, Sink

TOPIC = "encore"

MESSAGES = [Message(b"a", b"1"), Message(b"a", b"2"), Message(b"a", b"3")]


@pytest.fixture
def kafka() -> Iterator[KafkaSettings]:
    """An embedded broker with one topic."""
    with closing(EmbeddedBroker()) as broker:
        broker.create([TOPIC])
        yield KafkaSettings(broker.bootstrap_servers)


def test_messages_come_again_until_it_is_left(kafka: KafkaSettings) -> None:
    """In their order, more often than once; leaving ends the sending at once."""
    found: list[bytes | None] = []
    deadline = Deadline.after(20)
    with (
        closing(Reader(kafka, TOPIC, "earliest")) as reader,
        closing(Sink(kafka)) as sink,
        Encore(MESSAGES, sink, TOPIC, MOST_PER_S) as encore,
    ):
        while len(found) < 7:
            encore.check()
            found += reader.poll(0.05).values
            assert not deadline.over

    assert [b"1", b"2", b"3", b"1", b"2", b"3", b"1"] == found[:7]
