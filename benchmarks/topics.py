"""Topics of the benchmark's broker: made, measured, read to their end, deleted."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from confluent_kafka import (
    Consumer,
    IsolationLevel,
    KafkaError,
    KafkaException,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]
from confluent_kafka.cimpl import NewTopic

__all__ = ["Topics"]

_ANSWER_S = 30.0


class Topics:
    """
    What the benchmark asks of a broker.

    Args:
        bootstrap: where it is.
    """

    def __init__(self, bootstrap: str) -> None:
        self.bootstrap = bootstrap
        self._admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})

    def create(self, name: str, partitions: int, **config: str) -> None:
        """Make a topic; settings with `_` for `.`."""
        settings = {key.replace("_", "."): value for key, value in config.items()}
        topic = NewTopic(name, num_partitions=partitions, replication_factor=1, config=settings)
        self._admin.create_topics([topic])[name].result(_ANSWER_S)
        while self._led(name) != partitions:
            time.sleep(0.05)

    def delete(self, name: str) -> None:
        """Delete a topic, if it is there, and wait until it is gone."""
        if self._partitions(name):
            self._admin.delete_topics([name])[name].result(_ANSWER_S)
        while self._partitions(name):
            time.sleep(0.05)

    def delete_read(self, name: str, group: str) -> None:
        """Delete the records of a topic that a group has read: below what it has committed, if that is known."""
        # Not by the admin client, which ends the process when a coordinator is still loading (librdkafka 2.16).
        consumer = Consumer({"bootstrap.servers": self.bootstrap, "group.id": group})
        try:
            read = consumer.committed(
                [TopicPartition(name, i) for i in range(self._partitions(name))], _ANSWER_S
            )
        except KafkaException:
            return
        finally:
            consumer.close()
        places = [place for place in read if place.offset > 0]
        for future in self._admin.delete_records(places).values() if places else ():
            future.result(_ANSWER_S)

    def offsets(self, name: str) -> int:
        """How many offsets a topic has used, up to the last stable one: its records, and transactions' markers."""
        return sum(self._ends(name).values())

    def members(self, group: str) -> int:
        """How many members of a consumer group have partitions."""
        found = self._admin.describe_consumer_groups([group])[group].result(_ANSWER_S)
        return sum(1 for member in found.members if member.assignment.topic_partitions)

    def records(self, name: str) -> int:
        """How many committed records a topic has: it reads them."""
        return sum(1 for _ in self.read(name))

    def read(self, name: str) -> Iterator[Any]:
        """Every committed record of a topic, up to where it ends now: an independent reader without a group."""
        consumer = Consumer(
            {
                "bootstrap.servers": self.bootstrap,
                "group.id": "bench.reader",
                "enable.auto.commit": False,
                "isolation.level": "read_committed",
                "enable.partition.eof": True,
            }
        )
        open_ = {index for index, end in self._ends(name).items() if end}
        consumer.assign([TopicPartition(name, index, 0) for index in open_])
        try:
            while open_:
                for message in consumer.consume(10_000, 1.0):
                    error = message.error()
                    if error is None:
                        yield message
                    elif error.code() == KafkaError._PARTITION_EOF:
                        open_.discard(message.partition())
                    else:
                        raise KafkaException(error)
        finally:
            consumer.close()

    def _partitions(self, name: str) -> int:
        # Asked for all: a question for one that isn't there would be remembered as an error.
        found = self._admin.list_topics(timeout=_ANSWER_S).topics.get(name)
        return 0 if found is None or found.error else len(found.partitions)

    def _led(self, name: str) -> int:
        """How many of its partitions have a leader: on a busy machine it takes a while after the topic is there."""
        found = self._admin.list_topics(timeout=_ANSWER_S).topics.get(name)
        return 0 if found is None else sum(each.leader >= 0 for each in found.partitions.values())

    def _ends(self, name: str) -> dict[int, int]:
        latest: Any = OffsetSpec.latest()  # type: ignore[no-untyped-call]
        wanted = {TopicPartition(name, i): latest for i in range(self._partitions(name))}
        if not wanted:
            return {}
        asked = self._admin.list_offsets(wanted, isolation_level=IsolationLevel.READ_COMMITTED)
        return {tp.partition: future.result(_ANSWER_S).offset for tp, future in asked.items()}
