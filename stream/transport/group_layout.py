"""
Who has which partition of a topic in a group, and how far each has come: as the whole group sees it.

Asked of a consumer, and of the client's older call for groups. What librdkafka 2.16's admin client asks a group's
coordinator for (`describe_consumer_groups`, `list_consumer_group_offsets`) may end the process when the connection is
lost meanwhile (an assertion in rdkafka_queue.h); a worker must not end because somebody looks at it.
"""

from __future__ import annotations

import struct
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from confluent_kafka import OFFSET_END, Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from stream.settings import KafkaSettings
from stream.transport.clients import make_client
from stream.transport.properties import admin_properties, consumer_properties

__all__ = ["GroupLayout", "GroupWatch", "assigned"]

ANSWER_S = 3.0
"""For one answer; it is asked again in a few seconds."""

_TOLD = ("Empty", "PreparingRebalance", "CompletingRebalance", "Stable")
"""States in which the coordinator tells a group's members. It calls one of the newer protocol (KIP-848) dead."""


@dataclass(frozen=True, slots=True)
class GroupLayout:
    """
    What the brokers answered; an empty mapping where they did not, or can't tell.

    Attributes:
        partitions: per topic, how many partitions it has.
        owners: per partition of the input that has an owner, its `client.id`; None = it is not known who owns what.
        committed: per partition of the input, the group's next offset; without those that have none.
        ends: per partition of the input, the offset after its last committed record.
    """

    partitions: Mapping[str, int] = field(default_factory=dict)
    owners: Mapping[int, str] | None = None
    committed: Mapping[int, int] = field(default_factory=dict)
    ends: Mapping[int, int] = field(default_factory=dict)


class GroupWatch:
    """Looks at a group and joins it not. Used by one thread."""

    def __init__(self, kafka: KafkaSettings, topic: str) -> None:
        """
        Connects nothing yet.

        Args:
            kafka: the cluster and the group.
            topic: that the group's members read.
        """
        self._group, self._topic = kafka.group, topic
        # In favour of what may end the process.
        warnings.filterwarnings("ignore", r"list_groups\(\) is deprecated", DeprecationWarning)
        self._consumer: Any = make_client(Consumer, consumer_properties(kafka, _unheard))
        self._admin: Any = make_client(AdminClient, {**admin_properties(kafka), "error_cb": _unheard})

    def layout(self) -> GroupLayout:
        """
        How the group shares the topic; it takes the rights of a member.

        Returns: what is known. Raises nothing for a broker that is away. Blocks for some seconds at most.
        """
        self._consumer.poll(0)  # what the clients say of connections must not gather
        self._admin.poll(0)
        try:
            found = self._consumer.list_topics(timeout=ANSWER_S).topics
        except KafkaException:
            return GroupLayout()
        partitions = {name: len(one.partitions) for name, one in found.items() if one.error is None}
        indexes = range(partitions.get(self._topic, 0))
        return GroupLayout(partitions, self._owners(), self._committed(indexes), self._ends(indexes))

    def close(self) -> None:
        """End looking."""
        self._consumer.close()

    def _owners(self) -> dict[int, str] | None:
        try:
            groups = self._admin.list_groups(self._group, timeout=ANSWER_S)
        except KafkaException:
            return None
        told = [one for one in groups if one.error is None and one.state in _TOLD]
        if not told:
            return None
        try:
            given = [(one.client_id, assigned(one.assignment)) for group in told for one in group.members]
        except ValueError:  # a member of another kind
            return None
        return {index: name for name, places in given for topic, index in places if topic == self._topic}

    def _committed(self, indexes: range) -> dict[int, int]:
        asked = [TopicPartition(self._topic, index) for index in indexes]
        return self._known(lambda: self._consumer.committed(asked, timeout=ANSWER_S)) if asked else {}

    def _ends(self, indexes: range) -> dict[int, int]:
        asked = [TopicPartition(self._topic, index, OFFSET_END) for index in indexes]
        return self._known(lambda: self._consumer.offsets_for_times(asked, timeout=ANSWER_S)) if asked else {}

    @staticmethod
    def _known(ask: Callable[[], list[TopicPartition]]) -> dict[int, int]:
        try:
            found = ask()
        except KafkaException:
            return {}
        return {tp.partition: tp.offset for tp in found if tp.error is None and tp.offset >= 0}


def _unheard(error: KafkaError) -> None:
    """The worker's own clients tell of it."""


def assigned(assignment: bytes) -> list[tuple[str, int]]:
    """
    What a member of a consumer group was given.

    Args:
        assignment: ConsumerProtocolAssignment, any version; empty = nothing. Another member wrote it.
    Returns: topics and partition numbers.
    Raises: ValueError when it is something else.
    """
    at = 0

    def take(form: str) -> tuple[Any, ...]:
        nonlocal at
        part = struct.unpack_from(form, assignment, at)
        at += struct.calcsize(form)
        return part

    found: list[tuple[str, int]] = []
    try:
        topics = take(">hi")[1] if assignment else 0
        for _ in range(topics):
            (length,) = take(">h")
            name = take(f"{length}s")[0].decode()
            (count,) = take(">i")
            if count * 4 > len(assignment) - at:
                raise ValueError("more partitions than bytes")
            found += [(name, index) for index in take(f">{count}i")]
    except (struct.error, UnicodeDecodeError) as error:
        raise ValueError(f"not an assignment of a consumer group: {error}") from error
    return found
