"""A running group as seen from outside: lag and rate from the cluster, the rest from its workers."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from http.client import HTTPException
from typing import IO, Any, TypeAlias
from urllib.request import urlopen

from stream.records import Partition
from stream.rights import rights_of
from stream.settings import Settings
from stream.transport import Cluster

__all__ = ["GroupStatus", "PartitionStatus", "WorkerStatus", "ask_worker", "observe_group", "statuses"]

ANSWER_S = 3.0
"""Time for a worker's web to answer."""


WorkerStatus: TypeAlias = dict[str, Any]
"""The JSON of `/api/status`, or of another page of a worker's web."""


@dataclass(frozen=True, slots=True)
class PartitionStatus:
    """
    One input partition.

    Attributes:
        partition: its number.
        committed: the group's next offset; None = none committed.
        end: the offset after the last record.
        lag: records between both; from the earliest record when nothing is committed.
    """

    partition: int
    committed: int | None
    end: int
    lag: int


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
    rows = [_row(p, after.get(p), low_high) for p, low_high in sorted(cluster.ends(topic).items())]
    return GroupStatus(group, rows, moved / seconds, letters)


def _row(partition: Partition, committed: int | None, low_high: tuple[int, int]) -> PartitionStatus:
    low, high = low_high
    start = low if committed is None else committed
    return PartitionStatus(partition.index, committed, high, max(0, high - start))


def ask_worker(
    url: str, path: str = "/api/status", open_url: Callable[..., AbstractContextManager[IO[bytes]]] = urlopen
) -> WorkerStatus | str:
    """
    What a worker's web says of it.

    Args:
        url: of the web, such as `http://127.0.0.1:6066`.
        path: which page.
        open_url: as `urllib.request.urlopen`.
    Returns: the page's JSON, or the reason why it could not be read.
    """
    try:
        with open_url(url.rstrip("/") + path, timeout=ANSWER_S) as answer:
            found = json.load(answer)
    except (OSError, HTTPException, ValueError) as error:
        return f"{url}: no worker answers ({getattr(error, 'reason', error)})"
    return found if isinstance(found, dict) else f"{url}: not a worker's status"


def statuses(urls: Sequence[str]) -> tuple[list[WorkerStatus], list[str]]:
    """The workers that answer, and why the others don't."""
    found = [ask_worker(url) for url in urls]
    return [s for s in found if isinstance(s, dict)], [s for s in found if isinstance(s, str)]
