"""Which dead letters a command is about."""

from __future__ import annotations

from dataclasses import dataclass

from stream.redrive.header_dialects import StoredLetter

__all__ = ["LetterFilter"]


@dataclass(frozen=True, slots=True)
class LetterFilter:
    """
    What all commands of dead letters can be asked for; None = any.

    Attributes:
        reason: `StoredLetter.reason`.
        stage: where it failed.
        model: `name@version` of the model that was asked; or a name, for all of its versions.
        since_ms: the record's timestamp, at the earliest; a letter keeps the original's, in milliseconds since 1970.
        until_ms: the record's timestamp, before this.
        partition: of the dead-letter topic.
        topic: the original's.
        group: the consumer group that read it; of Kafka Connect's letters the connector.
        limit: letters at most.
    """

    reason: str | None = None
    stage: str | None = None
    model: str | None = None
    since_ms: int | None = None
    until_ms: int | None = None
    partition: int | None = None
    topic: str | None = None
    group: str | None = None
    limit: int | None = None

    def takes(self, stored: StoredLetter) -> bool:
        """Whether a letter is one of them, however many there are."""
        letter = stored.letter
        return (
            self.reason in (None, stored.reason)
            and self.stage in (None, stored.stage)
            and (self.model is None or self.model in (letter.model, (letter.model or "").rpartition("@")[0]))
            and self.topic in (None, letter.topic)
            and self.group in (None, letter.connector)
            and (self.since_ms is None or letter.timestamp_ms >= self.since_ms)
            and (self.until_ms is None or letter.timestamp_ms < self.until_ms)
        )
