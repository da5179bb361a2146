"""One record of a topic, by its place or by its key; what is there instead, where it is gone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass

from stream.errors import Stopped
from stream.records import Batch, Headers, Place
from stream.rights import rights_of
from stream.settings import Settings
from stream.transport import Cluster, OffsetRange, Reader, partition_of_key

__all__ = ["Gone", "KafkaRecord", "TopicRecords", "opened_topic"]

IDLE_S = 30.0
"""So long nothing may come of what is there: a transaction that is still open holds it back for ten seconds."""

FIRST_CHUNK, LARGEST_CHUNK = 2_000, 200_000
"""Offsets that a search reads at once, from the end backwards: what is asked for is mostly new."""


@dataclass(frozen=True, slots=True)
class KafkaRecord:
    """
    A record as it is on its topic.

    Attributes:
        place: where it is.
        timestamp_ms: since the epoch; 0 where the broker has none.
        key: as it came.
        value: as it came; None is a null value (a tombstone).
        headers: as they came.
    """

    place: Place
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: Headers

    @classmethod
    def of(cls, batch: Batch, i: int) -> KafkaRecord:
        """Record i of a batch."""
        return cls(
            batch.place(i), batch.timestamps_ms[i], batch.keys[i], batch.values[i], batch.headers[i] or ()
        )


@dataclass(frozen=True, slots=True)
class Gone:
    """
    There is no record at a place.

    Attributes:
        why: for people.
        never: whether there can't have been one since the topic was made.
    """

    why: str
    never: bool = False


class TopicRecords:
    """The committed records of a topic up to now."""

    def __init__(self, reader: Reader, topic: str) -> None:
        """
        Args:
            reader: of the topic; it is asked for its ends now: what comes later is not read.
            topic: its name.
        Raises: Stopped when the broker does not answer.
        """
        self._reader = reader
        self.topic = topic
        self.ends = reader.ends()
        """Per partition the earliest offset and the one after the last; empty when the topic is not there."""

    @property
    def most(self) -> int:
        """Records that there are at most: offsets are counted, and the ends of transactions take some."""
        return sum(high - low for low, high in self.ends.values())

    def at(self, partition: int, offset: int) -> KafkaRecord | Gone:
        """The record at a place, or why there is none. Raises: Stopped as `newest_of`."""
        if partition not in self.ends:
            has = f"has partitions 0 to {len(self.ends) - 1} only" if self.ends else "is not there"
            return Gone(f"the topic {self.topic} {has}", never=True)
        low, high = self.ends[partition]
        name = f"{self.topic}[{partition}]"
        if offset < 0:
            return Gone(f"{name} can't have an offset {offset}", never=True)
        if offset >= high:
            has = f"ends at offset {high - 1}" if high > low else "has no records"
            return Gone(f"{name} {has}, so {offset} is not there: it may have been made anew", never=True)
        if offset < low:
            return Gone(f"{name} begins at offset {low}: the record was deleted (retention, or by hand)")
        first = next(self._range(OffsetRange(partition, offset, high, records=1)), None)
        if first is None or first.offsets[0] != offset:
            there = "nothing after it" if first is None else f"the next record is at {first.offsets[0]}"
            return Gone(
                f"{name} has no record at offset {offset}, {there}: it was compacted away, or is the end or the "
                "aborted part of a transaction"
            )
        return KafkaRecord.of(first, 0)

    def newest_of(
        self, key: bytes, *, every: bool = False, tell: Callable[[int], None] = lambda done: None
    ) -> list[KafkaRecord]:
        """
        The records with a key, from the newest of its own partition on.

        Args:
            key: as it is on the wire.
            every: all that there are; else those of the newest stretch that has one.
            tell: called with how many offsets were gone through.
        Returns: of the key's partition first, then of the others; in each from the highest offset down.
        Raises: Stopped when the broker refuses, or nothing comes of what should be there. Blocks while it reads.
        """
        found: list[KafkaRecord] = []
        done = 0
        for partition in self._order(key):
            for chunk in _backwards(partition, *self.ends[partition]):
                matches = [each for batch in self._range(chunk) for each in _with_key(batch, key)]
                found += reversed(matches)
                done += chunk.end - chunk.start
                tell(done)
                if found and not every:
                    return found
        return found

    def _order(self, key: bytes) -> list[int]:
        """The key's own partition first: another producer, or a topic with fewer partitions once, used others."""
        if not self.ends:
            return []
        first = partition_of_key(key, len(self.ends))
        return [first, *(partition for partition in self.ends if partition != first)]

    def _range(self, wanted: OffsetRange) -> Iterator[Batch]:
        self._reader.read([wanted])
        yield from self._reader.batches(IDLE_S)
        if not self._reader.finished:
            raise Stopped(
                f"{self.topic}[{wanted.partition}]: nothing came for {IDLE_S:.0f} s, though there are offsets up to "
                f"{wanted.end}",
                hint="a transaction may be hanging: kafka-transactions.sh find-hanging; or look at the brokers",
            )


def _backwards(partition: int, low: int, high: int) -> Iterator[OffsetRange]:
    size = FIRST_CHUNK
    while high > low:
        start = max(low, high - size)
        yield OffsetRange(partition, start, high)
        high, size = start, min(LARGEST_CHUNK, size * 10)


def _with_key(batch: Batch, key: bytes) -> Sequence[KafkaRecord]:
    if key not in batch.keys:
        return ()
    return [KafkaRecord.of(batch, i) for i, each in enumerate(batch.keys) if each == key]


@contextmanager
def opened_topic(settings: Settings, topic: str, *, required: bool = False) -> Iterator[TopicRecords]:
    """
    A topic of the configuration, to look for records.

    Args:
        settings: the configuration.
        topic: its name.
        required: whether it must be there.
    Raises: Stopped when it is required and not there, or the broker does not answer or refuses.
    """
    cluster = Cluster(settings.kafka, rights_of("explain", settings))
    if required:
        cluster.require(topic)
    else:
        cluster.partitions()  # the first answer tells missing rights
    with cluster.naming_refusals(), closing(Reader(settings.kafka, topic, ())) as reader:
        yield TopicRecords(reader, topic)
