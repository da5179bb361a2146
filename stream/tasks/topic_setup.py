"""The topics that a configuration needs: looked at, and made."""

from __future__ import annotations

from stream.rights import rights_of
from stream.settings import Settings
from stream.transport import Cluster, TopicState, WantedTopic

__all__ = ["DEAD_LETTER_ROOM", "register_prediction", "set_up_topics", "wanted_topics"]

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


def set_up_topics(settings: Settings, *, create: bool) -> list[TopicState]:
    """
    Look at the topics that a configuration needs.

    Args:
        settings: the configuration.
        create: make those that are not there.
    Returns: their states, as they are afterwards.
    Raises: Stopped when no broker answers, or it refuses.
    """
    cluster = Cluster(settings.kafka, rights_of("topics --create" if create else "topics", settings))
    cluster.partitions()  # whether a broker answers at all, before anything else waits for it
    wanted = wanted_topics(settings, cluster.max_message_bytes(settings.input.topic))
    with cluster.naming_refusals():
        return cluster.create(wanted) if create else cluster.look(wanted)


def register_prediction(settings: Settings) -> tuple[str, int] | None:
    """
    Register the schema of the configuration's predictions.

    Returns: the schema's name and the id that the registry has for it; None where the framing asks for no registry.
    Raises: PackageError, SettingsError, SchemaError; Retriable or BrokerRefused as the registry answers.
    """
    if settings.framing("output") != "confluent":
        return None
    # Imported only here: Arrow and the codecs take a second, and without a registry nothing needs them.
    from stream.resources import package_schema, prefix_of

    schema = package_schema(settings, "prediction.avsc")
    prefix = prefix_of(settings, "output", schema, register=True)
    return schema.name, int.from_bytes(prefix[1:], "big")
