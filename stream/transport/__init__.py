"""Kafka: the only room that knows confluent-kafka."""

from stream.transport.consumer_group import GroupMetadata
from stream.transport.failed_records import Refusal
from stream.transport.mock import EmbeddedBroker
from stream.transport.outbox import BY_KEY
from stream.transport.reader import OffsetRange, Reader, first_and_last
from stream.transport.sink import Sink
from stream.transport.source import Listener, Source
from stream.transport.topic_admin import Cluster, TopicState, WantedTopic
from stream.transport.transactions import TransactionalSink

__all__ = [
    "BY_KEY",
    "Cluster",
    "EmbeddedBroker",
    "GroupMetadata",
    "Listener",
    "OffsetRange",
    "Reader",
    "Refusal",
    "Sink",
    "Source",
    "TopicState",
    "TransactionalSink",
    "WantedTopic",
    "first_and_last",
]
