"""Sends the feed at a steady rate in a thread of its own, and no faster than it comes back."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait

from stream.demo.ledger import Ledger
from stream.tasks import Message, replay
from stream.transport import Sink

__all__ = ["MAX_LAG", "Sender"]

MAX_LAG = 10_000
"""Maximum number of events that were sent and have not come back. The embedded broker keeps 5 MiB of a partition and
drops older records silently; that many flights (130 bytes, and as many for Kafka) fit even under one key."""

LOOK_S = 0.01
"""Between two checks whether the lag has shrunk."""


class Sender:
    """Use as a context manager: leaving it ends the sending."""

    def __init__(self, ledger: Ledger, sink: Sink, topic: str, rate: float, max_lag: int = MAX_LAG) -> None:
        """
        Args:
            ledger: what to send; the moment of each is noted there.
            sink: the producer.
            topic: where to.
            rate: events per second.
            max_lag: events sent and not come back; above it, nothing more is sent.
        """
        self._ledger = ledger
        self._sink = sink
        self._topic = topic
        self._rate = rate
        self._max_lag = max_lag
        self._stop = threading.Event()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="sender")
        self._result: Future[int] | None = None

    def __enter__(self) -> Sender:
        self._result = self._pool.submit(
            replay, self._stamped(), self._sink, self._topic, self._rate, pause=self._pause
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        while self._result is not None and not self._result.done():
            # Left before the end: nobody waits for acknowledgements any more, least of all of a dead broker.
            self._sink.discard()
            wait([self._result], timeout=LOOK_S)
        self._pool.shutdown()

    def check(self) -> bool:
        """
        Whether all is sent and acknowledged. Does not block.

        Raises: what ended the sending: DeliveryFailed and other Stopped.
        """
        if self._result is None or not self._result.done():
            return False
        self._result.result()
        return True

    def _stamped(self) -> Iterator[Message]:
        for message in self._ledger.feed.messages:
            if self._stop.is_set():
                return
            if message.key is not None:
                self._ledger.sent_at[message.key.decode()] = time.monotonic()
            yield message

    def _pause(self, seconds: float) -> None:
        self._stop.wait(seconds)
        while self._ledger.lag > self._max_lag and not self._stop.is_set():
            self._stop.wait(LOOK_S)
