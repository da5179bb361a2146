"""
The input topic: batches of records, the partitions they come from, and the offsets that are done.

Words: an *offset* committed or kept here is always the **next** one to read. A partition is *owned* from
its assignment until it is revoked or lost. Its *end* may lie past its last record (`partition_ends`).

Rebalance callbacks run inside `poll` and `close`, in the thread that calls them; an exception that left one would
lose records inside the client, so they are kept and raised by `poll` itself.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Literal

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from stream.deadline import Deadline
from stream.errors import Stopped, StreamError
from stream.log_events import tell_partitions
from stream.records import Batch, Partition
from stream.settings import BatchingSettings, InputSettings, KafkaSettings
from stream.transport.client_records import (
    OF_PARTITIONS,
    Message,
    all_sound,
    as_batch,
    partitions_of,
)
from stream.transport.clients import make_client
from stream.transport.consumer_group import GroupCommits, GroupMetadata
from stream.transport.faults import decide
from stream.transport.intake import Intake
from stream.transport.listener import Listener
from stream.transport.partition_ends import PartitionEnds
from stream.transport.properties import consumer_properties
from stream.transport.reachability import Connection
from stream.transport.starts import Starts

__all__ = ["Source"]

log = logging.getLogger(__name__)

ASSIGN_S = 30.0
"""For looking up where new partitions start, of the 300 s that a member may stay away from `poll`."""


class Source:
    """The consumer side of a worker."""

    def __init__(
        self, kafka: KafkaSettings, options: InputSettings, batching: BatchingSettings, listener: Listener
    ) -> None:
        """
        Connects nothing yet.

        Args:
            kafka: the cluster and the group.
            options: the topic, and what to do when its records are gone.
            batching: how much a poll may take; a single record beyond `max_bytes` still comes, alone.
            listener: told of every rebalance.
        """
        self.connection = Connection()
        self._owned: dict[int, TopicPartition] = {}  # with where each began
        self._commits = GroupCommits(self._owned)
        properties = consumer_properties(kafka, self.connection.on_error)
        self._consumer: Any = make_client(Consumer, {**properties, "on_commit": self._commits.answered})
        self._starts = Starts(self._consumer, options.topic)
        self.found: Mapping[int, int] = self._starts.known
        """Per owned partition number the group's offset when it was assigned, where it had one."""
        self._ends = PartitionEnds(self._starts.known)
        self._options, self._group, self._listener = options, kafka.group, listener
        self._intake = Intake(self._consumer.consume, self._begin_again, batching)
        self._failure: StreamError | None = None
        self.joined = False
        """Whether the group has given this member its share at least once (which may be none)."""

    @property
    def owned(self) -> list[Partition]:
        """The partitions of this worker, ascending."""
        return [Partition(self._options.topic, index) for index in sorted(self._owned)]

    @property
    def drained(self) -> bool:
        """Whether the last poll found less than it could have taken: nothing waits."""
        return self._intake.drained

    def subscribe(self) -> None:
        """Join the group; partitions arrive in later polls."""
        self._consumer.subscribe(
            [self._options.topic],
            on_assign=self._on_assign,
            on_revoke=partial(self._leave, lost=False),
            on_lost=partial(self._leave, lost=True),
        )

    def poll(self, idle_s: float, most: int, company: Deadline) -> Batch:
        """
        Take what is there. Blocks for idle_s and until `company`, longer only in a rebalance.

        Args:
            idle_s: how long to wait for a first record.
            most: records that the batch may have, ≥ 1; no more than `max_records`.
            company: until when it may wait for more, once it has one.
        Returns: a batch, empty when nothing came; records of one partition in offset order.
        Raises: Stopped for what can't go on (out of range, ACL); the batch in hand is dropped uncommitted.
        """
        messages = self._intake.batch(idle_s, most, company)
        self._raise_failure()
        return self._batch(messages)

    def _batch(self, messages: list[Message]) -> Batch:
        sound = all_sound(messages)
        for message in () if sound else messages:
            if (error := message.error()) is not None:
                self._handle(error, message)
        partitions = partitions_of(messages)
        if not (sound and self._owned.keys() >= set(partitions)):
            messages = [m for m in messages if m.error() is None and m.partition() in self._owned]
            partitions = partitions_of(messages)
        return as_batch(self._options.topic, messages, partitions)

    def ends(self) -> dict[Partition, int]:
        """
        Ends of partitions that were reached since the last call, where the group has another offset.

        Returns: per owned partition the offset to read next; `poll` has returned every record before it.
        """
        return self._ends.take()

    def commit(self, offsets: Mapping[Partition, int], *, wait: bool) -> None:
        """
        Make it known that everything before these offsets is done.

        Args:
            offsets: per partition the next offset to read.
            wait: True = until the coordinator has answered. False = its answer comes with a later poll; what
                it did not take is then found by `not_committed`.
        Raises: MovedOn when the group has moved on (others will read the records again);
            Retriable when it may be tried again; Stopped when it is refused.
        Owner's thread only: from another it never returns once a rebalance callback runs (confluent-kafka 2.16).
        """
        self._commits.commit(self._consumer.commit, offsets, wait=wait)

    def group(self) -> GroupMetadata:
        """Who this consumer is in its group now: what a transaction's offsets are checked against."""
        return GroupMetadata(self._consumer.consumer_group_metadata())

    def committed(self, partitions: Sequence[Partition], deadline: Deadline) -> dict[Partition, int]:
        """
        The group's offsets; those of a transaction that is not ended yet are waited for.

        Returns: only partitions that have one.
        Raises: Retriable or MovedOn when there is no answer in time; Stopped when it is refused.
        """
        return self._starts.committed(partitions, deadline)

    def serve(self, wait_s: float) -> None:
        """
        Let rebalances happen without taking records; what comes all the same waits for the next `poll`.

        Raises: as `poll`. Blocks for wait_s at most, longer only while a rebalance is under way.
        """
        self._intake.serve(wait_s)
        self._raise_failure()

    def pause(self, indexes: Iterable[int]) -> None:
        """Read no more of these owned partitions (their numbers), not even what is on its way; raises Stopped."""
        gone = set(indexes)
        try:
            self._consumer.pause([TopicPartition(self._options.topic, index) for index in gone])
        except KafkaException as error:
            raise Stopped(decide(error, f"pausing partitions of {self._options.topic}").message) from error
        self._intake.forget(gone)

    def not_committed(self) -> dict[Partition, int]:
        """
        Offsets that commits without waiting could not make known, since the last call.

        Raises: Stopped when the coordinator refused them for good.
        """
        return self._commits.take_failed()

    def unread(self) -> dict[Partition, range]:
        """Offsets that no poll returned yet, per owned partition, as far as the client knows. Owner's thread only."""
        found: dict[Partition, range] = {}
        waiting = self._intake.waiting_from()
        for position in self._consumer.position([TopicPartition(p.topic, p.index) for p in self.owned]):
            low_high = self._consumer.get_watermark_offsets(position, cached=True)
            start = self._ends.position(position)
            if low_high and start >= 0 and low_high[1] >= 0:
                start = waiting.get(position.partition, start)
                found[Partition(position.topic, position.partition)] = range(start, max(start, low_high[1]))
        return found

    def close(self) -> None:
        """Leave the group; the listener is told of the partitions that go. Blocks for a few seconds at most."""
        self._intake.clear()
        self._consumer.close()
        self._raise_failure()

    def _raise_failure(self) -> None:
        if self._failure is not None:
            failure, self._failure = self._failure, None
            self._intake.clear()
            raise failure

    def _begin_again(self, indexes: Collection[int]) -> None:
        starts = [start for index, start in self._owned.items() if index in indexes]
        try:
            if starts:
                self._consumer.incremental_unassign(starts)
                self._consumer.incremental_assign(starts)
        except KafkaException as error:
            self._failure = self._failure or decide(
                error, f"reading partitions of {self._options.topic} again"
            )

    # ---- rebalances: run inside consume() and close(); must not raise ----

    def _on_assign(self, consumer: Any, partitions: list[TopicPartition]) -> None:
        try:
            starts = self._starts.find(partitions, Deadline.after(ASSIGN_S))
            consumer.incremental_assign(starts)
        except KafkaException as error:
            self._failure = decide(error, f"taking over partitions of {self._options.topic}")
            return
        except StreamError as error:
            self._failure = error
            return
        self._owned.update({tp.partition: tp for tp in starts})
        self.joined = True
        self._tell("assigned", partitions)

    def _leave(self, consumer: Any, partitions: list[TopicPartition], *, lost: bool) -> None:
        self._tell("lost" if lost else "revoked", partitions)
        self._intake.went(tp.partition for tp in partitions)
        for tp in partitions:
            self._owned.pop(tp.partition, None)
        self._commits.forget(partitions)
        self._ends.forget(partitions)
        try:
            consumer.incremental_unassign(partitions)
        except KafkaException as error:
            self._failure = self._failure or decide(error, f"giving up partitions of {self._options.topic}")

    def _tell(self, what: Literal["assigned", "revoked", "lost"], partitions: list[TopicPartition]) -> None:
        named = [Partition(tp.topic, tp.partition) for tp in partitions]
        tell_partitions(log, what, named)
        try:
            if what == "assigned":
                self._listener.assigned(named)
            else:
                self._listener.revoked(named, lost=what == "lost")
        except StreamError as error:
            self._failure = error

    # ---- errors that arrive in place of records ----

    def _handle(self, error: KafkaError, message: Message) -> None:
        if error.code() in OF_PARTITIONS:
            at = TopicPartition(message.topic(), message.partition(), message.offset())
            if message.partition() in self._owned:
                (self._ends.reached if error.code() == KafkaError._PARTITION_EOF else self._replace)(at)
            return
        doing = f"reading {message.topic()}" if message.topic() else f"joining the group {self._group}"
        fault = decide(error, doing)
        if isinstance(fault, Stopped):
            raise fault
        log.warning("%s", fault.message)

    def _replace(self, gone: TopicPartition) -> None:
        """Go on elsewhere in a partition that does not hold the offset to read next."""
        start = self._starts.replacement(gone, self._options.on_out_of_range, Deadline.after(ASSIGN_S))
        self._ends.reached(start)
        self._consumer.incremental_unassign([gone])  # not seek(): the client refuses it in this state
        self._consumer.incremental_assign([start])
