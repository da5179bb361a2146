"""
A dead letter as a record of its topic: the original's key, value, timestamp and headers, and headers that say why.

Names of the `__connect.errors.` headers: Kafka Connect's `DeadLetterQueueReporter` (KIP-298), so that tools
that read Connect's dead letters read ours.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from operator import attrgetter

from stream.records import Batch, DeadLetter, Headers, Place

__all__ = ["HEADERS", "Author", "Letter"]

_PREFIX = "__connect.errors."

MESSAGE_MAX_CHARS = 2_000
"""Of an error's text: the dead-letter topic allows 64 KiB more than the input for all headers together."""

NUMBER_MAX_DIGITS = 18
"""Of a header that anybody may have written: what fits into 64 bits; Python refuses numbers of thousands of digits."""

_TABLE = (
    ("topic", f"{_PREFIX}topic", "the input topic"),
    ("partition", f"{_PREFIX}partition", "its partition"),
    ("offset", f"{_PREFIX}offset", "its offset"),
    ("connector", f"{_PREFIX}connector.name", "who read it: the consumer group, `[kafka] group`"),
    (
        "task",
        f"{_PREFIX}task.id",
        "the number that the worker's name (`[delivery] instance`) ends with; 0 without one",
    ),
    ("stage", f"{_PREFIX}stage", "where it failed: `decode`, `contract`, `score`, `encode` or `publish`"),
    (
        "exception",
        f"{_PREFIX}exception.class.name",
        "the error's class in full, as in a traceback; `stream.errors.RecordError` where nothing else was raised",
    ),
    (
        "message",
        f"{_PREFIX}exception.message",
        "the error's text; `redacted (REASON)` with `[dead_letters] redact`",
    ),
    ("reason", "stream.error.reason", "a stable code: the table below"),
    ("count", "stream.error.count", "how often this record has become a dead letter; 1 the first time"),
    ("model", "stream.model", "`name@version` of the model that was asked"),
)
"""Each of our headers: the attribute of `Letter`, the header's name, what it holds."""

HEADERS: Mapping[str, str] = {name: meaning for _, name, meaning in _TABLE}
"""Each of our headers and what it holds; docs/wire-format.md is written from this table."""

_VALUES = attrgetter(*(attribute for attribute, _, _ in _TABLE))
"""The values of a letter's headers, in the table's order."""


@dataclass(frozen=True, slots=True)
class Author:
    """
    Who writes dead letters, in Kafka Connect's terms: a task of a connector.

    Attributes:
        connector: the consumer group.
        task: the worker's number, 0 or more.
    """

    connector: str
    task: int

    @classmethod
    def of_worker(cls, group: str, instance: str) -> Author:
        """
        A worker.

        Args:
            group: its consumer group.
            instance: its name; `scorer-3` is task 3, and one that ends with no number is task 0.
        """
        number = re.search(r"[0-9]{1,9}$", instance)
        return cls(group, int(number[0]) if number else 0)


@dataclass(frozen=True, slots=True)
class Letter:
    """
    A record of the dead-letter topic.

    Attributes:
        key: the original's.
        value: the original's.
        timestamp_ms: the original's, in milliseconds since the epoch; 0 = none.
        headers: the original's, without ours.
        topic: the input topic.
        partition: its partition.
        offset: its offset.
        connector: the consumer group that read it.
        task: the number of the worker.
        stage: where it failed.
        reason: a stable code.
        exception: the class of the error.
        message: the error's text.
        model: `name@version` of the model that was asked.
        count: how often this record has become a dead letter, 1 the first time.

    A header's attribute is None where the record has no such header, or one that is not a number where it must be.
    """

    key: bytes | None
    value: bytes | None
    timestamp_ms: int
    headers: Headers = ()
    topic: str | None = None
    partition: int | None = None
    offset: int | None = None
    connector: str | None = None
    task: int | None = None
    stage: str | None = None
    reason: str | None = None
    exception: str | None = None
    message: str | None = None
    model: str | None = None
    count: int | None = None

    @classmethod
    def for_failure(
        cls, failure: DeadLetter, batch: Batch, i: int, model: str, author: Author, *, redact: bool
    ) -> Letter:
        """
        What becomes of a record that can't be scored.

        Args:
            failure: why it can't.
            batch: where it is.
            i: its row.
            model: `name@version`.
            author: who found it.
            redact: leave out the error's text, which may quote the payload.
        Returns: the letter to publish; its count is 1 for the first round and one higher for each further one.
        """
        headers, count = batch.headers[i] or (), 0
        if any(name in HEADERS for name, _ in headers):
            earlier = cls.parse(headers)
            headers, count = earlier.headers, earlier.count or 0
        return cls(
            batch.keys[i],
            batch.values[i],
            batch.timestamps_ms[i],
            headers,
            batch.topic,
            batch.partitions[i],
            batch.offsets[i],
            author.connector,
            author.task,
            failure.stage,
            failure.reason,
            failure.exception,
            f"redacted ({failure.reason})" if redact else failure.message[:MESSAGE_MAX_CHARS],
            model,
            count + 1,
        )

    @classmethod
    def read(cls, batch: Batch, i: int) -> Letter:
        """
        A record of the dead-letter topic, or one of the input that may have been there before.

        Args:
            batch: where it is.
            i: its row.
        """
        return cls.parse(batch.headers[i], batch.keys[i], batch.values[i], batch.timestamps_ms[i])

    @classmethod
    def parse(
        cls,
        headers: Headers | None,
        key: bytes | None = None,
        value: bytes | None = None,
        timestamp_ms: int = 0,
    ) -> Letter:
        """
        The letter in a record's parts.

        Args:
            headers: the record's; of ours the last of a name counts.
            key: the record's.
            value: the record's.
            timestamp_ms: the record's.
        """
        kept = [header for header in headers or () if header[0] not in HEADERS]
        ours = {
            name: (content or b"").decode("utf-8", "replace")
            for name, content in headers or ()
            if name in HEADERS
        }
        texts = {attribute: ours.get(name) for attribute, name, _ in _TABLE}
        return cls(
            key,
            value,
            timestamp_ms,
            kept,
            topic=texts["topic"],
            partition=_number(texts["partition"]),
            offset=_number(texts["offset"]),
            connector=texts["connector"],
            task=_number(texts["task"]),
            stage=texts["stage"],
            reason=texts["reason"],
            exception=texts["exception"],
            message=texts["message"],
            model=texts["model"],
            count=_number(texts["count"]),
        )

    @property
    def place(self) -> Place | None:
        """Where the record is on the input; None where the headers don't say so."""
        if self.topic is None or self.partition is None or self.offset is None:
            return None
        return Place(self.topic, self.partition, self.offset)

    def wire_headers(self) -> Headers:
        """The headers of its record: the original's, then ours; numbers as decimal text, all values UTF-8."""
        ours = self._ours().items()
        return [*self.headers, *((name, text.encode("utf-8", "replace")) for name, text in ours)]

    def described(self) -> dict[str, str]:
        """What our headers say as a flat mapping from the part after Connect's prefix to text, for people."""
        return {name.removeprefix(_PREFIX): text for name, text in self._ours().items()}

    def _ours(self) -> dict[str, str]:
        """Our headers, those that are absent left out."""
        values = zip(HEADERS, _VALUES(self), strict=True)
        return {name: str(value) for name, value in values if value is not None}


def _number(text: str | None) -> int | None:
    sound = text and len(text) <= NUMBER_MAX_DIGITS and text.isascii() and text.isdigit()
    return int(text) if text and sound else None
