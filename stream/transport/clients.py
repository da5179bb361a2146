"""Clients of confluent-kafka made from configurations; a property that librdkafka refuses is a setting's error."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TypeVar

from confluent_kafka import KafkaException, libversion

from stream.errors import SettingsError
from stream.nearest import did_you_mean
from stream.transport.faults import unwrap

__all__ = ["client_version", "make_client"]

T = TypeVar("T")

_COMMON = (
    "client.id",
    "client.rack",
    "compression.type",
    "fetch.max.bytes",
    "group.instance.id",
    "group.protocol",
    "linger.ms",
    "max.poll.interval.ms",
    "message.max.bytes",
    "sasl.kerberos.keytab",
    "sasl.kerberos.principal",
    "sasl.kerberos.service.name",
    "sasl.mechanism",
    "sasl.mechanisms",
    "sasl.oauthbearer.client.id",
    "sasl.oauthbearer.client.secret",
    "sasl.oauthbearer.method",
    "sasl.oauthbearer.token.endpoint.url",
    "sasl.password",
    "sasl.username",
    "security.protocol",
    "session.timeout.ms",
    "socket.timeout.ms",
    "ssl.ca.location",
    "ssl.certificate.location",
    "ssl.endpoint.identification.algorithm",
    "ssl.key.location",
    "ssl.key.password",
    "transaction.timeout.ms",
)
"""What people set; librdkafka has hundreds, and does not list them at run time."""


def client_version() -> str:
    """librdkafka's."""
    return str(libversion()[0])


def make_client(kind: Callable[..., T], properties: Mapping[str, object]) -> T:
    """
    Make a consumer, producer or admin client; it connects by itself, later.

    Args:
        kind: confluent_kafka's class.
        properties: librdkafka's, by name.
    Raises: SettingsError with librdkafka's words, which name the property.
    """
    try:
        return kind(properties)
    except KafkaException as error:
        words = unwrap(error).str()
    except (TypeError, ValueError) as error:
        words = str(error)
    near = _nearest(words)
    raise SettingsError(
        f"[kafka] properties: {words}",
        hint=f"{near}correct it in [kafka.properties], [kafka.consumer] or [kafka.producer] of stream.toml, or in "
        "STREAM_KAFKA__PROPERTIES and its like",
    )


def _nearest(words: str) -> str:
    """What a property that librdkafka does not know was probably meant to be; nothing when none is near."""
    quoted = re.search(r'No such configuration property: "([^"]+)"', words)
    question = did_you_mean(quoted[1], _COMMON, 0.6) if quoted else ""
    return f"{question} " if question else ""
