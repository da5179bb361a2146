"""Sinks in memory, without and with transactions: they keep what they are sent, and fail where a test asks for it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from stream.deadline import Deadline
from stream.errors import MovedOn, Stopped, StreamError
from stream.records import Headers, Outgoing, Partition
from stream.transport import GroupMetadata, Refusal

__all__ = ["MemorySink", "MemoryTransactions", "Sent"]


@dataclass(frozen=True, slots=True)
class Sent:
    """A record that the sink took."""

    topic: str
    key: bytes | None
    value: bytes | None
    timestamp_ms: int
    headers: Headers


class MemorySink:
    """
    Behaves as `stream.transport.Sink`; state is readable.

    Attributes:
        acknowledged: what a flush has acknowledged, in order.
        waiting: what was sent since.
        refuse: decides per record whether it is refused at the next flush, and why.
        failure: raised by the next flush, once.
    """

    def __init__(self) -> None:
        self.acknowledged: list[Sent] = []
        self.waiting: list[Sent] = []
        self.refuse: Callable[[Sent], str | None] = lambda sent: None
        self.failure: Stopped | None = None

    def send(self, records: Outgoing) -> None:
        """See `Sink.send`."""
        self.waiting += _sent(records)

    def flush(self, deadline: Deadline) -> list[Refusal]:
        """See `Sink.flush`."""
        if self.failure is not None:
            failure, self.failure = self.failure, None
            raise failure
        refused: list[Refusal] = []
        for sent in self.waiting:
            reason = self.refuse(sent)
            if reason is None:
                self.acknowledged.append(sent)
            else:
                refused.append(
                    Refusal(sent.topic, sent.key, sent.value, sent.headers, reason, "FAKE", "refused")
                )
        self.waiting = []
        return refused

    def on(self, topic: str) -> list[Sent]:
        """What was acknowledged on a topic, in order."""
        return [sent for sent in self.acknowledged if sent.topic == topic]


Step: TypeAlias = Literal["start", "begin", "send", "flush", "add_offsets", "commit", "abort", "renew"]
"""A call that can be made to fail."""


class MemoryTransactions:
    """
    Behaves as `stream.transport.TransactionalSink`; state is readable.

    Attributes:
        timeout_s: after so long a broker would end a transaction.
        pending: records of the open transaction, in order; None while none is open.
        committed: records of committed transactions, in order.
        aborted: records of aborted ones.
        offsets: per partition the committed next offset.
        sizes: how many records each committed transaction had.
        errors: per step the errors of its next calls, one each; None = that call succeeds.
        counted: the step after which a failing commit counts all the same (an answer that got lost).
        refuse: decides per record whether it is refused, and why; a reason that ends in `?` is doubtful.
        larger_too: of every refusal.
        calls: every step, in order.
    """

    def __init__(self, timeout_s: float = 10.0) -> None:
        """
        Args:
            timeout_s: see the attribute.
        """
        self.timeout_s = timeout_s
        self.pending: list[Sent] | None = None
        self.committed: list[Sent] = []
        self.aborted: list[Sent] = []
        self.offsets: dict[Partition, int] = {}
        self.sizes: list[int] = []
        self.errors: dict[Step, list[StreamError | None]] = defaultdict(list)
        self.counted = False
        self.refuse: Callable[[Sent], str | None] = lambda sent: None
        self.larger_too = False
        self.calls: list[Step] = []
        self._staged: dict[Partition, int] = {}

    def _step(self, step: Step) -> None:
        self.calls.append(step)
        if self.errors[step] and (error := self.errors[step].pop(0)) is not None:
            raise error

    def start(self, deadline: Deadline) -> None:
        """See `TransactionalSink.start`."""
        self._step("start")

    def renew(self) -> None:
        """See `TransactionalSink.renew`: an open transaction is aborted."""
        self._step("renew")
        self._end()

    def begin(self) -> None:
        """See `TransactionalSink.begin`."""
        self._step("begin")
        assert self.pending is None, "a transaction is open already"
        self.pending = []

    def send(self, records: Outgoing) -> None:
        """See `TransactionalSink.send`."""
        self._step("send")
        assert self.pending is not None, "no transaction is open"
        self.pending += _sent(records)

    def flush(self, deadline: Deadline) -> list[Refusal]:
        """See `TransactionalSink.flush`."""
        self._step("flush")
        refused = [(sent, self.refuse(sent)) for sent in self.pending or ()]
        return [
            Refusal(
                s.topic,
                s.key,
                s.value,
                s.headers,
                why.rstrip("?"),
                "FAKE",
                "refused",
                why.endswith("?"),
                self.larger_too,
            )
            for s, why in refused
            if why
        ]

    def add_offsets(
        self, next_offsets: Mapping[Partition, int], group: GroupMetadata, deadline: Deadline
    ) -> None:
        """See `TransactionalSink.add_offsets`."""
        self._step("add_offsets")
        if group.generation < 0:
            raise MovedOn("no member")
        self._staged = dict(next_offsets)

    def commit(self, deadline: Deadline) -> None:
        """See `TransactionalSink.commit`."""
        try:
            self._step("commit")
        except StreamError:
            if self.counted:
                self._count()
            raise
        self._count()

    def _count(self) -> None:
        assert self.pending is not None, "no transaction is open"
        self.committed += self.pending
        self.sizes.append(len(self.pending))
        self.offsets |= self._staged
        self.pending, self._staged = None, {}

    def abort(self, deadline: Deadline) -> None:
        """See `TransactionalSink.abort`."""
        self._step("abort")
        self._end()

    def _end(self) -> None:
        self.aborted += self.pending or []
        self.pending, self._staged = None, {}

    def on(self, topic: str) -> list[Sent]:
        """What was committed on a topic, in order."""
        return [sent for sent in self.committed if sent.topic == topic]


def _sent(records: Outgoing) -> list[Sent]:
    return [
        Sent(records.topic, key, value, timestamp, list(headers or ()))
        for key, value, timestamp, headers in records.rows()
    ]
