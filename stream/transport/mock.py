"""librdkafka's mock cluster as an embedded broker: for the demo and for tests; nothing is kept."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from confluent_kafka import Producer

from stream.deadline import Deadline

__all__ = ["EmbeddedBroker"]

log = logging.getLogger(__name__)

START_S = 10.0
"""To wait for the cluster's own metadata; it takes some milliseconds."""


class EmbeddedBroker:
    """
    A broker inside this process that other processes reach over TCP on the loopback.

    It keeps 5 MiB or 100,000 records per partition and silently drops older ones; every topic has four
    partitions; transactions only pretend (docs/guarantees.md, "The embedded broker").
    Source: librdkafka, `test.mock.num.brokers` and src/rdkafka_mock.c.
    """

    def __init__(self) -> None:
        """Starts at once; blocks for some milliseconds."""
        self._client: Any = Producer({"test.mock.num.brokers": 1, "log_level": 3})
        brokers = self._client.list_topics(timeout=START_S).brokers.values()
        self.bootstrap_servers = ",".join(f"{b.host}:{b.port}" for b in brokers)

    def create(self, topics: Sequence[str]) -> None:
        """
        Create topics; the mock has no call for it: asking for a topic creates it.

        Args:
            topics: names.
        Raises: TimeoutError when a topic has no partitions after some seconds.
        """
        for topic in topics:
            deadline = Deadline.after(START_S)
            while not self._client.list_topics(topic, timeout=START_S).topics[topic].partitions:
                if deadline.over:
                    raise TimeoutError(f"the embedded broker did not create topic {topic}")

    def close(self) -> None:
        """Stop the broker; its records are gone."""
        self._client.flush(0)
        self._client = None
