"""A cluster looked at closely, for `stream doctor`: brokers, topics' settings, a group's members. Changes nothing."""

from __future__ import annotations

import socket
import time
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from confluent_kafka import KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # its __init__ re-exports without __all__
    OffsetSpec,
)

from stream.deadline import Deadline
from stream.records import Partition
from stream.rights import Right
from stream.settings import KafkaSettings
from stream.transport.faults import decide, unwrap
from stream.transport.handshake import connected, place_of
from stream.transport.permissions import Permissions
from stream.transport.topic_admin import FORBIDDEN, Cluster

__all__ = ["BrokerPlace", "GroupView", "Member", "Survey", "TopicLayout", "reach", "why_no_connection"]

ANSWER_S = 3.0
"""For one answer: a person is waiting, and a broker that needs longer is ill."""

AGAIN_S = 0.2

_PASSING = (
    KafkaError.NOT_COORDINATOR,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
)
"""After a start a broker says so for a moment of any group."""


@dataclass(frozen=True, slots=True)
class BrokerPlace:
    """A broker as the cluster names it to its clients."""

    number: int
    server: str


@dataclass(frozen=True, slots=True)
class TopicLayout:
    """
    Where a topic's partitions are.

    Attributes:
        replicas: of each partition, ascending; how many.
        in_sync: likewise, how many of them have every record.
        led: likewise, whether one of them leads.
    """

    replicas: tuple[int, ...]
    in_sync: tuple[int, ...]
    led: tuple[bool, ...]

    def __len__(self) -> int:
        return len(self.replicas)


@dataclass(frozen=True, slots=True)
class Member:
    """
    A member of a group.

    Attributes:
        client: its `client.id`.
        host: where it is.
        topics: of the partitions that it has been given, sorted.
        partitions: how many of them it has.
    """

    client: str
    host: str
    topics: tuple[str, ...]
    partitions: int

    def __str__(self) -> str:
        return f"{self.client} at {self.host}"


@dataclass(frozen=True, slots=True)
class GroupView:
    """
    A group as its coordinator sees it.

    Attributes:
        state: Kafka's word, such as `STABLE` or `EMPTY`.
        kind: `CLASSIC` or `CONSUMER`.
        assignor: how partitions are given out; empty without members.
        members: in no order.
    """

    state: str
    kind: str
    assignor: str
    members: tuple[Member, ...]


class Survey(Cluster):
    """Looks at everything that a worker depends on. May be used from several threads."""

    def __init__(self, kafka: KafkaSettings) -> None:
        """
        Connects nothing yet.

        Args:
            kafka: the cluster.
        Raises: SettingsError for a property that librdkafka refuses.
        """
        super().__init__(kafka, answer_s=ANSWER_S)
        self._kafka = kafka
        self.brokers: list[BrokerPlace] = []
        self._topics: dict[str, Any] = {}

    def enter(self, timeout_s: float) -> None:
        """
        Log in, and take the list of brokers and topics.

        Raises: Retriable when nobody answers in time; BrokerRefused when it does not let us in.
        """
        try:
            found = self._entry.let_in(
                lambda step_s: self._admin.list_topics(timeout=step_s), self._admin.poll, timeout_s
            )
        except KafkaException as error:
            raise decide(error, "asking for the list of topics") from error
        self.brokers = [BrokerPlace(b.id, f"{b.host}:{b.port}") for b in found.brokers.values()]
        self._topics = dict(found.topics)

    def layout(self, topic: str) -> TopicLayout | None:
        """A topic's partitions as they were at `enter`; None when it is not there, or may not be seen."""
        found = self._topics.get(topic)
        if found is None or found.error is not None:
            return None
        parts = [found.partitions[index] for index in sorted(found.partitions)]
        return TopicLayout(
            tuple(len(part.replicas) for part in parts),
            tuple(len(part.isrs) for part in parts),
            tuple(part.leader >= 0 for part in parts),
        )

    def held(self, right: Right) -> bool | None:
        """Whether this user has a right on a topic or a group; None = the broker does not tell."""
        return Permissions(self._admin, [right], self._kafka.properties, ANSWER_S).held()[right]

    def group(self, name: str, deadline: Deadline) -> GroupView:
        """
        A group and its members.

        Raises: Retriable or Stopped when the broker does not answer, or can't tell.
        """
        while True:
            try:
                return _viewed(
                    self._one(self._admin.describe_consumer_groups([name], request_timeout=ANSWER_S))
                )
            except KafkaException as error:
                if unwrap(error).code() not in _PASSING or deadline.over:
                    raise decide(error, f"asking for the group {name}") from error
            time.sleep(deadline.left_s(AGAIN_S))

    def first_since(self, topic: str, time_ms: int) -> dict[Partition, int]:
        """
        Per partition the first offset whose record has this time or a later one; -1 where there is none.

        Raises: Stopped when the cluster does not answer.
        """
        spec = OffsetSpec.for_timestamp(time_ms)
        return self._offsets(self._all_of(topic), spec)

    def newest_ms(self, topic: str) -> int | None:
        """
        The latest time of a record of a topic, in ms since 1970; None where it has none, or may not be seen.

        Raises: Retriable or Stopped when the broker does not answer.
        """
        wanted = self._all_of(topic)
        if not wanted:
            return None
        spec = OffsetSpec.max_timestamp()  # type: ignore[no-untyped-call]
        try:
            asked = self._admin.list_offsets(dict.fromkeys(wanted, spec), request_timeout=ANSWER_S)
            newest = max(future.result().timestamp for future in asked.values())
        except KafkaException as error:
            if unwrap(error).code() in FORBIDDEN:
                return None
            raise decide(error, f"asking for the times of {topic}") from error
        return int(newest) if newest >= 0 else None

    def refresh(self) -> None:
        """Take the list of topics anew. Raises: as `enter`."""
        self.enter(ANSWER_S)

    def _all_of(self, topic: str) -> list[TopicPartition]:
        found = self._topics.get(topic)
        return [] if found is None else [TopicPartition(topic, index) for index in found.partitions]

    @staticmethod
    def _one(futures: dict[Any, Future[Any]]) -> Any:
        [future] = futures.values()
        return future.result()


def reach(servers: Sequence[str]) -> dict[str, str]:
    """
    Try a connection to each server, one after the other.

    Returns: per server why it can't be reached; empty = it can.
    """
    return {server: _why_not(server) for server in servers}


def _why_not(server: str) -> str:
    try:
        connected(place_of(server)).close()
    except (OSError, UnicodeError) as error:
        return why_no_connection(error)
    return ""


def why_no_connection(error: Exception) -> str:
    """What went wrong with a connection, for people."""
    if isinstance(error, socket.gaierror):
        return "this machine finds no address for that name"
    if isinstance(error, TimeoutError):
        return "no answer in time: a firewall, or nothing is there"
    return getattr(error, "strerror", None) or str(error)


def _viewed(found: Any) -> GroupView:
    members = tuple(_member(each) for each in found.members)
    return GroupView(found.state.name, found.type.name, found.partition_assignor, members)


def _member(found: Any) -> Member:
    given = found.assignment.topic_partitions if found.assignment is not None else []
    host = str(found.host).strip("/")
    return Member(found.client_id, host, tuple(sorted({each.topic for each in given})), len(given))
