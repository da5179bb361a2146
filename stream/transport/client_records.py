"""Records of the client as columns, each made by one pass of C: some 0.3 µs a record."""

from __future__ import annotations

from collections.abc import Container, Sequence
from types import NoneType
from typing import Any, TypeAlias

import confluent_kafka
from confluent_kafka import KafkaError

from stream.records import Batch

__all__ = [
    "OF_PARTITIONS",
    "Message",
    "all_errors",
    "all_sound",
    "as_batch",
    "partitions_of",
    "without_partitions",
]

Message: TypeAlias = Any
"""confluent_kafka.Message: its own types say Optional for what a consumed record always has."""

OF_PARTITIONS = (KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE, KafkaError._PARTITION_EOF)
"""What is told of a partition in a record's place: it counts for as long as that is owned."""

_METHODS: Any = confluent_kafka.Message
"""Its methods, to be mapped over many."""


def partitions_of(messages: Sequence[Message]) -> list[int]:
    """The partition number of each."""
    return list(map(_METHODS.partition, messages))


def all_sound(messages: Sequence[Message]) -> bool:
    """Whether none is an error in a record's place."""
    return set(map(type, map(_METHODS.error, messages))) <= {NoneType}


def all_errors(messages: Sequence[Message]) -> bool:
    """Whether each is an error in a record's place; asks no more than it must."""
    return all(message.error() is not None for message in messages)


def without_partitions(messages: Sequence[Message], gone: Container[int]) -> list[Message]:
    """Leave out what is of these partitions: records, and errors that are told of them in a record's place."""

    def stays(message: Message) -> bool:
        error = message.error()
        return message.partition() not in gone or (error is not None and error.code() not in OF_PARTITIONS)

    return [message for message in messages if stays(message)]


def as_batch(topic: str, messages: Sequence[Message], partitions: list[int] | None = None) -> Batch:
    """
    Records of one topic as a batch.

    Args:
        topic: theirs.
        messages: shape (n,), none an error.
        partitions: shape (n,), where it is known already; the batch keeps the list.
    Returns: the batch; a record whose topic has no timestamps (the client says -1) has timestamp 0.
    """
    return Batch(
        topic,
        partitions_of(messages) if partitions is None else partitions,
        list(map(_METHODS.offset, messages)),
        [ms if kind else 0 for kind, ms in map(_METHODS.timestamp, messages)],
        list(map(_METHODS.key, messages)),
        list(map(_METHODS.value, messages)),
        list(map(_METHODS.headers, messages)),
    )
