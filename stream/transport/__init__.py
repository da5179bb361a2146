"""Kafka: the only room that knows confluent-kafka."""

from stream.transport.deadline import Deadline
from stream.transport.mock import EmbeddedBroker
from stream.transport.reader import Reader
from stream.transport.sink import Refusal, Sink
from stream.transport.source import Limits, Listener, Source

__all__ = ["Deadline", "EmbeddedBroker", "Limits", "Listener", "Reader", "Refusal", "Sink", "Source"]
