"""Records that were not written: as the client reports them, and as what they are refused for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from confluent_kafka import KafkaError

from stream.records import Headers

__all__ = ["Failed", "OnFailed", "Refusal"]


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
