"""
The topics written to, in transactions: outputs and the input's offsets become visible together, or not at all.

Words: a transaction is *open* from `begin` to the return of `commit` or `abort`. A producer is *fenced* when a
newer one of its transactional id exists, or when the broker has ended a transaction that took too long;
librdkafka can't tell these apart (it lacks KIP-890), so the caller does, by the transaction's age.

Source: KIP-98; librdkafka, "Transactional producer", rdkafka.h.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from confluent_kafka import KafkaError, KafkaException, TopicPartition

from stream.background import Bounded, CallHung
from stream.deadline import Deadline
from stream.errors import Aborted, MovedOn, OutcomeUnknown, Retriable, StreamError
from stream.records import Outgoing, Partition
from stream.settings import KafkaSettings
from stream.transport.consumer_group import GroupMetadata
from stream.transport.failed_records import Failed, Refusal
from stream.transport.faults import decide_transaction, record_reason, unwrap
from stream.transport.outbox import PUSH_S, OnWritten, Outbox
from stream.transport.properties import is_compressed, transaction_timeout_s
from stream.transport.reachability import Connection

__all__ = ["TransactionalSink"]

STEP_S = 2.0
"""For one try of a call of the transaction; a call whose time is over goes on where it was when it is repeated."""

AGAIN_S = 0.05
"""Before a call that a broker could not answer yet is retried."""

FLUSH_BEFORE_ABORT_S = 0.5
"""An abort right after the first record can turn fatal: records on their way are given a little time first."""

LOOK_S = 0.1
"""At most between two checks for a refused record: waiting for those after it would be in vain."""

_GIVEN_UP = {KafkaError._PURGE_QUEUE, KafkaError._PURGE_INFLIGHT, KafkaError._STATE}
"""What becomes of the records behind one that was refused."""


class TransactionalSink:
    """The producer side of an exactly-once worker. One thread at a time, except for `__len__`."""

    def __init__(
        self,
        kafka: KafkaSettings,
        transactional_id: str,
        stall_s: float = 120.0,
        *,
        reports_all: bool = False,
    ) -> None:
        """
        Connects nothing yet.

        Args:
            kafka: the cluster.
            transactional_id: stable for this worker and nobody else's.
            stall_s: how long a full queue may stay full before the worker stops.
            reports_all: `place` may be called; each record costs a report then.
        """
        self._kafka = kafka
        self._reports_all = reports_all
        self._id = transactional_id
        self._stall_s = stall_s
        self.connection = Connection()
        self._singly = False
        """Whether the next producer sends each record in a batch of its own: the broker then judges each."""
        self._outbox = self._new()
        self._bounded = Bounded(KafkaException)
        self._failed: list[Failed] = []
        self._tainted = False
        """Whether a record of this producer was not written."""
        self.timeout_s = transaction_timeout_s(kafka)
        """After so long the broker ends an open transaction by itself."""

    def _new(self) -> Outbox:
        self.connection.fatal = None
        self._single = self._singly
        kafka = self._kafka
        if self._single:
            kafka = replace(kafka, producer={**kafka.producer, "batch.num.messages": 1})
        return Outbox(
            kafka, self._on_failed, self.connection, self._stall_s, self._id, reports_all=self._reports_all
        )

    def __len__(self) -> int:
        """Records sent and not yet acknowledged."""
        return len(self._outbox)

    def _on_failed(self, failed: Failed) -> None:
        self._tainted = True
        self._failed.append(failed)

    def _call(self, step: Callable[[float], object], doing: str, deadline: Deadline) -> None:
        """Repeat a call until it succeeds, as long as its error says that nothing is lost by that."""
        while True:
            try:
                step(deadline.left_s(STEP_S) or 0.01)
            except KafkaException as error:
                fault = self._fault(error, doing)
                if not isinstance(fault, Retriable) or deadline.over:
                    raise fault from error
                time.sleep(AGAIN_S)
            else:
                return

    def _fault(self, error: KafkaException, doing: str) -> StreamError:
        inner, fatal = unwrap(error), self.connection.fatal
        # The first fatal error says why; those after it only that there was one.
        return decide_transaction(fatal if inner.code() == KafkaError._FATAL and fatal else inner, doing)

    def start(self, deadline: Deadline) -> None:
        """
        Take the transactional id: fence every older producer of it, and end its last transaction.

        Raises: Retriable when the coordinator does not answer in time; BrokerRefused; OutcomeUnknown when this
            producer can't be used: `renew`.
        """
        self._call(
            self._outbox.producer.init_transactions,
            f"taking the transactional id {self._id}",
            deadline,
        )

    def renew(self) -> None:
        """Discard the producer and whatever it has not written, and make a new one; `start` comes next."""
        self._outbox.close()
        self._failed, self._tainted = [], False
        self._outbox = self._new()

    def begin(self) -> None:
        """
        Open a transaction. Asks no broker, but for the first one after records had to be sent singly.

        Raises: as `commit`.
        """
        self._failed = []
        if self._single and not self._singly:
            self._back_to_batches()
        self._call(
            lambda _: self._outbox.producer.begin_transaction(), "opening a transaction", Deadline.after(0)
        )

    def _back_to_batches(self) -> None:
        self.renew()
        try:
            self.start(Deadline.after(self.timeout_s))
        except Retriable as error:
            raise OutcomeUnknown(error.message) from error

    def send(self, records: Outgoing) -> None:
        """See `Outbox.send`. `flush` tells what was refused, and whether the transaction can be committed."""
        self._outbox.send(records)

    def place(self, records: Outgoing, partitions: Sequence[int], written: OnWritten) -> None:
        """See `Outbox.place`; else as `send`."""
        self._outbox.place(records, partitions, written)

    def flush(self, deadline: Deadline) -> list[Refusal]:
        """
        Wait until every record sent so far is written or refused.

        Where some may have been refused only for their neighbours, the transactions after this one send each record
        singly, until one of them is committed: each then has an answer of its own.

        Returns: what was refused for what it is; when there is any, the transaction must be aborted.
        Raises: Aborted when something could not be written, or not in time; a kind of Stopped or OutcomeUnknown
            as the first error asks.
        """
        wait_s = PUSH_S
        while len(self._outbox) and not deadline.over and not self._failed:
            self._outbox.serve(deadline.left_s(wait_s))
            wait_s = min(2 * wait_s, LOOK_S)
        if self._failed:
            # The rest of its batch is told at once; the client no longer sends what comes after it.
            self._outbox.serve(0)
            return self._judge()
        if len(self._outbox):
            raise Aborted(
                f"{len(self._outbox)} records were not acknowledged in time"
                f" ({self.connection.trouble or 'no error reported'})"
            )
        return []

    def _judge(self) -> list[Refusal]:
        failed, self._failed = self._failed, []
        refused = [(f, reason) for f in failed if (reason := record_reason(f.error)) is not None]
        for each in failed:
            given_up = bool(refused) and each.error.code() in _GIVEN_UP
            if record_reason(each.error) is None and not _is_neighbour(each.error) and not given_up:
                fault = decide_transaction(each.error, f"writing to {each.topic}")
                # The client has given up on the record: there is no call to repeat.
                raise Aborted(fault.message) if isinstance(fault, Retriable) else fault
        # For a batch of several records the broker does not say reliably which one it means, nor why.
        together = not self._single and len(failed) > 1
        plain = not is_compressed(self._kafka)
        refusals = [
            each.refusal(
                reason,
                doubtful=together and not each.at_once,
                larger_too=plain and self._single and reason == "message_too_large",
            )
            for each, reason in refused
        ]
        self._singly = self._singly or any(each.doubtful for each in refusals)
        return refusals

    def add_offsets(
        self, next_offsets: Mapping[Partition, int], group: GroupMetadata, deadline: Deadline
    ) -> None:
        """
        Make the input's offsets part of the open transaction; meanwhile its records are sent, and wait no longer.

        librdkafka 2.16 can wait for ever here when the coordinator's connection is reset, whatever the call's limit
        (its issues 5456 and 5511); such a producer is given up.

        Raises: MovedOn when the consumer is not a member of the group's generation; else as `commit`.
        """
        if group.generation < 0 and not group.alone:
            raise MovedOn("the consumer is not a member of its group at the moment")
        offsets = [TopicPartition(p.topic, p.index, offset) for p, offset in next_offsets.items()]
        producer = self._outbox.producer

        def add(left_s: float) -> None:
            self._bounded.do(
                lambda: producer.send_offsets_to_transaction(offsets, group.raw, left_s),
                left_s,
                meanwhile=self._outbox.push,
            )

        try:
            self._call(add, "adding offsets to a transaction", deadline)
        except Retriable as error:
            raise Aborted(error.message) from error
        except CallHung as error:
            raise OutcomeUnknown(
                f"the Kafka client did not come back from adding offsets to a transaction"
                f" ({self.connection.trouble or 'no error reported'})"
            ) from error

    def commit(self, deadline: Deadline) -> None:
        """
        Commit the open transaction.

        Raises: Aborted or MovedOn when it can't be committed: `abort` it; OutcomeUnknown when nobody knows, or
            this producer can't be used any longer: `renew`, and look at the group's offsets; a kind of Stopped.
        """
        try:
            self._call(
                self._outbox.producer.commit_transaction,
                "committing a transaction",
                deadline,
            )
        except Retriable as error:
            raise OutcomeUnknown(error.message) from error
        self._singly = False

    def abort(self, deadline: Deadline) -> None:
        """
        Abort the open transaction: nothing of it becomes visible.

        Where one of its records was refused, a new producer does it.

        Raises: OutcomeUnknown when this producer can't be used any longer: `renew` ends the transaction.
        """
        try:
            if self._tainted:
                # librdkafka goes on with sequence numbers that the broker does not know after a refused batch
                # (OUT_OF_ORDER_SEQUENCE_NUMBER in the next transaction): only a new producer starts afresh. It has
                # its id at once where no transaction is open; where the abort fails, it ends that one first.
                with suppress(KafkaException):
                    self._outbox.producer.abort_transaction(deadline.left_s(STEP_S))
                self.renew()
                self.start(deadline)
                return
            self._outbox.serve(deadline.left_s(FLUSH_BEFORE_ABORT_S))
            self._call(self._outbox.producer.abort_transaction, "aborting a transaction", deadline)
        except (Retriable, Aborted, MovedOn) as error:
            raise OutcomeUnknown(error.message) from error
        finally:
            self._failed = []

    def close(self) -> None:
        """Disconnect. An open transaction is ended by the broker, or by the next producer of this id."""
        self._outbox.close()


def _is_neighbour(error: KafkaError) -> bool:
    """Whether a record is sound, and was refused only with its batch (KIP-467)."""
    return bool(error.code() == KafkaError._INVALID_DIFFERENT_RECORD)
