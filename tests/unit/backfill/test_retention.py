"""Topics that would delete a backfill's outputs."""

from __future__ import annotations

import time

import pytest

from stream.backfill.retention import DAY_MS, check_retention, compacted, keeps_ms
from stream.errors import SettingsError

WEEK = {"retention.ms": str(7 * DAY_MS), "cleanup.policy": "delete"}


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({}, None),
        (WEEK, 7 * DAY_MS),
        ({**WEEK, "cleanup.policy": "compact,delete"}, 7 * DAY_MS),
        ({**WEEK, "cleanup.policy": "compact"}, None),
        ({**WEEK, "retention.ms": "-1"}, None),
        ({**WEEK, "message.timestamp.type": "LogAppendTime"}, None),
    ],
)
def test_topic_deletes_by_the_records_own_time(config: dict[str, str], expected: int | None) -> None:
    """Unless it is told otherwise."""
    assert expected == keeps_ms(config)


def test_topic_that_would_delete_the_first_outputs_is_refused() -> None:
    """The message says how old they are; a record without a time is not judged."""
    now = int(time.time() * 1_000)
    check_retention({"out": WEEK}, [0, now - 6 * DAY_MS])

    with pytest.raises(SettingsError, match="out deletes what is older than 7 days .* 8 days ago"):
        check_retention({"other": {}, "out": WEEK}, [now, now - 8 * DAY_MS])


def test_compacted_topic_is_named() -> None:
    """The last record of a key would be that of an older event."""
    policies = {"a": "compact", "b": "delete", "c": "compact,delete"}
    told = compacted({**{name: {"cleanup.policy": each} for name, each in policies.items()}, "d": {}})

    assert ["a", "c"] == [each.split()[0] for each in told]
