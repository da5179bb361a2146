"""
What a dead letter carries besides the original record: the headers that say why it is there.

Names of the `__connect.errors.` headers: Kafka Connect's `DeadLetterQueueReporter` (KIP-298), so that tools
that read Connect's dead letters read ours.
"""

from __future__ import annotations

from stream.errors import Place
from stream.records import DeadLetter, Headers

__all__ = ["COUNT", "HEADERS", "PREFIX", "REASON", "describe", "headers_of"]

PREFIX = "__connect.errors."
REASON = "stream.error.reason"
COUNT = "stream.error.count"
MODEL = "stream.model"

MESSAGE_MAX_CHARS = 2_000
"""Of an error's text: the dead-letter topic allows 64 KiB more than the input for all headers together."""

HEADERS = {
    f"{PREFIX}topic": "the input topic",
    f"{PREFIX}partition": "its partition",
    f"{PREFIX}offset": "its offset",
    f"{PREFIX}stage": "where it failed: `decode`, `contract`, `score`, `encode` or `publish`",
    f"{PREFIX}exception.class.name": "the class of the error",
    f"{PREFIX}exception.message": "the error's text; `redacted (REASON)` with `[dead_letters] redact`",
    REASON: "a stable code: the table below",
    COUNT: "how often this record has become a dead letter; 1 the first time",
    MODEL: "`name@version` of the model that was asked",
}
"""Each of our headers and what it holds; docs/wire-format.md is written from this table."""


def headers_of(
    letter: DeadLetter, place: Place, model: str, original: Headers | None, *, redact: bool
) -> Headers:
    """
    The headers of a dead letter: the original's, then ours.

    Args:
        letter: why it can't be scored.
        place: where the record is on the input.
        model: `name@version`.
        original: the record's own headers; those that an earlier round put there are replaced.
        redact: leave out the error's text, which may quote the payload.
    Returns: a new list; numbers as decimal text, all values UTF-8. `stream.error.count` is 1 for the first
        round and one higher for each further one.
    """
    kept = [(name, value) for name, value in original or () if name not in HEADERS]
    message = f"redacted ({letter.reason})" if redact else letter.message[:MESSAGE_MAX_CHARS]
    ours = {
        f"{PREFIX}topic": place.topic,
        f"{PREFIX}partition": str(place.partition),
        f"{PREFIX}offset": str(place.offset),
        f"{PREFIX}stage": letter.stage,
        f"{PREFIX}exception.class.name": letter.exception,
        f"{PREFIX}exception.message": message,
        REASON: letter.reason,
        COUNT: str(_rounds(original) + 1),
        MODEL: model,
    }
    return kept + [(name, text.encode("utf-8", "replace")) for name, text in ours.items()]


def _rounds(original: Headers | None) -> int:
    """How often the record was a dead letter before; 0 when the header is absent or no number."""
    for name, value in original or ():
        if name == COUNT and value and value.isdigit():
            return int(value[:9])
    return 0


def describe(headers: Headers) -> dict[str, str]:
    """Our headers of a dead letter as a flat mapping from the part after the prefix to text, for people."""
    return {
        name.removeprefix(PREFIX): (value or b"").decode("utf-8", "replace")
        for name, value in headers
        if name in HEADERS
    }
