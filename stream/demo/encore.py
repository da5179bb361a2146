"""The flights once more, and again: for as long as somebody may be looking at the live page."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from itertools import cycle, takewhile

from stream.tasks import Message, replay
from stream.transport import Sink

__all__ = ["Encore"]

MOST_PER_S = 1_000.0
"""Nobody counts these or holds them back: slow enough for any worker, since the embedded broker drops old ones."""


LOOK_S = 0.01
"""Between two checks whether the sending has ended."""


class Encore:
    """Use as a context manager: leaving it ends the sending."""

    def __init__(self, messages: Sequence[Message], sink: Sink, topic: str, rate: float) -> None:
        """
        Args:
            messages: sent from the first to the last, over and over.
            sink: the producer.
            topic: where to.
            rate: events per second; 1,000 at most.
        """
        self._messages = messages
        self._sink = sink
        self._topic = topic
        self._rate = min(rate, MOST_PER_S)
        self._stop = threading.Event()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="encore")
        self._result: Future[int] | None = None

    def __enter__(self) -> Encore:
        endless = takewhile(lambda _: not self._stop.is_set(), cycle(self._messages))
        self._result = self._pool.submit(
            replay, endless, self._sink, self._topic, self._rate, pause=self._stop.wait
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        while self._result is not None and not self._result.done():
            self._sink.discard()  # nobody waits for acknowledgements any more
            wait([self._result], timeout=LOOK_S)
        self._pool.shutdown()

    def check(self) -> None:
        """Raises what ended the sending: Stopped, DeliveryFailed. Does not block."""
        if self._result is not None and self._result.done():
            self._result.result()
