"""
The producer side outside transactions: what is sent, what was refused, and when everything is acknowledged.

What the broker refused only because of others in its batch is sent once more.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from stream.deadline import Deadline
from stream.errors import DeliveryFailed, Stopped
from stream.records import Outgoing
from stream.settings import KafkaSettings
from stream.transport.failed_records import Failed, Refusal
from stream.transport.faults import decide, record_reason, worth_asking_again
from stream.transport.outbox import Outbox
from stream.transport.reachability import Connection

__all__ = ["Sink"]

Stamps: TypeAlias = Mapping[tuple[bytes | None, bytes | None], int]
"""Per key and value of a record without headers, its timestamp."""


class Sink:
    """The producer side of an at-least-once worker. One thread sends; another may flush meanwhile."""

    def __init__(self, kafka: KafkaSettings, stall_s: float = 120.0, *, repeat: bool = False) -> None:
        """
        Connects nothing yet.

        Args:
            kafka: the cluster.
            stall_s: how long a full queue may stay full before the worker stops.
            repeat: send once more what the broker refused only because of others in its batch; then what is sent is
                kept until the next `flush`. Without it such a record is a failure.
        """
        self.connection = Connection()
        self._outbox = Outbox(kafka, self._on_failed, self.connection, stall_s)
        self._refused: list[Refusal] = []
        self._sound: list[Failed] = []
        self._doubtful: list[Failed] = []
        self._alone = False
        self._failure: Stopped | None = None
        self._repeat = repeat
        self._sent: list[Outgoing] = []
        """Records sent since the last `flush`: kept, because a delivery report lacks the timestamp."""

    def __len__(self) -> int:
        """Records sent and not yet acknowledged."""
        return len(self._outbox) + len(self._sound) + len(self._doubtful)

    def send(self, records: Outgoing) -> None:
        """
        Hand over n records, in order; see `Outbox.send`. Acknowledgement comes later: see `flush`.

        Records refused at once are found in `flush`'s answer.
        """
        if self._repeat:
            self._sent.append(records)
        self._outbox.send(records)

    def _on_failed(self, failed: Failed) -> None:
        again = self._repeat and not self._alone and not failed.at_once
        if not again or not worth_asking_again(failed.error):
            self._refuse(failed)
        elif record_reason(failed.error):
            self._doubtful.append(failed)
        else:
            self._sound.append(failed)

    def _refuse(self, failed: Failed) -> None:
        error, reason = failed.error, record_reason(failed.error)
        if reason is None:
            fault = decide(error, f"writing to {failed.topic}")
            stop = fault if isinstance(fault, Stopped) else DeliveryFailed(fault.message)
            self._failure = self._failure or stop
            return
        self._refused.append(failed.refusal(reason))

    def flush(self, deadline: Deadline) -> list[Refusal]:
        """
        Wait until every record sent so far is acknowledged or refused.

        Args:
            deadline: when to give up.
        Returns: the records that were refused for what they are, in no particular order; the others are written.
        Raises: DeliveryFailed or another Stopped when something else went wrong, or time ran out: some
            records may not be written, so no offset of theirs may be committed.
        """
        self._wait(deadline)
        while (self._sound or self._doubtful) and not deadline.over and self._failure is None:
            self._ask_again(deadline)
        if self._failure is not None:
            raise self._failure
        self._outbox.check()
        if len(self):
            raise DeliveryFailed(
                f"{len(self)} records were not acknowledged in time"
                f" ({self.connection.trouble or 'no error reported'})",
                hint="look at the brokers of the output topic; nothing was committed, a restart repeats the work",
            )
        refused, self._refused, self._sent = self._refused, [], []
        return refused

    def _wait(self, deadline: Deadline) -> None:
        while len(self._outbox) and not deadline.over and self._failure is None:
            self._outbox.serve(deadline.left_s(1.0))

    def _ask_again(self, deadline: Deadline) -> None:
        """Send what failed with its batch once more: the sound ones together, the doubtful ones each alone."""
        stamps = {
            (key, value): timestamp for records in self._sent for key, value, timestamp, _ in records.rows()
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

    def _send_stamped(self, records: list[Failed], stamps: Stamps) -> None:
        for record in records:
            stamp = record.timestamp_ms
            if stamp is None:
                stamp = stamps[record.key, record.value]
            self.send(Outgoing.one(record.topic, record.key, record.value, stamp, record.headers))

    def discard(self) -> None:
        """Forget what is still waiting: the worker stops and has not committed it."""
        self._outbox.discard()

    def close(self) -> None:
        """Disconnect; nothing may be sent afterwards. What is not acknowledged yet may be lost: `flush` first."""
        self._outbox.close()
