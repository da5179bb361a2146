"""A producer that goes on while things are broken around it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from confluent_kafka import Producer

from tests.acceptance import visits
from tests.acceptance.visits import Event

__all__ = ["Feed"]

TICK_S = 0.05

FLUSH_S = 90.0
"""A broker that was killed answers again after some 5 s; several times that on a busy machine."""


class Feed:
    """Sends events 0, 1, 2, … at a steady rate from a thread of its own. Use as a context."""

    def __init__(
        self,
        bootstrap: str,
        topic: str,
        per_second: int,
        event: Callable[[int], Event] = visits.event,
        transactional_id: str | None = None,
    ) -> None:
        """
        Args:
            bootstrap: the broker.
            topic: where to.
            per_second: events.
            event: makes event n.
            transactional_id: sends each chunk in a transaction, and every third one in an aborted transaction before.
        """
        self.sent = 0
        """Handed over so far; all of them acknowledged after `stop`."""
        self._failed: list[str] = []
        self._transactional = transactional_id is not None
        self._producer = Producer(
            {
                **({"transactional.id": transactional_id} if transactional_id else {}),
                "bootstrap.servers": bootstrap,
                "acks": "all",
                "enable.idempotence": True,
                "partitioner": "murmur2_random",
                "delivery.report.only.error": True,
                "on_delivery": lambda error, message: self._failed.append(str(error)),
                "queue.buffering.max.messages": 1_000_000,
                "log_level": 0,
            }
        )
        self._topic = topic
        self._event = event
        self._chunk = max(1, int(per_second * TICK_S))
        self._more = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="feed", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def burst(self, count: int) -> None:
        """Send this many additional events with the next ones. Does not block."""
        self._more = count

    def stop(self) -> int:
        """Block until all is acknowledged; how many were sent."""
        self._over.set()
        self._thread.join()
        left = self._producer.flush(FLUSH_S)
        assert ([], 0) == (self._failed, left)
        return self.sent

    def _run(self) -> None:
        if self._transactional:
            self._producer.init_transactions(FLUSH_S)
        while not self._over.wait(TICK_S):
            more, self._more = self._more, 0
            numbers = range(self.sent, self.sent + self._chunk + more)
            if self._transactional and self.sent // self._chunk % 3 == 0:
                self._send(numbers, commits=False)
            self._send(numbers)
            self._producer.poll(0)
            self.sent += self._chunk + more

    def _send(self, numbers: range, *, commits: bool = True) -> None:
        if self._transactional:
            self._producer.begin_transaction()
        for each in map(self._event, numbers):
            self._producer.produce(
                self._topic, each.value, each.key, timestamp=each.timestamp_ms, headers=list(each.headers)
            )
        if self._transactional:
            self._producer.flush(FLUSH_S)
            (self._producer.commit_transaction if commits else self._producer.abort_transaction)(FLUSH_S)
