"""An onlooker that shares no code with the product: reads what is committed, and counts by input record."""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import fastavro
from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import KafkaError

from tests.acceptance.process import Process
from tests.kafka.process import wait_for

__all__ = ["Origin", "Outputs", "Seen", "ends", "high_of", "murmur2", "reading"]

Origin: TypeAlias = tuple[int, int]
"""Partition and offset of an input record."""

READ_S = 60.0
"""For everything that is expected; nothing in the default run takes half of it alone on two cores."""

ASK_S = 10.0
"""For one answer of a broker."""

_AWAY = {
    KafkaError._TRANSPORT,
    KafkaError._ALL_BROKERS_DOWN,
    KafkaError._RESOLVE,
    KafkaError._UNKNOWN_TOPIC,
    KafkaError._UNKNOWN_PARTITION,
    KafkaError.UNKNOWN_TOPIC_OR_PART,
}
"""Said while a broker is away, or a topic that a test has deleted."""

PREFIX_BYTES = 10
"""Avro's single-object encoding: C3 01 and 8 bytes of fingerprint."""


@dataclass(frozen=True)
class Seen:
    """A record of the output or dead-letter topic; `fields` is the decoded prediction."""

    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    timestamp_ms: int
    headers: list[tuple[str, bytes | None]]
    fields: dict[str, Any] = field(default_factory=dict)

    def header(self, name: str) -> str:
        """The one header of this name, as text."""
        [value] = [value for key, value in self.headers if key == name]
        assert value is not None
        return value.decode()

    @property
    def origin(self) -> Origin:
        """Which input record it came from: by the prediction's fields, or by the dead letter's headers."""
        if self.fields:
            return self.fields["source_partition"], self.fields["source_offset"]
        return int(self.header("__connect.errors.partition")), int(self.header("__connect.errors.offset"))


class Outputs:
    """What has come out so far."""

    def __init__(self, consumer: Consumer, output: str, dead: str, schema: Any) -> None:
        self.predictions: list[Seen] = []
        self.letters: list[Seen] = []
        self.count: Counter[Origin] = Counter()
        """Outputs per input record."""
        self._consumer = consumer
        self._output = output
        self._dead = dead
        self._schema = schema
        self._ended: dict[tuple[str, int], int] = {}

    @property
    def doubled(self) -> int:
        """Outputs beyond the first of each input record."""
        return self.count.total() - len(self.count)

    @property
    def places(self) -> list[TopicPartition]:
        """The partitions that are read."""
        return self._consumer.assignment()

    def poll(self, wait_s: float = 0.2) -> int:
        """Take the records that are there; returns how many."""
        messages = self._consumer.consume(5_000, wait_s)
        for message in messages:
            error = message.error()
            if error is None:
                self._take(message)
            elif error.code() == KafkaError._PARTITION_EOF:
                self._ended[str(message.topic()), int(message.partition() or 0)] = int(message.offset() or 0)
            elif not error.retriable() and error.code() not in _AWAY:
                raise AssertionError(f"the reader can't read: {error}")
        return len(messages)

    def _take(self, message: Any) -> None:
        value = message.value()
        fields: dict[str, Any] = {}
        if message.topic() == self._output and value is not None:
            fields = fastavro.schemaless_reader(io.BytesIO(value[PREFIX_BYTES:]), self._schema, None)  # type: ignore[assignment]
        seen = Seen(
            message.partition(),
            message.offset(),
            message.key(),
            value,
            message.timestamp()[1],
            list(message.headers() or []),
            fields,
        )
        (self.letters if message.topic() == self._dead else self.predictions).append(seen)
        if fields or message.topic() == self._dead:
            self.count[seen.origin] += 1

    def again(self) -> None:
        """Read the output topic from its first record on: it was deleted and created again under the same name."""
        places = [
            TopicPartition(tp.topic, tp.partition, 0 if tp.topic == self._output else max(0, tp.offset))
            for tp in self._consumer.position(self.places)
        ]
        self._ended.clear()
        self._consumer.unassign()
        self._consumer.assign(places)

    def until(self, condition: Callable[[], bool], what: str, timeout_s: float = READ_S) -> Outputs:
        """Read until `condition()`."""

        def met() -> bool:
            self.poll()
            return condition()

        wait_for(
            met, timeout_s, f"{what}: {len(self.predictions)} predictions, {len(self.letters)} dead letters"
        )
        return self

    def inputs(self, count: int, by: Process | None = None, timeout_s: float = READ_S) -> Outputs:
        """
        Read until so many different input records have an output.

        Args:
            count: of input records.
            by: who makes them; when it ends before, that is the failure.
            timeout_s: for all of them.
        """

        def there() -> bool:
            if by is not None and not by.running and not self.poll(1.0):
                raise AssertionError(f"{by.name} ended, {len(self.count)} of {count} inputs have an output")
            return len(self.count) >= count

        return self.until(there, f"outputs of {count} inputs, {len(self.count)} have one", timeout_s)

    def to_end(self) -> Outputs:
        """Read everything that is on both topics now."""
        targets = {(tp.topic, tp.partition): high_of(self._consumer, tp) for tp in self.places}
        return self.until(
            lambda: all(self._ended.get(each, -1) >= end for each, end in targets.items()),
            "the end of both topics",
        )


@contextmanager
def reading(bootstrap: str, output: str, dead: str, package: Path) -> Iterator[Outputs]:
    """
    Read both topics from their first record on, committed records only.

    Args:
        bootstrap: the broker.
        output: topic of predictions, in Avro's single-object encoding.
        dead: topic of dead letters.
        package: whose `prediction.avsc` the predictions are written with.
    """
    version = (package / "current").read_text().strip()
    schema = fastavro.parse_schema(
        json.loads((package / "versions" / version / "prediction.avsc").read_text())
    )
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "onlooker",
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            # The end of a partition is told, also where what ends it is a transaction's marker.
            "enable.partition.eof": True,
            "fetch.wait.max.ms": 50,
            "log_level": 0,
        }
    )
    try:
        consumer.assign([TopicPartition(t, p, 0) for t in (output, dead) for p in _partitions(consumer, t)])
        yield Outputs(consumer, output, dead, schema)
    finally:
        consumer.close()


def _partitions(client: Consumer | AdminClient, topic: str) -> list[int]:
    """A topic's partitions; a topic that was just created may not be visible for some milliseconds."""
    found: list[int] = []

    def there() -> bool:
        known = client.list_topics(timeout=READ_S).topics.get(topic)
        found[:] = [] if known is None else sorted(known.partitions)
        return bool(found)

    wait_for(there, READ_S, f"topic {topic}")
    return found


def high_of(consumer: Consumer, place: TopicPartition) -> int:
    """
    The offset after a partition's last record; with `read_committed`, after the last that is committed.

    A broker that was killed or stood still says for some seconds that it does not lead: it is asked again.
    """
    found: list[int] = []

    def told() -> bool:
        try:
            found.append(consumer.get_watermark_offsets(place, timeout=ASK_S)[1])
        except KafkaException:
            return False
        return True

    wait_for(told, READ_S, f"the end of {place.topic}[{place.partition}]")
    return found[0]


def ends(bootstrap: str, group: str, topic: str) -> tuple[dict[int, int], dict[int, int]]:
    """Per partition: the group's committed offset, and the offset after the last record."""
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
    partitions = [TopicPartition(topic, p) for p in _partitions(admin, topic)]
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": group, "log_level": 0})
    try:
        committed = {tp.partition: tp.offset for tp in consumer.committed(partitions, timeout=READ_S)}
        high = {tp.partition: high_of(consumer, tp) for tp in partitions}
    finally:
        consumer.close()
    return committed, high


def murmur2(data: bytes) -> int:
    """
    Kafka's murmur2, as an unsigned 32-bit number.

    Source: org.apache.kafka.common.utils.Utils.murmur2 (Apache Kafka, clients).
    """
    seed, m, r, mask = 0x9747B28C, 0x5BD1E995, 24, 0xFFFFFFFF
    h = (seed ^ len(data)) & mask
    whole = len(data) - len(data) % 4
    for i in range(0, whole, 4):
        k = int.from_bytes(data[i : i + 4], "little")
        k = (k * m) & mask
        k ^= k >> r
        k = (k * m) & mask
        h = ((h * m) & mask) ^ k
    tail = data[whole:]
    if tail:
        h ^= int.from_bytes(tail, "little")
        h = (h * m) & mask
    h ^= h >> 13
    h = (h * m) & mask
    return h ^ (h >> 15)
