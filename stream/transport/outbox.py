"""A producer that takes records in columns, waits where its queue is full, and reports each record that failed."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

from confluent_kafka import KafkaError, KafkaException, Producer

from stream.deadline import Deadline
from stream.errors import DeliveryFailed
from stream.records import Headers, Outgoing
from stream.settings import KafkaSettings
from stream.transport.clients import make_client
from stream.transport.faults import decide, decide_transaction
from stream.transport.properties import producer_properties
from stream.transport.reachability import Connection

__all__ = ["Failed", "OnFailed", "Outbox", "Refusal"]

BY_KEY = -1
"""librdkafka's RD_KAFKA_PARTITION_UA: the partitioner chooses."""

FULL_S = 0.05
"""How long to serve the producer when its queue is full before trying again."""


@dataclass(frozen=True, slots=True)
class Failed:
    """
    A record that was not written.

    Attributes:
        topic: where it was to go.
        key: its key.
        value: its value.
        headers: its headers, where it had any.
        timestamp_ms: where it had headers or a null value; None otherwise: a delivery report has none.
        error: librdkafka's.
        at_once: the client refused it before the broker saw it.
    """

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers
    timestamp_ms: int | None
    error: KafkaError
    at_once: bool = False

    def refusal(self, reason: str, *, doubtful: bool = False, larger_too: bool = False) -> Refusal:
        """
        The refusal of the record for what it is.

        Args:
            reason: see `Refusal`.
            doubtful: see `Refusal`.
            larger_too: see `Refusal`.
        """
        error = self.error
        return Refusal(
            self.topic,
            self.key,
            self.value,
            tuple(self.headers),
            reason,
            error.name(),
            error.str(),
            doubtful,
            larger_too,
        )


OnFailed: TypeAlias = Callable[[Failed], None]


@dataclass(frozen=True, slots=True)
class Refusal:
    """
    A record that the client or the broker refused for what it is, not for the state of the cluster.

    Attributes:
        topic: where it was to go.
        key: its key.
        value: its value.
        headers: its headers.
        reason: `message_too_large`, `timestamp_refused` or `record_refused`.
        exception: librdkafka's name of the error.
        message: librdkafka's text.
        doubtful: perhaps only because of its neighbours in the broker's batch; sent alone, it gets its own answer.
        larger_too: too large by itself, uncompressed: so is any record none of whose parts is smaller.
    """

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers
    reason: str
    exception: str
    message: str
    doubtful: bool = False
    larger_too: bool = False


class Outbox:
    """One thread sends; another may serve and flush meanwhile."""

    def __init__(
        self,
        kafka: KafkaSettings,
        on_failed: OnFailed,
        connection: Connection,
        stall_s: float,
        transactional_id: str | None = None,
    ) -> None:
        """
        Connects nothing yet.

        Args:
            kafka: the cluster.
            on_failed: told of each record that was not written; raises nothing.
            connection: told of errors that belong to no record.
            stall_s: how long a full queue may stay full.
            transactional_id: makes it a transactional producer.
        """
        self._on_failed = on_failed
        self._connection = connection
        self._stall_s = stall_s
        self._decide = decide if transactional_id is None else decide_transaction
        self.producer: Any = make_client(
            Producer,
            producer_properties(kafka, connection.on_error, self._on_delivery, transactional_id),
        )

    def __len__(self) -> int:
        """Records handed over and not yet answered for."""
        return len(self.producer)

    def send(self, records: Outgoing) -> None:
        """
        Hand over records, in order.

        Raises: Stopped when the queue stays full for too long or the producer can't go on; records before
            that may have been written, none is reported as acknowledged.
        Blocks while the queue is full.
        """
        topic, produce = records.topic, self.producer.produce
        for key, value, timestamp, header in records.rows():
            try:
                if header or value is None:
                    # A delivery report has neither headers nor timestamp; and null values of one key look alike.
                    report = partial(self._on_delivery, headers=header or (), timestamp_ms=timestamp)
                    produce(
                        topic,
                        value,
                        key,
                        timestamp=timestamp,
                        headers=_as_list(header or ()),
                        on_delivery=report,
                    )
                else:
                    # By position (partition by key, two callbacks, timestamp): names make the call twice as expensive.
                    produce(topic, value, key, BY_KEY, None, None, timestamp)
            except BufferError:
                self._wait_for_room()
                self.send(Outgoing.one(topic, key, value, timestamp, header))
            except KafkaException as error:
                self._on_failed(
                    Failed(topic, key, value, header or (), timestamp, error.args[0], at_once=True)
                )
        self._poll(0)

    def _poll(self, wait_s: float) -> None:
        """Let delivery reports come in. Raises: the decision on a fatal error, which the client raises here."""
        try:
            self.producer.poll(wait_s)
        except KafkaException as error:
            raise self._decide(error, "writing") from error

    def _wait_for_room(self) -> None:
        deadline = Deadline.after(self._stall_s)
        size = len(self.producer)
        while len(self.producer) >= size:
            self._poll(FULL_S)
            self.check()
            if deadline.over:
                raise DeliveryFailed(
                    f"the producer's queue of {size} records stayed full for {self._stall_s:.0f} s"
                    f" ({self._connection.trouble or 'no error reported'})",
                    hint="look at the brokers of the output topic; nothing was committed, a restart repeats the work",
                )

    def check(self) -> None:
        """Raises: the decision on the error after which the client said that it can't go on."""
        if self._connection.fatal is not None:
            raise self._decide(self._connection.fatal, "writing")

    def serve(self, wait_s: float) -> None:
        """Let the producer work until every record is answered for, wait_s seconds at most. Raises: as `check`."""
        try:
            self.producer.flush(wait_s)
        except KafkaException as error:
            raise self._decide(error, "writing") from error
        except SystemError:
            # After a fatal error while it waits (seen: a right on the transactional id that is revoked), flush
            # may give neither a number nor an exception, and `error_cb` is not told (confluent-kafka 2.16).
            self._raise_fatal()
            raise

    def _raise_fatal(self) -> None:
        """
        Find out whether the producer has met a fatal error.

        A call that is not allowed now has no effect; where there was a fatal error, it is the answer.
        Source: librdkafka 2.16, rd_kafka_txn_require_state0.
        """
        try:
            self.producer.begin_transaction()
        except KafkaException as error:
            if error.args[0].fatal():
                raise self._decide(error, "writing") from error

    def _on_delivery(
        self, error: KafkaError | None, message: Any, headers: Headers = (), timestamp_ms: int | None = None
    ) -> None:
        if error is not None:
            self._on_failed(
                Failed(message.topic() or "", message.key(), message.value(), headers, timestamp_ms, error)
            )

    def discard(self) -> None:
        """Forget what is still waiting."""
        with contextlib.suppress(KafkaException):  # a producer that can't go on says so again
            self.producer.purge(in_queue=True, in_flight=True, blocking=False)
            self.producer.poll(0)

    def close(self) -> None:
        """Disconnect; what is not acknowledged yet may be lost."""
        self.discard()
        self.producer = None


def _as_list(headers: Headers) -> list[tuple[str, bytes | None]]:
    return headers if isinstance(headers, list) else list(headers)
