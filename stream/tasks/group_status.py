"""A running group as seen from outside: lag and rate from the cluster."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from stream.records import Partition
from stream.rights import rights_of
from stream.settings import Settings
from stream.transport import Cluster

__all__ = ["GroupStatus", "PartitionStatus", "observe_group"]


@dataclass(frozen=True, slots=True)
class PartitionStatus:
    """
    One input partition.

    Attributes:
        partition: its number.
        committed: the group's next offset; None = none committed.
        end: the offset after the last record.
        lag: records that are there and not read yet: between both; all of them when nothing is committed, or the
            offset is beyond the end.
        consumable: the same without the records of upstream transactions that are still open.
    """

    partition: int
    committed: int | None
    end: int
    lag: int
    consumable: int

    @property
    def held_back(self) -> str:
        """How much can't be read yet; empty where everything can."""
        if self.consumable == self.lag:
            return ""
        return (
            f"partition {self.partition}: {self.lag - self.consumable} of its records can't be read yet: an upstream "
            "transaction is open. If it stays: docs/runbook.md, A transaction that stays open"
        )

    @property
    def doubt(self) -> str:
        """What is wrong with the group's offset; empty where nothing is."""
        if self.committed is None or self.committed <= self.end:
            return ""
        return (
            f"partition {self.partition}: the group's offset {self.committed} is beyond the end, {self.end}: the topic "
            "was made anew or cut short since; a worker that starts there stops, unless [input] on_out_of_range says "
            "where to go on"
        )


@dataclass(frozen=True, slots=True)
class GroupStatus:
    """
    A group.

    Attributes:
        group: its name.
        partitions: ascending.
        records_per_second: how fast its commits advance.
        dead_letters: records now on the dead-letter topic, at most: offsets from its earliest to its end, and a
            transaction's end, an aborted record and one that was compacted away have an offset, too.
    """

    group: str
    partitions: list[PartitionStatus]
    records_per_second: float
    dead_letters: int

    @property
    def lag(self) -> int:
        """Records not read yet."""
        return sum(p.lag for p in self.partitions)


def observe_group(
    settings: Settings, over_s: float, pause: Callable[[float], object] = time.sleep
) -> GroupStatus:
    """
    Look at the cluster twice.

    Args:
        settings: the configuration.
        over_s: seconds between both looks, for the rate.
        pause: waits.
    Raises: Stopped when the cluster does not answer or a topic is not there.
    """
    cluster = Cluster(settings.kafka, rights_of("status", settings))
    group, topic = settings.kafka.group, settings.input.topic
    before, then = cluster.committed(group, topic), time.monotonic()
    pause(over_s)
    after = cluster.committed(group, topic)
    seconds = time.monotonic() - then
    moved = sum(after[p] - before.get(p, after[p]) for p in after)
    letters = sum(high - low for low, high in cluster.ends(settings.dead_letters.topic).values())
    ends = cluster.ends(topic)
    stable = cluster.stable_ends(ends)
    rows = [
        _row(p, after.get(p), low_high, stable.get(p, low_high[1])) for p, low_high in sorted(ends.items())
    ]
    return GroupStatus(group, rows, moved / seconds, letters)


def _row(
    partition: Partition, committed: int | None, low_high: tuple[int, int], stable: int
) -> PartitionStatus:
    low, high = low_high
    start = low if committed is None or committed > high else max(low, committed)
    return PartitionStatus(
        partition.index, committed, high, high - start, len(range(start, min(stable, high)))
    )
