"""A producer that takes records in columns, waits where its queue is full, and reports each record that failed."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeAlias

from confluent_kafka import KafkaError, KafkaException, Producer

from stream.deadline import Deadline
from stream.errors import DeliveryFailed
from stream.records import Headers, Outgoing, Place
from stream.settings import KafkaSettings
from stream.transport.clients import make_client
from stream.transport.failed_records import Failed, OnFailed
from stream.transport.faults import decide, decide_transaction
from stream.transport.properties import producer_properties
from stream.transport.reachability import Connection

__all__ = ["BY_KEY", "PUSH_S", "OnWritten", "Outbox"]

BY_KEY = -1
"""librdkafka's RD_KAFKA_PARTITION_UA: the partitioner chooses."""

FULL_S = 0.05
"""How long to serve the producer when its queue is full before trying again."""

PUSH_S = 0.001
"""The client's threads send meanwhile. That all is written they don't say when only failures are reported: a longer
call of `flush` looks only every 10 ms. Source: librdkafka 2.16, rd_kafka_flush."""


OnWritten: TypeAlias = Callable[[int, Place], None]
"""Told the number of a record, and where it is; offset -1 = the broker has it, but did not say where."""

Row: TypeAlias = tuple[bytes | None, bytes | None, int, Headers | None]
"""Key, value, timestamp and headers."""


class Outbox:
    """One thread sends; another may serve and flush meanwhile."""

    def __init__(
        self,
        kafka: KafkaSettings,
        on_failed: OnFailed,
        connection: Connection,
        stall_s: float,
        transactional_id: str | None = None,
        *,
        reports_all: bool = False,
    ) -> None:
        """
        Connects nothing yet.

        Args:
            kafka: the cluster.
            on_failed: told of each record that was not written; raises nothing.
            connection: told of errors that belong to no record.
            stall_s: how long a full queue may stay full.
            transactional_id: makes it a transactional producer.
            reports_all: `place` may be called.
        """
        self._on_failed = on_failed
        self._connection = connection
        self._stall_s = stall_s
        self._decide = decide if transactional_id is None else decide_transaction
        self.producer: Any = make_client(
            Producer,
            producer_properties(
                kafka, connection.on_error, self._on_delivery, transactional_id, reports_all=reports_all
            ),
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

    def place(self, records: Outgoing, partitions: Sequence[int], written: OnWritten) -> None:
        """
        Hand over records, each to a partition of its own.

        Args:
            records: n records.
            partitions: shape (n,); `BY_KEY` where the partitioner chooses.
            written: told of each record that was written, by its number in `records`; raises nothing.
        Raises: as `send`. Blocks while the queue is full.
        """
        for number, row in enumerate(records.rows()):
            report = partial(self._on_placed, number, written, row)
            key, value, timestamp, headers = row
            while True:
                try:
                    self.producer.produce(
                        records.topic,
                        value,
                        key,
                        partitions[number],
                        on_delivery=report,
                        timestamp=timestamp,
                        headers=_as_list(headers or ()),
                    )
                except BufferError:
                    self._wait_for_room()
                    continue
                except KafkaException as error:
                    report(error.args[0], None, at_once=True)
                break
        self._poll(0)

    def _on_placed(
        self,
        number: int,
        written: OnWritten,
        row: Row,
        error: KafkaError | None,
        message: Any,
        *,
        at_once: bool = False,
    ) -> None:
        if error is None:
            written(number, Place(message.topic(), message.partition(), message.offset()))
            return
        key, value, timestamp, headers = row
        topic = "" if message is None else message.topic() or ""
        self._on_failed(Failed(topic, key, value, headers or (), timestamp, error, at_once))

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

    def push(self) -> bool:
        """Send what would wait for its batch to grow; whether answers are awaited still. `serve` tells of faults."""
        if not len(self.producer):
            return False
        try:
            self.producer.flush(PUSH_S)
        except (KafkaException, SystemError):
            return False  # it would raise at once again and again
        return len(self.producer) > 0

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
