"""The partition of a key, as the Java client and our own producers place it."""

from __future__ import annotations

__all__ = ["partition_of_key"]

_SEED, _M, _R, _MASK = 0x9747B28C, 0x5BD1E995, 24, 0xFFFFFFFF

_POSITIVE = 0x7FFFFFFF
"""Java's ints are signed: its `toPositive` drops the sign."""


def partition_of_key(key: bytes, partitions: int) -> int:
    """
    Where a record with a key is written by default.

    Args:
        key: as it is on the wire; empty is a key too.
        partitions: of the topic, 1 or more.
    Returns: the partition's number.
    Source: Apache Kafka, `Utils.murmur2` and `BuiltInPartitioner.partitionForKey`; librdkafka's `murmur2_random`.
    """
    h = (_SEED ^ len(key)) & _MASK
    whole = len(key) - len(key) % 4
    for i in range(0, whole, 4):
        k = (int.from_bytes(key[i : i + 4], "little") * _M) & _MASK
        k = ((k ^ (k >> _R)) * _M) & _MASK
        h = ((h * _M) & _MASK) ^ k
    if rest := key[whole:]:
        h = ((h ^ int.from_bytes(rest, "little")) * _M) & _MASK
    h = ((h ^ (h >> 13)) * _M) & _MASK
    return ((h ^ (h >> 15)) & _POSITIVE) % partitions
