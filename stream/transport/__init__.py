"""Kafka: the only room that knows confluent-kafka."""

from stream.transport.group_metadata import GroupMetadata
from stream.transport.mock import EmbeddedBroker
from stream.transport.outbox import Refusal
from stream.transport.reader import OffsetRange, Reader
from stream.transport.sink import Sink
from stream.transport.source import Limits, Listener, Source
from stream.transport.transactions import TransactionalSink

__all__ = [
    "EmbeddedBroker",
    "GroupMetadata",
    "Limits",
    "Listener",
    "OffsetRange",
    "Reader",
    "Refusal",
    "Sink",
    "Source",
    "TransactionalSink",
]
