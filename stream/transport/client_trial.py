"""A worker's clients, made and closed again: does librdkafka take their properties, and are there transactions?"""

from __future__ import annotations

from dataclasses import replace

from confluent_kafka import Consumer

from stream.deadline import Deadline
from stream.settings import KafkaSettings
from stream.transport.clients import make_client
from stream.transport.properties import consumer_properties
from stream.transport.transactions import TransactionalSink

__all__ = ["probe_clients", "try_transactions"]


def probe_clients(kafka: KafkaSettings, transactional_id: str) -> None:
    """
    Make a worker's consumer and producer, and close them; nothing is asked of a broker.

    Args:
        kafka: the cluster.
        transactional_id: of the producer.
    Raises: SettingsError for a property that is not to be set, or that librdkafka refuses.
    """
    make_client(Consumer, consumer_properties(kafka, lambda error: None)).close()
    TransactionalSink(kafka, transactional_id).close()


def try_transactions(kafka: KafkaSettings, transactional_id: str, deadline: Deadline) -> None:
    """
    Take a transactional id, and do nothing with it.

    Args:
        kafka: the cluster.
        transactional_id: whose producers are fenced by this; no worker's.
        deadline: for the coordinator's answer.
    Raises: Retriable when it does not answer in time; BrokerRefused for missing rights or a time-out that the broker
        does not allow; another kind of Stopped, or OutcomeUnknown.
    """
    # Silent: what the client would log of its refusal is raised.
    quiet = replace(kafka, properties={**kafka.properties, "log_level": 0})
    sink = TransactionalSink(quiet, transactional_id)
    try:
        sink.start(deadline)
    finally:
        sink.close()
