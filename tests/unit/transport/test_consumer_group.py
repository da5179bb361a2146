"""What the coordinator answers to commits that were not waited for."""

from __future__ import annotations

import pytest
from confluent_kafka import KafkaError, TopicPartition

from stream.errors import BrokerRefused
from stream.records import Partition
from stream.transport.consumer_group import GroupCommits

PASSING = KafkaError(KafkaError.COORDINATOR_LOAD_IN_PROGRESS)
REFUSED = KafkaError(KafkaError.GROUP_AUTHORIZATION_FAILED)


def places(*offsets: int) -> list[TopicPartition]:
    """Partition i at the offset of that place."""
    return [TopicPartition("in", index, offset) for index, offset in enumerate(offsets)]


def test_offsets_that_were_not_taken_are_told_once() -> None:
    """Those of partitions that are still owned; the others are their owners'."""
    commits = GroupCommits({0})
    commits.answered(PASSING, places(5, 7))

    assert {Partition("in", 0): 5} == commits.take_failed()
    assert {} == commits.take_failed()


def test_offsets_that_were_taken_are_not_told() -> None:
    """An answer without an error is the usual one."""
    commits = GroupCommits({0})
    commits.answered(None, places(5))

    assert {} == commits.take_failed()


def test_partition_that_goes_takes_its_failure_with_it() -> None:
    """Its offset is its next owner's to commit."""
    commits = GroupCommits({0, 1})
    commits.answered(PASSING, places(5, 7))
    commits.forget(places(5))

    assert {Partition("in", 1): 7} == commits.take_failed()


def test_refusal_is_raised_where_it_is_asked_for_and_not_in_the_callback() -> None:
    """An exception that left a callback would lose records inside the client."""
    commits = GroupCommits({0})
    commits.answered(REFUSED, places(5))

    with pytest.raises(BrokerRefused, match=r"committing offset 5 of in\[0\]"):
        commits.take_failed()
