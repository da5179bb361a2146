"""A worker's status as lines for people."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from stream.tasks import summary_of

NOW = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)

STATUS: dict[str, Any] = {
    "lag": {"total": 1234, "by_partition": {}, "consumable": 1234, "seconds": 4.25},
    "now": {
        "records_per_second": 51234.5,
        "p50_ms": 12.345,
        "p99_ms": 48.2,
        "batch_records": 1987.6,
        "process_ms": 20.5,
        "decode_ms": 3.2,
        "score_ms": 12.0,
        "encode_ms": 5.3,
        "publish_ms": 2.04,
        "commit_ms": 9.87,
    },
    "commits": {"ok": 120, "aborted": 1, "unknown": 0},
    "rebalances": {"assigned": 2},
    "last_commit": "2026-11-27T08:59:59.800+00:00",
    "model_created": "2026-11-01T09:00:00Z",
    "model_since": "2026-11-27T05:55:00.000+00:00",
}


def test_summary_says_what_waits_how_fast_it_goes_and_how_old_the_model_is() -> None:
    """A line each, which fits 80 columns."""
    lines = summary_of(STATUS, NOW)

    assert [
        "lag 1234 records, 4.2 s, 51234 records/s, p50 12.3 ms, p99 48.2 ms",
        "batches of 1988: ms decode 3.2, score 12, encode 5.3, publish 2.04, commit 9.87",
        "commits: 120 ok 1 aborted, last commit 0.2 s ago",
        "rebalances: 2 assigned",
        "model packed 26 days ago, answers for 3 h 5 min",
    ] == lines
    assert max(map(len, lines)) <= 80


def test_idle_worker_has_no_times() -> None:
    """What is not known is left out."""
    idle = {**STATUS, "now": dict.fromkeys(STATUS["now"]), "last_commit": None}

    assert ["lag 1234 records, 4.2 s", "commits: 120 ok 1 aborted"] == summary_of(idle, NOW)[:2]


def test_worker_that_is_not_ready_says_first_what_it_lacks() -> None:
    """It waits for something, and that has a name."""
    lacking = ["engine is waiting", "topics are gone: out", 7]

    assert (
        "not ready: engine is waiting; topics are gone: out"
        == summary_of({**STATUS, "lacking": lacking}, NOW)[0]
    )
    assert "lag" == summary_of({**STATUS, "lacking": []}, NOW)[0][:3]


@pytest.mark.parametrize(
    "odd", [None, "x", 1, True, [], {}, {"total": "x", "p50_ms": [], "ok": {}, "seconds": True}]
)
def test_odd_status_is_left_out(odd: object) -> None:
    """A stranger's JSON may hold anything."""
    assert [] == summary_of(dict.fromkeys([*STATUS, "lacking"], odd), NOW)


@pytest.mark.parametrize("text", ["2026-11-27T08:00:00", "yesterday", "99999-01-01T00:00:00Z"])
def test_odd_moment_is_left_out(text: str) -> None:
    """Nor is a moment without its offset guessed at."""
    assert [] == summary_of({"model_created": text}, NOW)


@pytest.mark.parametrize(
    ("reload", "expected"),
    [
        ({"version": 2, "error": "step hash: m.joblib"}, ["version 2 is refused: step hash: m.joblib"]),
        ({"version": None, "error": "no folder"}, ["no new version can be looked for: no folder"]),
        ({"version": 2, "error": ""}, []),
        ({"version": [], "error": 7}, []),
        ("x", []),
    ],
)
def test_refused_version_is_said_last(reload: object, expected: list[str]) -> None:
    """An older model than one expects has a reason."""
    assert expected == summary_of({"reload": reload}, NOW)
