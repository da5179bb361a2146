"""What the client says of its connections: the last error, and whether it can go on."""

from __future__ import annotations

import logging
import time

from confluent_kafka import KafkaError

from stream.shown import shown

__all__ = ["Connection"]

log = logging.getLogger(__name__)

REPEAT_S = 30.0
"""The same error is logged once in so many seconds: librdkafka repeats them about once a second."""


class Connection:
    """Takes librdkafka's global errors. Its callback runs in the thread that polls the client."""

    def __init__(self) -> None:
        self.fatal: KafkaError | None = None
        """The error after which the client can't go on."""
        self.trouble = ""
        """The last error that was not fatal, for people."""
        self._logged_at: dict[int, float] = {}

    def on_error(self, error: KafkaError) -> None:
        """Note an error of the client and log it, each kind at most twice a minute."""
        if error.fatal():
            self.fatal = error
        self.trouble = shown(f"{error.name()}: {error.str()}")
        now = time.monotonic()
        if now - self._logged_at.get(error.code(), -REPEAT_S) >= REPEAT_S:
            self._logged_at[error.code()] = now
            log.warning("kafka client: %s", self.trouble)
