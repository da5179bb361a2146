"""The consumer's group: its place in it, and commits of its offsets outside transactions."""

from __future__ import annotations

import logging
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from stream.errors import Stopped
from stream.records import Partition
from stream.settings import KafkaSettings
from stream.transport.clients import make_client
from stream.transport.faults import decide
from stream.transport.properties import consumer_properties
from stream.transport.reachability import Connection

__all__ = ["GroupCommits", "GroupMetadata", "group_without_members"]

log = logging.getLogger(__name__)


class GroupMetadata:
    """Who the consumer is in its group at one moment; offsets of a transaction are taken from members only."""

    __slots__ = ("alone", "generation", "raw")

    MAGIC = b"CGMDv2:"

    def __init__(self, raw: bytes, *, alone: bool = False) -> None:
        """
        Args:
            raw: as `Consumer.consumer_group_metadata` gives it.
            alone: of a consumer that never joins: its offsets are meant to be taken unchecked.

        Source: librdkafka, rd_kafka_consumer_group_metadata_write: magic, generation as int32, names.
        """
        self.raw = raw
        self.alone = alone
        start = len(self.MAGIC)
        known = raw.startswith(self.MAGIC)
        self.generation = int.from_bytes(raw[start : start + 4], "little", signed=True) if known else -1
        """-1: not a member. The broker would accept such a consumer's offsets unchecked, even a zombie's."""


def group_without_members(kafka: KafkaSettings) -> GroupMetadata:
    """
    By which a transaction sets the offsets of a group that nobody has joined yet.

    Args:
        kafka: the cluster and the group.
    """
    consumer: Any = make_client(Consumer, consumer_properties(kafka, Connection().on_error))
    try:
        return GroupMetadata(consumer.consumer_group_metadata(), alone=True)
    finally:
        consumer.close()


class GroupCommits:
    """
    Commits, and what the coordinator answers to them later.

    Used by the thread that owns the consumer; `answered` runs inside its consume().
    """

    def __init__(self, owned: Container[int]) -> None:
        """
        Args:
            owned: numbers of the partitions that are this worker's at the moment.
        """
        self._owned = owned
        self._failed: dict[Partition, int] = {}
        self._refused: Stopped | None = None

    def commit(
        self,
        commit: Callable[..., Sequence[TopicPartition] | None],
        offsets: Mapping[Partition, int],
        *,
        wait: bool,
    ) -> None:
        """
        Make it known that everything before these offsets is done.

        Args:
            commit: `confluent_kafka.Consumer.commit`.
            offsets: see `Source.commit`.
            wait: likewise.
        Raises: as `Source.commit`.
        """
        wanted = [TopicPartition(p.topic, p.index, offset) for p, offset in offsets.items()]
        try:
            answers = commit(offsets=wanted, asynchronous=not wait)
        except KafkaException as error:
            topics = ", ".join(sorted({p.topic for p in offsets}))
            raise decide(error, f"committing offsets of {topics}") from error
        for done in answers or ():
            if done.error is not None:
                raise decide(done.error, _doing(done))

    def answered(self, error: KafkaError | None, partitions: list[TopicPartition]) -> None:
        """The coordinator's answer to a commit without waiting: librdkafka's `on_commit`; must not raise."""
        for tp in partitions:
            fault = tp.error or error
            if fault is None:
                continue
            decision = decide(fault, _doing(tp))
            if isinstance(decision, Stopped):
                self._refused = decision
            log.warning("%s", decision.message)
            if tp.partition in self._owned:
                self._failed[Partition(tp.topic, tp.partition)] = tp.offset

    def forget(self, partitions: Iterable[TopicPartition]) -> None:
        """These are others' now."""
        for tp in partitions:
            self._failed.pop(Partition(tp.topic, tp.partition), None)

    def take_failed(self) -> dict[Partition, int]:
        """
        Offsets that could not be made known, since the last call.

        Raises: Stopped when the coordinator refused them for good.
        """
        failed, self._failed = self._failed, {}
        refused, self._refused = self._refused, None
        if refused is not None:
            raise refused
        return failed


def _doing(tp: TopicPartition) -> str:
    return f"committing offset {tp.offset} of {tp.topic}[{tp.partition}]"
