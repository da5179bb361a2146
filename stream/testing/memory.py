"""A sink that keeps what it is sent, and refuses what it is told to refuse."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from stream.deadline import Deadline
from stream.errors import Stopped
from stream.records import Headers
from stream.transport import Refusal

__all__ = ["MemorySink", "Sent"]


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

    def send(
        self,
        topic: str,
        keys: Sequence[bytes | None],
        values: Sequence[bytes | None],
        timestamps_ms: Sequence[int],
        headers: Sequence[Headers | None],
    ) -> None:
        """See `Sink.send`."""
        for key, value, timestamp, header in zip(keys, values, timestamps_ms, headers, strict=True):
            self.waiting.append(Sent(topic, key, value, timestamp, list(header or ())))

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
