"""Rows → events on a topic, at a given rate: behind `stream produce` and the demo."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from stream.deadline import Deadline
from stream.errors import DeliveryFailed
from stream.records import Outgoing
from stream.transport import Sink

__all__ = ["Message", "replay"]

CHUNK = 500
"""Maximum number of events sent at a time; at a low rate, those that are due every 20 ms."""

TICK_S = 0.02

ACKNOWLEDGE_S = 120.0
"""Time for the last events to be acknowledged."""


@dataclass(frozen=True, slots=True)
class Message:
    """
    A record to send.

    Attributes:
        key: of the record, or None.
        value: framed Avro, or whatever else is to be sent.
        timestamp_ms: since the epoch; 0 = now.
    """

    key: bytes | None
    value: bytes | None
    timestamp_ms: int = 0


def replay(
    messages: Iterable[Message],
    sink: Sink,
    topic: str,
    rate: float | None,
    pause: Callable[[float], object] = time.sleep,
    progress: Callable[[int], object] = lambda sent: None,
) -> int:
    """
    Send messages in order.

    Args:
        messages: what to send.
        sink: the producer.
        topic: where to.
        rate: events per second; None = as fast as the broker takes them.
        pause: waits for the given number of seconds.
        progress: called with the number handed over so far.
    Returns: how many were sent; all are acknowledged.
    Raises: DeliveryFailed when the broker refused one; Stopped when it can't be reached; what `messages`
        raises, after the ones before have been acknowledged.
    """
    started, sent = time.monotonic(), 0
    chunk: list[Message] = []
    try:
        for message in messages:
            chunk.append(message)
            if len(chunk) >= _chunk_size(rate):
                sent = _send(chunk, sink, topic, sent)
                progress(sent)
                chunk = []
                if rate is not None:
                    pause(max(0.0, started + sent / rate - time.monotonic()))
    finally:
        sent = _send(chunk, sink, topic, sent)
        refused = sink.flush(Deadline.after(ACKNOWLEDGE_S))
        progress(sent)
    if refused:
        raise DeliveryFailed(
            f"{topic} refused {len(refused)} of {sent} events, the first: {refused[0].message}",
            hint="raise the topic's max.message.bytes, or look at the event's timestamp",
        )
    return sent


def _chunk_size(rate: float | None) -> int:
    return CHUNK if rate is None else max(1, min(CHUNK, int(rate * TICK_S)))


def _send(chunk: list[Message], sink: Sink, topic: str, sent: int) -> int:
    keys = [m.key for m in chunk]
    values = [m.value for m in chunk]
    sink.send(Outgoing(topic, keys, values, [m.timestamp_ms for m in chunk], [None] * len(chunk)))
    return sent + len(chunk)
