"""Reading a topic as an onlooker: no group, no commits, every partition."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from confluent_kafka import OFFSET_BEGINNING, OFFSET_END, Consumer, KafkaError, KafkaException, TopicPartition

from stream.deadline import Deadline
from stream.errors import Retriable, Stopped
from stream.records import Batch
from stream.settings import KafkaSettings
from stream.transport.clients import make_client
from stream.transport.faults import decide
from stream.transport.properties import consumer_properties
from stream.transport.reachability import Connection

__all__ = ["Reader"]

START_S = 15.0
"""For the broker to answer at start."""


class Reader:
    """Reads committed records of one topic from one of its ends."""

    def __init__(self, kafka: KafkaSettings, topic: str, start: Literal["earliest", "latest"]) -> None:
        """
        Connects and assigns every partition of the topic.

        Args:
            kafka: the cluster.
            topic: the topic.
            start: which end to begin at.
        Raises: Stopped when the broker does not answer or the topic is not there.
        """
        self.connection = Connection()
        self._topic = topic
        self._consumer: Any = make_client(Consumer, consumer_properties(kafka, self.connection.on_error))
        begin = OFFSET_BEGINNING if start == "earliest" else OFFSET_END
        self._consumer.assign([TopicPartition(topic, i, begin) for i in self._partitions()])

    def _partitions(self) -> list[int]:
        try:
            found = self._consumer.list_topics(timeout=START_S).topics.get(self._topic)
        except KafkaException as error:
            fault = decide(error, f"reading {self._topic}")
            if isinstance(fault, Stopped):
                raise fault from error
            raise Stopped(
                f"no broker answers: {fault.message}", hint="start it, or correct `[kafka] bootstrap_servers`"
            ) from error
        if found is None:
            raise Stopped(f"topic {self._topic} is not there", hint="make it with `stream topics --create`")
        return sorted(found.partitions)

    def poll(self, wait_s: float, records: int = 500) -> Batch:
        """
        What has come; empty when nothing came within wait_s seconds.

        Raises: Stopped when the broker refuses.
        """
        messages = self._consumer.consume(1, wait_s)
        if messages and records > 1:
            messages += self._consumer.consume(records - 1, 0)
        batch = Batch(self._topic)
        for message in messages:
            if message.error() is not None:
                if message.error().code() == KafkaError.GROUP_AUTHORIZATION_FAILED:
                    continue  # the client looks for its group's coordinator unasked; an onlooker needs none
                fault = decide(message.error(), f"reading {self._topic}")
                if isinstance(fault, Retriable):
                    continue
                raise fault
            batch.partitions.append(message.partition())
            batch.offsets.append(message.offset())
            batch.timestamps_ms.append(message.timestamp()[1])
            batch.keys.append(message.key())
            batch.values.append(message.value())
            batch.headers.append(message.headers())
        return batch

    def batches(self, idle_s: float | None) -> Iterator[Batch]:
        """
        Batches as they come.

        Args:
            idle_s: end when nothing came for so long; None = never end.
        """
        quiet = Deadline.after(idle_s) if idle_s is not None else None
        while quiet is None or not quiet.over:
            batch = self.poll(0.2)
            if batch:
                yield batch
                quiet = Deadline.after(idle_s) if idle_s is not None else None

    def close(self) -> None:
        """End reading."""
        self._consumer.close()
