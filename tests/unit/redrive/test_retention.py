"""How old an original may be, to be read before the input topic deletes it."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from stream.redrive.retention import Retention

NOW = 10**12
DAY, HOUR = 86_400_000, 3_600_000


@pytest.mark.parametrize(
    ("settings", "oldest"),
    [
        ({"retention.ms": str(7 * DAY)}, NOW - 7 * DAY + HOUR),
        ({"retention.ms": str(HOUR)}, NOW - HOUR + HOUR // 10),
        ({"retention.ms": "0"}, NOW),
        ({"retention.ms": str(2**62)}, 0),
        ({"retention.ms": "-1"}, 0),
        ({}, 0),
        ({"retention.ms": str(DAY), "message.timestamp.type": "LogAppendTime"}, 0),
        ({"retention.ms": str(DAY), "cleanup.policy": "compact"}, 0),
        ({"retention.ms": str(DAY), "cleanup.policy": "compact,delete"}, NOW - DAY + HOUR),
        (None, 0),
    ],
)
def test_earliest_time_leaves_a_worker_room(settings: Mapping[str, str] | None, oldest: int) -> None:
    """An hour, or a tenth of a short retention; where the record's time does not count, any will do."""
    assert oldest == Retention.of(settings).oldest_ms(NOW)


def test_settings_that_may_not_be_seen_are_not_taken_for_none() -> None:
    """The command says so."""
    assert not Retention.of(None).seen
    assert Retention.of({}).seen
