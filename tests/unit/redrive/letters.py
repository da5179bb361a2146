"""Letters made by hand."""

from __future__ import annotations

from stream.deadletter import Letter
from stream.redrive import StoredLetter

__all__ = ["stored"]


def stored(
    offset: int,
    value: bytes | None = b"value",
    *,
    partition: int = 0,
    came_from: tuple[int, int] = (1, 500),
    topic: str = "in",
    reason: str = "wrong_type",
    key: bytes | None = b"key",
    headers: tuple[tuple[str, bytes | None], ...] = (("mine", b"1"),),
    copied: bool = True,
    group: str | None = None,
    writer: str = "prediction-stream",
) -> StoredLetter:
    """The letter at an offset; its original was at `came_from` of `in`."""
    letter = Letter(
        key,
        value,
        1_700_000_000_000 + offset,
        headers,
        topic,
        *came_from,
        stage="contract",
        reason=reason,
        connector=group,
    )
    return StoredLetter(partition, offset, writer, letter, copied)
