"""Getting an answer at all: a broker that does not let us in is distinguished from one that is away."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import TypeVar

from confluent_kafka import KafkaError, KafkaException

from stream.deadline import Deadline
from stream.errors import BrokerRefused
from stream.settings import KafkaSettings
from stream.transport.handshake import knock

__all__ = ["Entry"]

STEP_S = 2.0
"""Between two checks for a refusal; an answer takes some milliseconds, a connection by TLS half a second."""

KNOCK_AGAIN_S = 30.0
"""A server that is up but does not answer is examined once in so many seconds."""

T = TypeVar("T")


class Entry:
    """Listens to what librdkafka says of its connections, and knocks itself where that is too little."""

    def __init__(self, kafka: KafkaSettings) -> None:
        """
        Args:
            kafka: the cluster, and how to reach it.
        """
        self._kafka = kafka
        self._refused: BrokerRefused | None = None
        self._knocked: float | None = None

    def on_error(self, error: KafkaError) -> None:
        """librdkafka's `error_cb`."""
        if error.code() == KafkaError._AUTHENTICATION:
            self._refused = _sasl(error)

    def let_in(self, ask: Callable[[float], T], poll: Callable[[float], object], timeout_s: float) -> T:
        """
        Ask until there is an answer.

        Args:
            ask: the question; takes the seconds that it may wait.
            poll: the client's; it serves `on_error`.
            timeout_s: for all.
        Raises: KafkaException, the last one, when time is over; BrokerRefused as soon as it is known that no
            answer will come: wrong password, certificate or protocol.
        """
        deadline = Deadline.after(timeout_s)
        while True:
            try:
                return ask(max(0.1, deadline.left_s(STEP_S)))
            except KafkaException:
                poll(0)
                self._raise_refusal()
                if deadline.over:
                    raise
                time.sleep(deadline.left_s(0.1))

    def _raise_refusal(self) -> None:
        refused, self._refused = self._refused, None
        if refused is None and (self._knocked is None or time.monotonic() - self._knocked > KNOCK_AGAIN_S):
            refused = knock(self._kafka)
            self._knocked = time.monotonic()
        if refused is not None:
            raise refused


def _sasl(error: KafkaError) -> BrokerRefused:
    text = re.sub(r" \(after \d+ms in state \w+.*?\)", "", error.str())
    if "Unsupported SASL mechanism" in text:
        return BrokerRefused(text, hint='set "sasl.mechanism" to one that the broker supports')
    if "current SASL state" in text:
        # This listener asks for no SASL: our first handshake was a request that it does not expect.
        return BrokerRefused(
            f"{text}: the listener at this port does not ask for a user",
            hint='set "security.protocol" in [kafka.properties] to "PLAINTEXT" or "SSL", or take the port of the '
            "broker's SASL listener in `[kafka] bootstrap_servers`",
        )
    return BrokerRefused(text, hint='correct "sasl.username" and "sasl.password", or have the user made')
