"""The topics written to: records sent, those that were refused, and the moment when all are acknowledged."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

from confluent_kafka import KafkaError, KafkaException, Producer

from stream.errors import DeliveryFailed, Stopped
from stream.records import Headers
from stream.settings import KafkaSettings
from stream.transport.clients import make_client
from stream.transport.connection import Connection
from stream.transport.deadline import Deadline
from stream.transport.faults import decide, record_reason, worth_asking_again
from stream.transport.properties import producer_properties

__all__ = ["Refusal", "Sink"]

log = logging.getLogger(__name__)

BY_KEY = -1
"""librdkafka's RD_KAFKA_PARTITION_UA: the partitioner chooses."""

FULL_S = 0.05
"""How long to serve the producer when its queue is full before trying again."""


Sent: TypeAlias = tuple[str, bytes | None, bytes | None, int | None, Headers]
"""Topic, key, value, timestamp in ms (None = as in `Sink._sent`), headers."""


Stamps: TypeAlias = Mapping[tuple[bytes | None, bytes | None], int]
"""Per key and value of a record without headers, its timestamp."""


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
        message: librdkafka's words.
    """

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers
    reason: str
    exception: str
    message: str


class Sink:
    """The producer side of a worker. One thread sends; another may flush meanwhile."""

    def __init__(self, kafka: KafkaSettings, stall_s: float = 120.0, *, repeat: bool = False) -> None:
        """
        Connects nothing yet.

        Args:
            kafka: the cluster.
            stall_s: how long a full queue may stay full before the worker stops.
            repeat: send once more what the broker refused only for others in its batch; then what is sent is
                kept until the next `flush`. Without it such a record is a failure.
        """
        self.connection = Connection()
        self._producer: Any = make_client(
            Producer, producer_properties(kafka, self.connection.on_error, self._on_delivery)
        )
        self._stall_s = stall_s
        self._refused: list[Refusal] = []
        self._sound: list[Sent] = []
        self._doubtful: list[Sent] = []
        self._alone = False
        self._failure: Stopped | None = None
        self._repeat = repeat
        self._sent: list[tuple[Sequence[bytes | None], Sequence[bytes | None], Sequence[int]]] = []
        """Keys, values and timestamps of what `flush` has not answered for: a delivery report has no timestamp."""

    def __len__(self) -> int:
        """Records sent and not yet acknowledged."""
        return len(self._producer) + len(self._sound) + len(self._doubtful)

    def send(
        self,
        topic: str,
        keys: Sequence[bytes | None],
        values: Sequence[bytes | None],
        timestamps_ms: Sequence[int],
        headers: Sequence[Headers | None],
    ) -> None:
        """
        Hand over n records, in order. Acknowledgement comes later: see `flush`.

        Args:
            topic: where to.
            keys: shape (n,).
            values: shape (n,).
            timestamps_ms: shape (n,); 0 = now.
            headers: shape (n,).
        Raises: Stopped when the queue stays full for too long or the producer can't go on; records before
            that may have been written, none is reported as acknowledged.
        Blocks while the queue is full. Records refused at once are found in `flush`'s answer.
        """
        produce = self._producer.produce
        if self._repeat:
            self._sent.append((keys, values, timestamps_ms))
        for key, value, timestamp, header in zip(keys, values, timestamps_ms, headers, strict=True):
            try:
                if header or value is None:
                    # A delivery report has neither headers nor timestamp; and nulls of one key look alike.
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
                    # By position (partition by key, two callbacks, timestamp): names make the call twice as dear.
                    produce(topic, value, key, BY_KEY, None, None, timestamp)
            except BufferError:
                self._wait_for_room()
                self.send(topic, [key], [value], [timestamp], [header])
            except KafkaException as error:
                self._refuse(topic, key, value, header or (), error.args[0])
        self._producer.poll(0)

    def _wait_for_room(self) -> None:
        deadline = Deadline.after(self._stall_s)
        size = len(self._producer)
        while len(self._producer) >= size:
            self._producer.poll(FULL_S)
            self._raise_failure()
            if deadline.over:
                raise DeliveryFailed(
                    f"the producer's queue of {size} records stayed full for {self._stall_s:.0f} s"
                    f" ({self.connection.trouble or 'no error reported'})",
                    mend="look at the brokers of the output topic; nothing was committed, a restart repeats the work",
                )

    def _on_delivery(
        self, error: KafkaError | None, message: Any, headers: Headers = (), timestamp_ms: int | None = None
    ) -> None:
        if error is None:
            return
        topic, key, value = message.topic() or "", message.key(), message.value()
        if not self._repeat or self._alone or not worth_asking_again(error):
            self._refuse(topic, key, value, headers, error)
            return
        again = self._doubtful if record_reason(error) else self._sound
        again.append((topic, key, value, timestamp_ms, headers))

    def _refuse(
        self, topic: str, key: bytes | None, value: bytes | None, headers: Headers, error: KafkaError
    ) -> None:
        reason = record_reason(error)
        if reason is None:
            fault = decide(error, f"writing to {topic}")
            stop = fault if isinstance(fault, Stopped) else DeliveryFailed(fault.message)
            self._failure = self._failure or stop
            return
        self._refused.append(Refusal(topic, key, value, tuple(headers), reason, error.name(), error.str()))

    def flush(self, deadline: Deadline) -> list[Refusal]:
        """
        Wait until every record sent so far is acknowledged or refused.

        Args:
            deadline: when to give up.
        Returns: the records that were refused for what they are, in no order; the others are written.
        Raises: DeliveryFailed or another Stopped when something else went wrong, or time ran out: some
            records may not be written, so no offset of theirs may be committed.
        """
        self._wait(deadline)
        while (self._sound or self._doubtful) and not deadline.over and self._failure is None:
            self._ask_again(deadline)
        self._raise_failure()
        if len(self):
            raise DeliveryFailed(
                f"{len(self)} records were not acknowledged in time"
                f" ({self.connection.trouble or 'no error reported'})",
                mend="look at the brokers of the output topic; nothing was committed, a restart repeats the work",
            )
        refused, self._refused, self._sent = self._refused, [], []
        return refused

    def _wait(self, deadline: Deadline) -> None:
        while len(self._producer) and not deadline.over and self._failure is None:
            self._producer.flush(deadline.left_s(1.0))

    def _ask_again(self, deadline: Deadline) -> None:
        """Send what failed with its batch once more: the sound ones together, the doubtful ones each alone."""
        stamps = {
            (key, value): timestamp
            for keys, values, timestamps in self._sent
            for key, value, timestamp in zip(keys, values, timestamps, strict=True)
        }
        sound, self._sound = self._sound, []
        doubtful, self._doubtful = self._doubtful, []
        self._send_stamped(sound, stamps)
        self._wait(deadline)
        self._alone = True
        for record in doubtful:
            self._send_stamped([record], stamps)
            self._wait(deadline)
        self._alone = False

    def _send_stamped(self, records: Sequence[Sent], stamps: Stamps) -> None:
        for topic, key, value, timestamp, headers in records:
            stamp = stamps[key, value] if timestamp is None else timestamp
            self.send(topic, [key], [value], [stamp], [headers])

    def discard(self) -> None:
        """Forget what is still waiting: the worker stops and has not committed it."""
        self._producer.purge(in_queue=True, in_flight=True, blocking=False)
        self._producer.poll(0)

    def close(self) -> None:
        """Disconnect; nothing may be sent afterwards. What is not acknowledged yet may be lost: `flush` first."""
        self.discard()
        self._producer = None

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure
        if self.connection.fatal is not None:
            raise decide(self.connection.fatal, "writing")


def _as_list(headers: Headers) -> list[tuple[str, bytes | None]]:
    return headers if isinstance(headers, list) else list(headers)
