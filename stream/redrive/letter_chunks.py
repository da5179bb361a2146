"""Letters in chunks, by number and by size."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from stream.redrive.header_dialects import StoredLetter

__all__ = ["chunks_of"]

CHUNK_BYTES = 16 * 1024 * 1024
"""Of a chunk's records: what a replay holds in memory, and what one transaction writes."""


def chunks_of(letters: Iterable[StoredLetter], most: int) -> Iterator[list[StoredLetter]]:
    """
    Gather letters.

    Args:
        letters: any number; read as they are asked for.
        most: letters of one chunk.
    Yields: chunks of 1 or more letters, in order.
    """
    chunk: list[StoredLetter] = []
    size = 0
    for stored in letters:
        chunk.append(stored)
        size += _bytes(stored)
        if len(chunk) >= most or size >= CHUNK_BYTES:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def _bytes(stored: StoredLetter) -> int:
    """Of the original: a header may be as large as a value."""
    letter = stored.letter
    headers = sum(len(name) + len(content or b"") for name, content in letter.headers)
    return len(letter.key or b"") + len(letter.value or b"") + headers
