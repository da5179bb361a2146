"""Fresh topics for one test."""

from __future__ import annotations

import secrets
from collections.abc import Mapping

from confluent_kafka import KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._listoffsets import OffsetSpec
from confluent_kafka.cimpl import NewTopic

from tests.kafka.process import wait_for

__all__ = ["Topics"]

_ANSWER_S = 60

_LOOK_S = 5
"""For one look at a fresh topic's leaders: one that is asked too early may go unanswered, the next is not."""


_KEPT = {"retention.ms": "-1"}
"""Tests send records of years ago: the broker would delete them when it next looks for old ones, every five minutes."""


class Topics:
    """Names that no other test has, and topics under them."""

    def __init__(self, bootstrap: str, client: Mapping[str, str] | None = None, *, replicas: int = 1) -> None:
        """
        Args:
            bootstrap: the broker.
            client: librdkafka properties by which to get in.
            replicas: of each partition.
        """
        self.bootstrap = bootstrap
        self._replicas = replicas
        self._suffix = secrets.token_hex(4)
        self._created: list[str] = []
        # Kept: a dropped AdminClient fails its futures.
        self._admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0, **(client or {})})

    def name(self, base: str) -> str:
        """`base` with this test's own suffix; for groups too. Nothing is created."""
        return f"{base}.{self._suffix}"

    def create(self, base: str, partitions: int = 1, config: Mapping[str, str] | None = None) -> str:
        """
        Create a topic and return its name; blocks until each partition's leader answers.

        Args:
            base: what it is for.
            partitions: how many.
            config: topic settings, such as `max.message.bytes`; records are kept unless it says otherwise.
        """
        return self.create_named(self.name(base), partitions, config)

    def create_named(self, name: str, partitions: int = 1, config: Mapping[str, str] | None = None) -> str:
        """As `create`, under exactly this name."""
        topic = NewTopic(
            name,
            num_partitions=partitions,
            replication_factor=self._replicas,
            config={**_KEPT, **(config or {})},
        )
        self._admin.create_topics([topic], operation_timeout=_ANSWER_S)[name].result(_ANSWER_S)
        self._created.append(name)
        wait_for(lambda: self._is_led(name, partitions), _ANSWER_S, f"the leaders of {name}")
        return name

    def _is_led(self, name: str, partitions: int) -> bool:
        """
        Whether each leader answers. For a moment after the creation was acknowledged it says
        NOT_LEADER_FOR_PARTITION, and metadata say that there is no such topic. That answer stays in the client's
        cache, and `list_offsets` gives it again (`_NOENT`) without ever asking anew: so metadata are asked for first.
        """
        latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]
        asked = {TopicPartition(name, index): latest for index in range(partitions)}
        try:
            if len(self._admin.list_topics(name, timeout=_LOOK_S).topics[name].partitions) != partitions:
                return False
            for future in self._admin.list_offsets(asked, request_timeout=_LOOK_S).values():
                future.result(_ANSWER_S)
        except KafkaException:
            return False
        return True

    def delete(self) -> None:
        """Delete what `create` created."""
        if self._created:
            for future in self._admin.delete_topics(self._created, operation_timeout=_ANSWER_S).values():
                future.result(_ANSWER_S)
            self._created.clear()
