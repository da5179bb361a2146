"""Batches for tests."""

from __future__ import annotations

from collections.abc import Sequence

from stream.records import Batch

__all__ = ["batch_of"]


def batch_of(
    values: Sequence[bytes | None], *, topic: str = "in", partition: int = 0, first_offset: int = 0
) -> Batch:
    """
    A batch of one partition with consecutive offsets.

    Args:
        values: shape (n,).
        topic: its topic.
        partition: its partition.
        first_offset: offset of the first record.
    Returns: keys are `k<offset>`, timestamps 1,000 + offset, no headers.
    """
    offsets = list(range(first_offset, first_offset + len(values)))
    return Batch(
        topic,
        [partition] * len(values),
        offsets,
        [1_000 + offset for offset in offsets],
        [b"k%d" % offset for offset in offsets],
        list(values),
        [None] * len(values),
    )
