"""Topics: which ones exist, and creating those that do not; where they and a group stand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from confluent_kafka import (
    ConsumerGroupTopicPartitions,
    IsolationLevel,
    KafkaError,
    KafkaException,
    TopicCollection,
    TopicPartition,
)
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # its __init__ re-exports without __all__
    AdminClient,
    ConfigResource,
    NewTopic,
    OffsetSpec,
    ResourceType,
)

from stream.errors import BrokerRefused, StartupTimeout, Stopped
from stream.records import Partition
from stream.rights import Right
from stream.settings import KafkaSettings
from stream.transport.clients import make_client
from stream.transport.entry import Entry
from stream.transport.faults import decide, unwrap
from stream.transport.permissions import Permissions, is_secured
from stream.transport.properties import admin_properties
from stream.transport.wanted_topics import TopicState, WantedTopic

__all__ = ["FORBIDDEN", "Cluster"]

ANSWER_S = 15.0
"""For one answer of the cluster; topic creation on a busy broker takes some seconds."""


FORBIDDEN = (KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.CLUSTER_AUTHORIZATION_FAILED)


class Cluster:
    """Looks at topics and groups, and creates topics; reads and writes no record."""

    def __init__(
        self, kafka: KafkaSettings, rights: Sequence[Right] = (), answer_s: float = ANSWER_S
    ) -> None:
        """
        Connects nothing yet.

        Args:
            kafka: the cluster.
            rights: what the work with it needs. A broker that knows its clients by name is asked for them at
                its first answer; then a refusal comes before the work, and names them all.
            answer_s: for one answer.
        """
        self._answer_s = answer_s
        self.rights = tuple(rights)
        """What the work needs."""
        self._servers = kafka.bootstrap_servers
        self._entry = Entry(kafka)
        properties = {**admin_properties(kafka), "error_cb": self._entry.on_error}
        # Kept: a dropped client fails its futures with _DESTROY.
        self._admin: Any = make_client(AdminClient, properties)
        self._permissions = Permissions(self._admin, rights, kafka.properties)
        self._unasked = bool(rights) and is_secured(kafka.properties)

    @contextmanager
    def naming_refusals(self) -> Iterator[None]:
        """In this context, a refusal for a missing right says which right to grant to whom."""
        try:
            yield
        except BrokerRefused as error:
            named = self._permissions.named(error)
            if named is error:
                raise
            raise named from error

    def _metadata(self, timeout_s: float) -> dict[str, Any]:
        """
        Topics by name.

        Raises: KafkaException when no broker answers in time; BrokerRefused as soon as one does not let us in, and
            at the first answer when rights are missing.
        """
        found: dict[str, Any] = self._entry.let_in(
            lambda step_s: self._admin.list_topics(timeout=step_s), self._admin.poll, timeout_s
        ).topics
        if self._unasked:
            self._permissions.require()
            self._unasked = False
        return found

    def topics(self, timeout_s: float) -> dict[str, int]:
        """
        The topics that exist and may be seen, with their numbers of partitions. May be called from any thread.

        Raises: Retriable when no broker answers in time; BrokerRefused for wrong credentials or missing rights.
        """
        try:
            return {name: len(topic.partitions) for name, topic in self._metadata(timeout_s).items()}
        except KafkaException as error:
            raise decide(error, "asking for the list of topics") from error

    def partitions(self) -> dict[str, int]:
        """
        Topics and their numbers of partitions.

        Raises: StartupTimeout when no broker answers; BrokerRefused when credentials are wrong.
        """
        try:
            found = self._metadata(self._answer_s)
        except KafkaException as error:
            raise self._unreachable(error) from error
        return {name: len(topic.partitions) for name, topic in found.items() if topic.error is None}

    def _unreachable(self, error: KafkaException) -> Stopped:
        fault = decide(error, f"asking {self._servers}")
        if isinstance(fault, BrokerRefused):
            return fault
        return StartupTimeout(
            f"no broker answers at {self._servers}: {unwrap(error).str()}",
            hint="start the broker, or correct `[kafka] bootstrap_servers` or `security.protocol`",
        )

    def look(self, wanted: Sequence[WantedTopic]) -> list[TopicState]:
        """Which of the wanted topics are there. Same order. Raises: as `partitions`."""
        found = self.partitions()
        return [TopicState(topic.name, topic.role, found.get(topic.name)) for topic in wanted]

    def create(self, wanted: Sequence[WantedTopic]) -> list[TopicState]:
        """
        Create the wanted topics that are not there; those that are there are left as they are.

        Returns: the state after, same order.
        Raises: Stopped with the broker's reason when it refuses; topics before that one were created.
        """
        states = self.look(wanted)
        missing = {
            topic.name: NewTopic(topic.name, topic.partitions, topic.replication or -1, config=topic.config)
            for topic, state in zip(wanted, states, strict=True)
            if state.partitions is None
        }
        if missing:
            self._create(list(missing.values()))
        return [
            replace(state, partitions=topic.partitions, created=True) if state.name in missing else state
            for topic, state in zip(wanted, states, strict=True)
        ]

    def _create(self, topics: list[NewTopic]) -> None:
        for name, future in self._admin.create_topics(
            topics, operation_timeout=self._answer_s, request_timeout=self._answer_s
        ).items():
            try:
                future.result()
            except KafkaException as error:
                if unwrap(error).code() == KafkaError.TOPIC_ALREADY_EXISTS:
                    continue
                fault = decide(error, f"creating topic {name}")
                raise fault if isinstance(fault, Stopped) else Stopped(fault.message) from error

    def topic_ids(self, topics: Sequence[str]) -> dict[str, str]:
        """
        The ids of topics: one that is deleted and made anew under its name has another.

        Raises: Stopped when one is not there, or the cluster does not say.
        """
        asked = self._admin.describe_topics(TopicCollection(list(topics)), request_timeout=ANSWER_S)
        try:
            return {name: str(future.result().topic_id) for name, future in asked.items()}
        except KafkaException as error:
            raise self._unreachable(error) from error

    def is_embedded(self) -> bool:
        """Whether it is the client's own mock, whose transactions only pretend. Raises: as `partitions`."""
        try:
            found = self._entry.let_in(
                lambda step_s: self._admin.list_topics(timeout=step_s), self._admin.poll, ANSWER_S
            )
        except KafkaException as error:
            raise self._unreachable(error) from error
        return str(found.cluster_id).startswith("mockCluster")

    def settings_of(self, topic: str) -> dict[str, str] | None:
        """
        A topic's settings; None where this user may not see them.

        Raises: Retriable or Stopped when the broker does not answer, or can't tell.
        """
        asked = [ConfigResource(ResourceType.TOPIC, topic)]
        try:
            [future] = self._admin.describe_configs(asked, request_timeout=self._answer_s).values()
            found = future.result()
        except KafkaException as error:
            if unwrap(error).code() in FORBIDDEN:
                return None
            raise decide(error, f"asking for the settings of {topic}") from error
        return {name: str(entry.value) for name, entry in found.items() if entry.value is not None}

    def max_message_bytes(self, topic: str) -> int | None:
        """The topic's `max.message.bytes`; None when the cluster does not say."""
        value = self.topic_config(topic).get("max.message.bytes")
        return None if value is None else int(value)

    def topic_config(self, topic: str) -> dict[str, str]:
        """The topic's settings; none when the cluster does not say."""
        resource = ConfigResource(ResourceType.TOPIC, topic)
        try:
            [future] = self._admin.describe_configs([resource], request_timeout=self._answer_s).values()
            found = future.result()
        except KafkaException:
            return {}
        return {name: entry.value for name, entry in found.items() if entry.value is not None}

    def require(self, topic: str) -> int:
        """
        How many partitions a topic has.

        Raises: Stopped when it is not there; StartupTimeout, BrokerRefused as `partitions`.
        """
        count = self.partitions().get(topic)
        if count is None:
            raise Stopped(
                f"topic {topic} is not there on {self._servers}",
                hint="create it with `stream topics --create`",
            )
        return count

    def ends(self, topic: str) -> dict[Partition, tuple[int, int]]:
        """
        Per partition the earliest offset and the one after the last record.

        Raises: Stopped when the cluster does not answer or the topic is not there.
        """
        count = self.require(topic)
        wanted = [TopicPartition(topic, i) for i in range(count)]
        low = self._offsets(wanted, OffsetSpec.earliest())  # type: ignore[no-untyped-call]
        high = self._offsets(wanted, OffsetSpec.latest())  # type: ignore[no-untyped-call]
        return {p: (low[p], high[p]) for p in high}

    def stable_ends(self, partitions: Iterable[Partition]) -> dict[Partition, int]:
        """
        How far partitions can be read, where that is not to their end: up to the first record of an open transaction.

        Returns: only partitions that have one; the offset after the last record that can be read.
        Raises: as `ends`.
        """
        wanted = [TopicPartition(p.topic, p.index) for p in partitions]
        # The end first: what is written in between must not look like a transaction.
        high = self._offsets(wanted, OffsetSpec.latest())  # type: ignore[no-untyped-call]
        stable = self._offsets(wanted, OffsetSpec.latest(), IsolationLevel.READ_COMMITTED)  # type: ignore[no-untyped-call]
        return {p: offset for p, offset in stable.items() if offset < high[p]}

    def _offsets(
        self,
        partitions: list[TopicPartition],
        spec: OffsetSpec,
        isolation: IsolationLevel = IsolationLevel.READ_UNCOMMITTED,
    ) -> dict[Partition, int]:
        asked = self._admin.list_offsets(
            dict.fromkeys(partitions, spec), isolation_level=isolation, request_timeout=self._answer_s
        )
        try:
            return {Partition(tp.topic, tp.partition): future.result().offset for tp, future in asked.items()}
        except KafkaException as error:
            raise self._unreachable(error) from error

    def committed(self, group: str, topic: str) -> dict[Partition, int]:
        """
        The group's next offsets; partitions without a commit are left out.

        Raises: Stopped when the cluster does not answer or refuses, or the topic is not there.
        """
        wanted = [TopicPartition(topic, i) for i in range(self.require(topic))]
        [future] = self._admin.list_consumer_group_offsets(
            [ConsumerGroupTopicPartitions(group, wanted)], request_timeout=self._answer_s
        ).values()
        try:
            found = future.result().topic_partitions
        except KafkaException as error:
            raise self._unreachable(error) from error
        return {Partition(tp.topic, tp.partition): tp.offset for tp in found if tp.offset >= 0}
