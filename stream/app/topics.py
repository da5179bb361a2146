"""The topics that a configuration needs."""

from __future__ import annotations

from stream.settings import Settings
from stream.transport.topic_admin import WantedTopic

__all__ = ["DEAD_LETTER_ROOM", "wanted_topics"]

DEAD_LETTER_ROOM = 65_536
"""Bytes that the dead-letter topic takes beyond the input's largest record: headers that say why."""


def wanted_topics(settings: Settings, input_max_bytes: int | None) -> list[WantedTopic]:
    """
    The topics that a configuration needs, as `stream topics --create` makes them.

    Args:
        settings: the configuration.
        input_max_bytes: the input topic's largest record, when it exists already; Kafka's default otherwise.
    """
    partitions, replication = settings.input.partitions, settings.input.replication
    largest = (input_max_bytes or 1_048_588) + DEAD_LETTER_ROOM
    room = {"max.message.bytes": str(largest), "compression.type": "lz4"}
    return [
        WantedTopic(settings.input.topic, "input", partitions, replication),
        WantedTopic(settings.output.topic, "output", partitions, replication),
        WantedTopic(settings.dead_letters.topic, "dead letters", partitions, replication, room),
    ]
