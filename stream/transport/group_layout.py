"""Who has which partition of a topic in a group, and how far each has come: as the whole group sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from confluent_kafka import ConsumerGroupTopicPartitions, IsolationLevel, KafkaException, TopicPartition
from confluent_kafka.admin import OffsetSpec  # type: ignore[attr-defined]  # re-exported without __all__

from stream.transport.topic_admin import Cluster

__all__ = ["GroupLayout", "WatchedCluster"]

ANSWER_S = 3.0
"""For one answer; it is asked again in a few seconds."""


@dataclass(frozen=True, slots=True)
class GroupLayout:
    """
    What the brokers answered; an empty mapping where they did not, or can't tell.

    Attributes:
        partitions: per topic, how many partitions it has.
        owners: per partition of the input, the `client.id` of its owner.
        committed: per partition of the input, the group's next offset; without those that have none.
        ends: per partition of the input, the offset after its last committed record.
    """

    partitions: Mapping[str, int] = field(default_factory=dict)
    owners: Mapping[int, str] = field(default_factory=dict)
    committed: Mapping[int, int] = field(default_factory=dict)
    ends: Mapping[int, int] = field(default_factory=dict)


class WatchedCluster(Cluster):
    """A worker's cluster, which also tells how its group shares the input. Any thread may ask."""

    def layout(self, group: str, topic: str) -> GroupLayout:
        """
        How a group shares a topic; it takes the rights of a member.

        Args:
            group: the group.
            topic: that its members read.
        Returns: what is known. Raises nothing for a broker that is away. Blocks for some seconds at most.
        """
        try:
            found = self._admin.list_topics(timeout=ANSWER_S).topics
        except KafkaException:
            return GroupLayout()
        partitions = {name: len(one.partitions) for name, one in found.items() if one.error is None}
        wanted = [TopicPartition(topic, index) for index in range(partitions.get(topic, 0))]
        return GroupLayout(
            partitions, self._owners(group, topic), self._next_offsets(group, wanted), self._last(wanted)
        )

    def _owners(self, group: str, topic: str) -> dict[int, str]:
        asked = self._admin.describe_consumer_groups([group], request_timeout=ANSWER_S)
        try:
            [future] = asked.values()
            members: list[Any] = future.result().members
        except KafkaException:
            return {}
        return {
            tp.partition: member.client_id
            for member in members
            for tp in (member.assignment.topic_partitions if member.assignment is not None else ())
            if tp.topic == topic
        }

    def _next_offsets(self, group: str, wanted: list[TopicPartition]) -> dict[int, int]:
        if not wanted:
            return {}
        asked = self._admin.list_consumer_group_offsets(
            [ConsumerGroupTopicPartitions(group, wanted)], request_timeout=ANSWER_S
        )
        try:
            [future] = asked.values()
            found = future.result().topic_partitions
        except KafkaException:
            return {}
        return {tp.partition: tp.offset for tp in found if tp.offset >= 0 and tp.error is None}

    def _last(self, wanted: list[TopicPartition]) -> dict[int, int]:
        asked = self._admin.list_offsets(
            dict.fromkeys(wanted, OffsetSpec.latest()),  # type: ignore[no-untyped-call]
            isolation_level=IsolationLevel.READ_COMMITTED,
            request_timeout=ANSWER_S,
        )
        found: dict[int, int] = {}
        for tp, future in asked.items():
            try:
                found[tp.partition] = future.result().offset
            except KafkaException:
                continue
        return found
