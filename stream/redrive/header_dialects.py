"""
Dead letters of several writers: which header says what, and how its bytes are read.

Sources: Kafka Connect, `DeadLetterQueueReporter` (KIP-298); Kafka Streams 4.2, `ExceptionHandlerUtils` (KIP-1034);
Kafka 4.4, `ShareGroupDLQStateManager` (KIP-1191); Spring for Apache Kafka 4, `KafkaHeaders` and
`DeadLetterRecordManager`. A name that occurs several times counts with its last, as Kafka's `lastHeader` has it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from stream.deadletter import HEADERS, Letter
from stream.records import Batch, Headers

__all__ = ["DIALECTS", "OURS", "StoredLetter", "read_letter"]

OURS = "prediction-stream"

_LAST_MS = 253_402_300_799_999
"""The end of the year 9999: a timestamp beyond it is none."""


@dataclass(frozen=True, slots=True)
class StoredLetter:
    """
    A record of the dead-letter topic.

    Attributes:
        partition: of the dead-letter topic.
        offset: in that partition.
        writer: who wrote it, a key of `DIALECTS`; `unknown` where no header says so.
        letter: the original, without the writer's headers, and what these say.
        copied: whether the original is in it: a share group's letter may be a pointer only.
    """

    partition: int
    offset: int
    writer: str
    letter: Letter
    copied: bool = True

    @property
    def name(self) -> str:
        """How commands call it."""
        return f"{self.partition}:{self.offset}"

    @property
    def reason(self) -> str:
        """Our stable code; of another writer's letter the exception's class, else its message."""
        letter = self.letter
        return letter.reason or letter.exception or letter.message or "unknown"

    @property
    def stage(self) -> str:
        """Where it failed, in the writer's words; `unknown` where it does not say."""
        return self.letter.stage or "unknown"


@dataclass(frozen=True, slots=True)
class _Dialect:
    """
    One writer's headers.

    Attributes:
        prefixes: how the names begin of all that it adds.
        names: attribute of `Letter` → the headers that say it, the best first.
        number: reads a number's bytes.
        exact: further names that it adds.
    """

    prefixes: tuple[str, ...]
    names: Mapping[str, tuple[str, ...]]
    number: Callable[[bytes], int | None]
    exact: frozenset[str] = field(default_factory=frozenset)

    def adds(self, name: str) -> bool:
        """Whether a header of this name is the writer's."""
        return name.startswith(self.prefixes) or name in self.exact


def _decimal(content: bytes) -> int | None:
    """Text; Python refuses numbers of thousands of digits, and 18 fit into 64 bits."""
    return int(content) if content.isdigit() and len(content) <= 18 else None


def _big_endian(content: bytes) -> int | None:
    """What Java's ByteBuffer writes: 4 bytes of an int, 8 of a long."""
    number = int.from_bytes(content, "big", signed=True) if len(content) in (4, 8) else -1
    return number if number >= 0 else None


_NUMBERS = ("partition", "offset", "timestamp_ms")

_SPRING = {
    "topic": "original-topic",
    "partition": "original-partition",
    "offset": "original-offset",
    "timestamp_ms": "original-timestamp",
    "connector": "original-consumer-group",
}


def _spring(*endings: str) -> tuple[str, ...]:
    """Headers of its dead-letter topics, and of its retry topics."""
    return tuple(f"{prefix}{ending}" for ending in endings for prefix in ("kafka_dlt-", "kafka_"))


DIALECTS: Mapping[str, _Dialect] = {
    OURS: _Dialect(("__connect.errors.",), {}, _decimal, frozenset(HEADERS)),
    "kafka-streams": _Dialect(
        ("__streams.errors.",),
        {
            name: (f"__streams.errors.{name}",)
            for name in ("topic", "partition", "offset", "exception", "message")
        },
        _decimal,
    ),
    "share-group": _Dialect(
        ("__dlq.errors.",),
        {
            **{name: (f"__dlq.errors.{name}",) for name in ("topic", "partition", "offset", "message")},
            "connector": ("__dlq.errors.group",),
        },
        _decimal,
    ),
    "spring": _Dialect(
        (
            "kafka_dlt-", "kafka_original-", "kafka_exception-", "kafka_key-exception-",
            "retry_topic-", "springDeserializerException",
        ),
        {
            **{attribute: _spring(ending) for attribute, ending in _SPRING.items()},
            # The outermost exception is Spring's own, and the same for all.
            "exception": _spring("exception-cause-fqcn", "exception-fqcn", "key-exception-fqcn"),
            "message": _spring("exception-message", "key-exception-message"),
        },
        _big_endian,
    ),
}  # fmt: skip
"""Writer → its headers. `kafka-connect` has the same names as ours, which are read in `stream.deadletter`."""


def read_letter(batch: Batch, i: int) -> StoredLetter:
    """
    A record of a dead-letter topic, whoever wrote it.

    Args:
        batch: where it is.
        i: its row.
    Returns: the letter. The writer is the one of the last header that is any writer's: each adds its headers at the
        end, and what an earlier one left is part of the original.
    """
    headers = batch.headers[i] or ()
    place = batch.partitions[i], batch.offsets[i]
    writer = next((name for header, _ in reversed(headers) if (name := _writer_of(header))), None)
    if writer is None:
        plain = Letter(batch.keys[i], batch.values[i], batch.timestamps_ms[i], headers)
        return StoredLetter(*place, "unknown", plain)
    dialect = DIALECTS[writer]
    kept = [header for header in headers if not dialect.adds(header[0])]
    if writer == OURS:
        letter = replace(Letter.read(batch, i), headers=kept)
        return StoredLetter(*place, OURS if letter.reason else "kafka-connect", letter)
    said = _said(headers, dialect)
    letter = Letter(
        batch.keys[i], batch.values[i], said.pop("timestamp_ms", 0) or batch.timestamps_ms[i], kept
    )
    copied = writer != "share-group" or letter.key is not None or letter.value is not None
    return StoredLetter(*place, writer, replace(letter, **said), copied)


def _writer_of(header: str) -> str | None:
    return next((name for name, dialect in DIALECTS.items() if dialect.adds(header)), None)


def _said(headers: Headers, dialect: _Dialect) -> dict[str, Any]:
    """Attributes of the letter that the headers say."""
    last = {name: content for name, content in headers if content is not None}
    found: dict[str, Any] = {}
    for attribute, names in dialect.names.items():
        content = next((last[name] for name in names if name in last), None)
        if content is None:
            continue
        found[attribute] = (
            dialect.number(content) if attribute in _NUMBERS else content.decode("utf-8", "replace")
        )
    if "exception" in found:
        # Kafka Streams writes what Java's toString says: the class, a colon, the message.
        found["exception"] = found["exception"].partition(": ")[0]
    if not 0 < (found.get("timestamp_ms") or 0) <= _LAST_MS:
        found.pop("timestamp_ms", None)
    return found
