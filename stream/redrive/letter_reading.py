"""The dead-letter topic, read from its first letter to its last of now: in order, committed ones only, no group."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager

from stream.errors import InputError, Stopped
from stream.redrive.header_dialects import StoredLetter, read_letter
from stream.redrive.letter_counts import clipped
from stream.redrive.letter_filter import LetterFilter
from stream.rights import rights_of
from stream.settings import Settings
from stream.transport import Cluster, OffsetRange, Reader

__all__ = ["LetterScan", "find_letter", "opened_scan"]

IDLE_S = 30.0
"""So long nothing may come of what is there: a transaction that is still open holds it back for ten seconds."""


class LetterScan:
    """
    Goes through the letters once, a partition after the other.

    Attributes:
        ends: of each partition of the topic, the offset after the last letter of now.
        most: letters that there are at most: offsets are counted, and the ends of transactions take some.
        hidden: offsets in or behind transactions that have not ended; they are not read.
        seen: how many were looked at so far.
        reasons: how many of those by reason, whether the filter took them or not.
        stages: the same by stage.
        first_ms: the earliest time of a record of those; 0 where none has one.
        last_ms: the latest.
    """

    def __init__(self, reader: Reader, topic: str, wanted: LetterFilter) -> None:
        """
        Args:
            reader: of the topic; it is asked for its ends now: what comes later is not read.
            topic: its name, for messages.
            wanted: which letters.
        Raises: InputError for a partition that is not there; Stopped when the broker does not answer.
        """
        self._reader, self._topic, self._wanted = reader, topic, wanted
        # First: what is committed between both looks is hidden by nothing.
        written = reader.written_ends()
        found = reader.ends()
        self.ends = {index: high for index, (_, high) in found.items()}
        self._ranges = (
            found if wanted.partition is None else {wanted.partition: _known(found, wanted.partition, topic)}
        )
        self.most = sum(high - low for low, high in self._ranges.values())
        self.hidden = sum(max(0, written.get(index, 0) - high) for index, (_, high) in self._ranges.items())
        self.seen = 0
        self.reasons: Counter[str] = Counter()
        self.stages: Counter[str] = Counter()
        self.first_ms = self.last_ms = 0

    def letters(self) -> Iterator[StoredLetter]:
        """
        The letters that the filter takes, by partition and offset.

        Raises: Stopped when the broker refuses, or nothing comes of what should be there.
        """
        left = self._wanted.limit
        for partition, (low, high) in self._ranges.items():
            for stored in self._of(partition, low, high):
                self.seen += 1
                self._note(stored)
                if not self._wanted.takes(stored):
                    continue
                yield stored
                left = None if left is None else left - 1
                if left == 0:
                    return

    def _note(self, stored: StoredLetter) -> None:
        self.reasons[clipped(stored.reason)] += 1
        self.stages[clipped(stored.stage)] += 1
        if time_ms := stored.letter.timestamp_ms:
            self.first_ms = min(self.first_ms or time_ms, time_ms)
            self.last_ms = max(self.last_ms, time_ms)

    def _of(self, partition: int, low: int, high: int) -> Iterator[StoredLetter]:
        self._reader.read([OffsetRange(partition, low, high)])
        for batch in self._reader.batches(IDLE_S):
            for i in range(len(batch)):
                yield read_letter(batch, i)
        if not self._reader.finished:
            raise Stopped(
                f"{self._topic}[{partition}]: nothing came for {IDLE_S:.0f} s, though there are offsets up to {high}",
                hint="a transaction may be hanging: kafka-transactions.sh find-hanging; or look at the brokers",
            )


def _known(ends: dict[int, tuple[int, int]], partition: int, topic: str) -> tuple[int, int]:
    if partition not in ends:
        raise InputError(
            f"partition {partition}: {topic} has no such partition", hint=f"one of 0 to {len(ends) - 1}"
        )
    return ends[partition]


@contextmanager
def opened_scan(
    settings: Settings, wanted: LetterFilter, command: str = "deadletters"
) -> Iterator[LetterScan]:
    """
    The configuration's dead-letter topic, to be gone through.

    Args:
        settings: the configuration.
        wanted: which letters.
        command: whose rights are asked for, a key of `stream.rights.RIGHTS`.
    Raises: Stopped when the topic is not there, or the broker does not answer or refuses; InputError for a partition
        that is not there.
    """
    with _reading(settings, command) as reader:
        yield LetterScan(reader, settings.dead_letters.topic, wanted)


@contextmanager
def _reading(settings: Settings, command: str) -> Iterator[Reader]:
    topic = settings.dead_letters.topic
    cluster = Cluster(settings.kafka, rights_of(command, settings))
    cluster.require(topic)
    with cluster.naming_refusals(), closing(Reader(settings.kafka, topic, ())) as reader:
        yield reader


def find_letter(settings: Settings, partition: int, offset: int) -> StoredLetter:
    """
    One letter.

    Args:
        settings: the configuration.
        partition: of the dead-letter topic.
        offset: in that partition.
    Raises: InputError that says what there is instead; Stopped as `opened_scan`.
    """
    topic = settings.dead_letters.topic
    with _reading(settings, "deadletters") as reader:
        low, high = _known(reader.ends(), partition, topic)
        name = f"{partition}:{offset}"
        if not low <= offset < high:
            there = f"offsets {low} to {high - 1}" if low < high else "no letters"
            if high <= offset < reader.written_ends()[partition]:
                there += ", and then a transaction that has not ended: look again in a minute"
            raise InputError(
                f"{name}: {topic}[{partition}] has {there}", hint="see `stream deadletters list`"
            )
        reader.read([OffsetRange(partition, offset, high, records=1)])
        found = [read_letter(batch, i) for batch in reader.batches(IDLE_S) for i in range(len(batch))]
    if not found or found[0].offset != offset:
        after = f"the next letter is {found[0].name}" if found else "no letter comes after it there"
        raise InputError(
            f"{name}: the offset is the end of a transaction, or its letter was removed; {after}",
            hint="see `stream deadletters list`",
        )
    return found[0]
