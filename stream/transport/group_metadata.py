"""A consumer's place in its group, which the offsets of a transaction are checked against."""

from __future__ import annotations

__all__ = ["GroupMetadata"]


class GroupMetadata:
    """Who the consumer is in its group at one moment; offsets of a transaction are taken from members only."""

    __slots__ = ("generation", "raw")

    MAGIC = b"CGMDv2:"

    def __init__(self, raw: bytes) -> None:
        """
        Args:
            raw: as `Consumer.consumer_group_metadata` gives it.

        Source: librdkafka, rd_kafka_consumer_group_metadata_write: magic, generation as int32, names.
        """
        self.raw = raw
        start = len(self.MAGIC)
        known = raw.startswith(self.MAGIC)
        self.generation = int.from_bytes(raw[start : start + 4], "little", signed=True) if known else -1
        """-1: not a member. The broker would accept such a consumer's offsets unchecked, even a zombie's."""
