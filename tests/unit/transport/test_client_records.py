"""Records of the client as a batch."""

from __future__ import annotations

from typing import Any

import pytest
from confluent_kafka import (
    TIMESTAMP_CREATE_TIME,
    TIMESTAMP_LOG_APPEND_TIME,
    TIMESTAMP_NOT_AVAILABLE,
    Message,
)

from stream.records import Batch
from stream.transport.client_records import as_batch


def message(offset: int, timestamp: tuple[int, int]) -> Any:
    """A record as the client gives it."""
    return Message(
        topic="in",
        partition=3,
        offset=offset,
        key=b"k",
        value=b"v",
        headers=[("h", b"1")],
        error=None,
        timestamp=timestamp,
    )


def test_columns_are_those_of_the_records() -> None:
    """Row i of each column belongs to record i."""
    found = as_batch("in", [message(7, (TIMESTAMP_CREATE_TIME, 5)), message(9, (TIMESTAMP_CREATE_TIME, 6))])

    header = [("h", b"1")]
    assert Batch("in", [3, 3], [7, 9], [5, 6], [b"k"] * 2, [b"v"] * 2, [header, header]) == found


@pytest.mark.parametrize(
    ("kind", "told", "kept"),
    [
        (TIMESTAMP_CREATE_TIME, 5, 5),
        (TIMESTAMP_LOG_APPEND_TIME, 5, 5),
        (TIMESTAMP_NOT_AVAILABLE, -1, 0),
    ],
)
def test_timestamp_that_is_not_available_is_zero(kind: int, told: int, kept: int) -> None:
    """The client says -1, which no producer would take back."""
    assert [kept] == as_batch("in", [message(0, (kind, told))]).timestamps_ms
