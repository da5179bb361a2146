"""A broker of either kind, the members of its groups, and the records they read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from stream.deadline import Deadline
from stream.records import Batch, Headers, Outgoing, Partition
from stream.settings import BatchingSettings, Bytes, InputSettings, KafkaSettings, Seconds
from stream.transport import EmbeddedBroker, Sink, Source
from tests.kafka.process import wait_for
from tests.kafka.topics import Topics

__all__ = [
    "PARTITIONS",
    "READ_S",
    "Cluster",
    "Join",
    "Member",
    "Recorder",
    "Row",
    "joining",
    "rows",
    "send",
]

PARTITIONS = 4
"""What the mock gives every topic, so what the suite asks of the real broker too."""

READ_S = 60.0
"""For one step of the suite; the mock alone takes 3 s to form a group."""


@dataclass
class Cluster:
    """A broker of either kind, and what tests need of it."""

    kind: Literal["mock", "real"]
    bootstrap: str
    topics: Topics
    embedded: EmbeddedBroker | None = None

    def topic(self, base: str, config: Mapping[str, str] | None = None) -> str:
        """A fresh topic with PARTITIONS partitions; the mock has no topic settings."""
        if self.embedded is None:
            return self.topics.create(base, PARTITIONS, config)
        name = self.topics.name(base)
        self.embedded.create([name])
        return name

    def settings(self) -> KafkaSettings:
        """Settings with this test's own consumer group."""
        # Silent: clients outlive the broker at the end of the session, and would say so.
        return KafkaSettings(self.bootstrap, group=self.topics.name("group"), properties={"log_level": 0})


@dataclass
class Recorder:
    """A listener that keeps what it was told."""

    taken: list[Partition] = field(default_factory=list)
    gone: list[tuple[Partition, bool]] = field(default_factory=list)

    def assigned(self, partitions: Sequence[Partition]) -> None:
        """Keep them."""
        self.taken += partitions

    def revoked(self, partitions: Sequence[Partition], *, lost: bool) -> None:
        """Keep them, and whether they were lost."""
        self.gone += [(partition, lost) for partition in partitions]


@dataclass
class Member:
    """A member of a group: a source, what its listener heard, and what it read."""

    source: Source
    heard: Recorder
    topic: str
    rows: list[Row] = field(default_factory=list)

    def poll(self) -> Batch:
        """One poll; its records are kept."""
        batch = self.source.poll(0.1, 10_000, Deadline.after(1.0))
        self.rows += rows(batch)
        return batch

    def read(self, count: int) -> list[Row]:
        """Poll until `count` records are there, or fail."""

        def enough() -> bool:
            self.poll()
            return len(self.rows) >= count

        wait_for(enough, READ_S, f"{count} records of {self.topic}")
        return self.rows

    def owns(self, indices: Sequence[int]) -> bool:
        """Whether it owns exactly these partitions now."""
        return [partition.index for partition in self.source.owned] == list(indices)


Join: TypeAlias = Callable[..., Member]


@contextmanager
def joining(kafka: KafkaSettings) -> Iterator[Join]:
    """A factory of members of a group: `join(topic)`; all of them leave at the end."""
    members: list[Member] = []

    def join(topic: str, batching: BatchingSettings | None = None, **options: Any) -> Member:
        heard = Recorder()
        settings = InputSettings(topic, **options)
        source = Source(
            kafka, settings, batching or BatchingSettings(1_000, Bytes(1 << 20), Seconds(0.0)), heard
        )
        source.subscribe()
        members.append(Member(source, heard, topic))
        return members[-1]

    try:
        yield join
    finally:
        for each in members:
            each.source.close()


@dataclass(frozen=True)
class Row:
    """One record, without the columns around it."""

    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...] = ()


def rows(batch: Batch) -> list[Row]:
    """A batch's records one by one."""
    headers = [tuple(each or ()) for each in batch.headers]
    columns = (batch.partitions, batch.offsets, batch.timestamps_ms, batch.keys, batch.values, headers)
    return [Row(*row) for row in zip(*columns, strict=True)]


def send(
    cluster: Cluster,
    topic: str,
    values: Sequence[bytes | None],
    keys: Sequence[bytes | None] | None = None,
    timestamps_ms: Sequence[int] | None = None,
    headers: Sequence[Headers | None] | None = None,
) -> None:
    """Write records and wait until all are acknowledged; without keys all go to one partition."""
    sink = Sink(cluster.settings())
    count = len(values)
    keys, timestamps_ms = keys or [b"one key"] * count, timestamps_ms or [0] * count
    sink.send(Outgoing(topic, keys, values, timestamps_ms, headers or [None] * count))

    assert sink.flush(Deadline.after(READ_S)) == []
