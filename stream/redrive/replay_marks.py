"""
What was replayed: one mark per transaction, on a topic of its own.

A mark is written in the transaction that sends the originals, so it is there exactly when they are. It names the
letters that were sent, and the offsets of the input topic that they were given. From the marks follows all that a
later replay must know: a letter that a mark names was sent; a letter whose original stands at an offset that a mark
names, and that was not there when that replay began, was sent back before, and has failed again. Topics are named with
their ids: one that was deleted and made anew under its name begins with offset 0 again, and nothing of it was replayed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stream.errors import Stopped
from stream.records import Batch
from stream.redrive.header_dialects import StoredLetter
from stream.redrive.offset_set import OffsetSet, Runs
from stream.settings import Settings
from stream.transport import WantedTopic

__all__ = ["Mark", "Replayed", "TopicId", "marks_topic"]

VERSION = 1


@dataclass(frozen=True, slots=True)
class TopicId:
    """A topic, and which one of its name."""

    name: str
    id: str


@dataclass(frozen=True, slots=True)
class Mark:
    """
    What one transaction sent.

    Attributes:
        source: the dead-letter topic.
        letters: which of its offsets were sent.
        ends: of its partitions, the offset after the last letter that was there when the replay began.
        target: the input topic.
        written: at which of its offsets the originals are now.
    """

    source: TopicId
    letters: Runs
    ends: Mapping[int, int]
    target: TopicId
    written: Runs

    def value(self) -> bytes:
        """The record's value: JSON."""
        return json.dumps(
            {
                "version": VERSION,
                "dead_letters": {**_side(self.source, self.letters), "ends": self.ends},
                "input": _side(self.target, self.written),
            },
            separators=(",", ":"),
        ).encode()

    @classmethod
    def read(cls, value: bytes | None, place: object) -> Mark:
        """
        A mark from its record.

        Args:
            value: the record's.
            place: of the record, for messages.
        Raises: Stopped when it is none: what was replayed can't be known then.
        """
        try:
            found = json.loads(value or b"")
            if found["version"] != VERSION:
                raise ValueError(f"version {found['version']}")
            ends = {int(index): int(end) for index, end in found["dead_letters"]["ends"].items()}
            return cls(*_read_side(found["dead_letters"]), ends, *_read_side(found["input"]))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise Stopped(
                f"{place} is no mark of a replay, so what was replayed is not known: {type(error).__name__}: {error}",
                hint="a newer version may have written it: replay with that one",
            ) from error


def _side(topic: TopicId, runs: Runs) -> dict[str, object]:
    return {"topic": topic.name, "id": topic.id, "offsets": runs}


def _read_side(found: Any) -> tuple[TopicId, dict[int, list[tuple[int, int]]]]:
    runs = {
        int(partition): [(int(first), int(last)) for first, last in of_partition]
        for partition, of_partition in found["offsets"].items()
    }
    return TopicId(str(found["topic"]), str(found["id"])), runs


class Replayed:
    """What the marks say of one dead-letter topic and one input topic."""

    def __init__(self, source: TopicId, target: TopicId) -> None:
        """
        Args:
            source: the dead-letter topic.
            target: the input topic.
        """
        self.source, self.target = source, target
        self._letters = OffsetSet()
        self._written: dict[tuple[tuple[int, int], ...], tuple[Mapping[int, int], OffsetSet]] = {}
        """What was written by each replay, with the ends that it found."""

    def add(self, batch: Batch) -> None:
        """
        Take in marks.

        Args:
            batch: records of the marks' topic.
        Raises: Stopped when one is no mark.
        """
        for i, value in enumerate(batch.values):
            mark = Mark.read(value, batch.place(i))
            if mark.source == self.source:
                self._letters.add(mark.letters)
            if mark.target == self.target:
                key = tuple(sorted(mark.ends.items()))
                self._written.setdefault(key, (mark.ends, OffsetSet()))[1].add(mark.written)

    def sent(self, partition: int, offset: int) -> bool:
        """Whether this letter was sent."""
        return (partition, offset) in self._letters

    def came_back(self, stored: StoredLetter) -> bool:
        """
        Whether a letter is of a record that a replay wrote.

        What was there before a replay began can't be of it: its headers may speak of an input topic that is no more.
        """
        place = stored.letter.place
        if place is None or place.topic != self.target.name:
            return False
        return any(
            stored.offset >= ends.get(stored.partition, 0) and (place.partition, place.offset) in written
            for ends, written in self._written.values()
        )


def marks_topic(settings: Settings) -> WantedTopic:
    """The topic of the marks, as a replay makes it: nothing of it is ever deleted."""
    name = settings.dead_letters.marks
    forever = {"retention.ms": "-1", "retention.bytes": "-1", "cleanup.policy": "delete"}
    return WantedTopic(name, "marks of replays", 1, settings.input.replication, forever)
