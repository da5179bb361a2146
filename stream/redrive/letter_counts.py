"""Dead letters, counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from stream.codec import confluent_prefixes
from stream.deadletter import Letter
from stream.redrive.header_dialects import StoredLetter
from stream.settings import Framing

__all__ = ["LetterCounts", "clipped", "count_letters"]

NAME_CHARS = 200
"""Of a reason, a stage or a model, which anybody may have written: a header may have megabytes."""


def clipped(name: str) -> str:
    """A name as it is counted: long ones by how they begin."""
    return name if len(name) <= NAME_CHARS else f"{name[:NAME_CHARS]}…"


@dataclass(slots=True)
class LetterCounts:
    """
    How many letters there are.

    Attributes:
        total: all.
        by_reason: by `StoredLetter.reason`, the most frequent first.
        by_stage: by stage.
        by_model: by `name@version` of the model that was asked.
        by_schema: by what names the schema of the value.
        by_topic: by the original's topic.
        by_group: by the consumer group that read it.
        by_writer: by who wrote the letter.
        pointers: how many hold no original, since the share group did not copy it.
        first_ms: the earliest timestamp of an original; None where no letter has one.
        last_ms: the latest.
    """

    total: int = 0
    by_reason: Counter[str] = field(default_factory=Counter)
    by_stage: Counter[str] = field(default_factory=Counter)
    by_model: Counter[str] = field(default_factory=Counter)
    by_schema: Counter[str] = field(default_factory=Counter)
    by_topic: Counter[str] = field(default_factory=Counter)
    by_group: Counter[str] = field(default_factory=Counter)
    by_writer: Counter[str] = field(default_factory=Counter)
    pointers: int = 0
    first_ms: int | None = None
    last_ms: int | None = None

    def add(self, stored: StoredLetter, framing: Framing) -> None:
        """Count one more."""
        letter = stored.letter
        self.total += 1
        self.pointers += not stored.copied
        self.by_reason[clipped(stored.reason)] += 1
        self.by_stage[clipped(stored.stage)] += 1
        self.by_model[clipped(letter.model or "unknown")] += 1
        self.by_topic[clipped(letter.topic or "unknown")] += 1
        self.by_group[clipped(letter.connector or "unknown")] += 1
        self.by_schema[_schema_named(letter, framing)] += 1
        self.by_writer[stored.writer] += 1
        if letter.timestamp_ms:
            self.first_ms = min(self.first_ms or letter.timestamp_ms, letter.timestamp_ms)
            self.last_ms = max(self.last_ms or letter.timestamp_ms, letter.timestamp_ms)


def count_letters(letters: Iterable[StoredLetter], framing: Framing) -> LetterCounts:
    """
    Count letters.

    Args:
        letters: any number.
        framing: of the input's values: what says where a value names its schema.
    """
    counts = LetterCounts()
    for stored in letters:
        counts.add(stored, framing)
    return counts


def _schema_named(letter: Letter, framing: Framing) -> str:
    """What a value names as its schema, as far as its first bytes or its header say so."""
    value = letter.value
    if value is None:
        return "no value"
    if framing == "bare":
        return "bare"
    if framing == "confluent":
        for prefix in confluent_prefixes([value], [letter.headers]):
            return f"GUID {prefix[1:].hex()}" if prefix[0] else f"id {int.from_bytes(prefix[1:], 'big')}"
    if value[:2] == b"\xc3\x01" and len(value) >= 10:  # Avro's marker and 8 bytes
        return f"fingerprint {value[2:10].hex()}"
    return "none"
