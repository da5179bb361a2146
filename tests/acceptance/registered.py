"""The other ends of a registry: Confluent's own serialisers, as producers and consumers use them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

from tests.acceptance import visits
from tests.acceptance.visits import Event
from tests.kafka.process import wait_for

__all__ = ["Stock", "version", "visit_schema"]

READ_S = 60.0


def visit_schema(*fields: tuple[str, object], **defaults: object) -> str:
    """A version of the visits' schema: names with their types, in order; some with a default."""
    listed = [
        {"name": name, "type": kind, **({"default": defaults[name]} if name in defaults else {})}
        for name, kind in fields
    ]
    return json.dumps({"type": "record", "name": "Visit", "namespace": "tests.acceptance", "fields": listed})


def version(text: str) -> Callable[[int], dict[str, Any]]:
    """Makes visit n as this version of the schema holds it."""
    types = {field["name"]: field["type"] for field in json.loads(text)["fields"]}

    def made(number: int) -> dict[str, Any]:
        row = {**visits.visit(number), "shop": "north"}
        if types.get("seconds") == "int":
            row["seconds"] = int(row["seconds"] or 0)
        return {name: row[name] for name in types}

    return made


class Stock:
    """Confluent's client of one registry."""

    def __init__(self, url: str) -> None:
        """
        Args:
            url: of the registry.
        """
        self.client = SchemaRegistryClient({"url": url})

    def close(self) -> None:
        """Close its connections."""
        self.client.close()

    def register(self, topic: str, text: str) -> int:
        """The id of a schema under a topic's subject."""
        return int(self.client.register_schema(f"{topic}-value", Schema(text, "AVRO")))

    def events(
        self, topic: str, text: str, numbers: Iterable[int], conf: Mapping[str, Any] | None = None
    ) -> list[Event]:
        """Visits by Confluent's serialiser, which registers the schema as it is configured to."""
        write = AvroSerializer(self.client, text, conf=dict(conf or {}))
        made, events = version(text), []
        for number in numbers:
            headers: list[tuple[str, str | bytes | None]] = []
            context = SerializationContext(topic, MessageField.VALUE, headers)
            value = write(made(number), context)
            held = [(name, content) for name, content in headers if not isinstance(content, str)]
            events.append(Event(b"%d" % number, value, 1_700_000_000_000 + number, held))
        return events

    def read(self, bootstrap: str, topic: str, count: int) -> list[dict[str, Any]]:
        """The first so many values of a topic, by Confluent's deserialiser."""
        read = AvroDeserializer(self.client)
        found: list[dict[str, Any]] = []
        for message in records(bootstrap, topic, count):
            headers = list(message.headers() or [])
            context = SerializationContext(topic, MessageField.VALUE, headers)
            found.append(read(message.value(), context))
        return found


def records(bootstrap: str, topic: str, count: int) -> list[Any]:
    """The first so many records of a topic, as they come."""
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "onlooker",
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "log_level": 0,
        }
    )
    found: list[Any] = []

    def there() -> bool:
        found.extend(m for m in consumer.consume(count - len(found), 0.2) if m.error() is None)
        return len(found) >= count

    try:
        partitions = consumer.list_topics(topic, timeout=READ_S).topics[topic].partitions
        consumer.assign([TopicPartition(topic, p, 0) for p in partitions])
        wait_for(there, READ_S, f"{count} records of {topic}, {len(found)} are there")
    finally:
        consumer.close()
    return found
