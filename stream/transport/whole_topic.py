"""
A topic read as a whole, where a record that is missed is a record done twice: marks of replays, plans of backfills.

A `read_committed` reader ends before the first record of an open transaction and sees nothing of what was committed
behind it. Such a transaction need not be of ours: anybody who may write to the topic can leave one open, and brokers
have left some hanging for ever (KAFKA-20734). So it is waited for, and what can't be known is not taken for nothing.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing

from stream.deadline import Deadline
from stream.errors import Stopped
from stream.records import Batch
from stream.settings import KafkaSettings
from stream.transport.reader import OffsetRange, Reader

__all__ = ["read_whole"]

IDLE_S = 30.0
"""So long nothing may come of what is there, and a transaction may stay open."""

LOOK_S = 0.2
"""Between two looks at where an open transaction begins."""


def read_whole(
    kafka: KafkaSettings, topic: str, things: str, unknown: str, anew: str, *, settled: bool = True
) -> Iterator[Batch]:
    """
    Everything that was committed to a topic until now.

    Args:
        kafka: the cluster.
        topic: the topic, of which nothing is ever deleted.
        things: what its records are, for messages.
        unknown: what is not known where something can't be read, for messages.
        anew: what comes of deleting the topic, for hints.
        settled: False: what is behind an open transaction is not asked for.
    Yields: batches.
    Raises: Stopped when records were deleted, are behind a transaction that does not end, or don't come.
    """
    with closing(Reader(kafka, topic, ())) as reader:
        ends = _settled(reader, topic, unknown) if settled else reader.ends()
        if any(low for low, _ in ends.values()):
            raise Stopped(
                f"{topic} does not begin at offset 0: {things} were deleted, so {unknown}",
                hint=f"give it retention.ms=-1; to begin anew, delete {topic}: {anew}",
            )
        reader.read([OffsetRange(index, low, high) for index, (low, high) in ends.items()])
        yield from reader.batches(IDLE_S)
        if not reader.finished:
            raise Stopped(
                f"{topic}: nothing came for {IDLE_S:.0f} s, so {unknown}",
                hint="look at the brokers, and run it again",
            )


def _settled(reader: Reader, topic: str, unknown: str) -> dict[int, tuple[int, int]]:
    """The topic's ends, once all that has been written by now can be read."""
    written, deadline = reader.written_ends(), Deadline.after(IDLE_S)
    while True:
        ends = reader.ends()
        behind = [index for index, end in written.items() if ends[index][1] < end]
        if not behind:
            return ends
        if deadline.over:
            raise Stopped(
                f"{topic}[{behind[0]}]: a transaction that begins at offset {ends[behind[0]][1]} has not ended, and "
                f"hides what was committed behind it, so {unknown}",
                hint=f"run it again in a minute; if it stays so, `kafka-transactions.sh find-hanging --topic {topic}` "
                "names it, and `abort` ends it",
            )
        time.sleep(LOOK_S)
