"""Clients of confluent-kafka made from configurations; a property that librdkafka refuses is a setting's error."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from confluent_kafka import KafkaException

from stream.errors import SettingsError
from stream.transport.faults import unwrap

__all__ = ["make_client"]


def make_client(kind: Callable[..., Any], properties: Mapping[str, Any]) -> Any:
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
    raise SettingsError(
        f"[kafka] properties: {words}",
        mend="correct the property in [kafka.properties], [kafka.consumer] or [kafka.producer]",
    )
