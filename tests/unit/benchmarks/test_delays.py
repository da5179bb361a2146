"""Latency's arithmetic."""

from __future__ import annotations

from itertools import pairwise

import pytest

from benchmarks.delays import Delays, arrivals, delays, percentile, rows, table

MS = 1_000_000
WHO = ("lr", "worker", 100)


def one(contestant: str, p99_ms: float, rate: int = 100) -> Delays:
    """A run with this p99; its other figures follow from it."""
    return Delays("lr", contestant, rate, 1_000, p99_ms / 2, p99_ms, p99_ms * 2, 0.1)


def test_arrivals_are_the_same_for_all_who_are_asked_with_one_seed() -> None:
    """Contestants are asked alike; another turn is another load."""
    assert arrivals(100, 5, seed=1) == arrivals(100, 5, seed=1)
    assert arrivals(100, 5, seed=1) != arrivals(100, 5, seed=2)


def test_arrivals_come_in_order_and_at_the_rate() -> None:
    """As many as asked for, in about the time; none before the start."""
    found = arrivals(1_000, 20, seed=3)

    assert 20_000 == len(found)
    assert sorted(found) == found
    assert 0 < found[0]
    assert pytest.approx(20e9, rel=0.05) == found[-1]


def test_arrivals_are_independent_of_each_other() -> None:
    """Gaps of a Poisson process: their standard deviation is their mean."""
    found = arrivals(100, 200, seed=4)
    gaps = [after - before for before, after in pairwise(found)]
    mean = sum(gaps) / len(gaps)
    deviation = (sum((gap - mean) ** 2 for gap in gaps) / len(gaps)) ** 0.5

    assert pytest.approx(mean, rel=0.05) == deviation


@pytest.mark.parametrize(("share", "expected"), [(0.5, 50), (0.99, 99), (0.991, 100), (1.0, 100), (0.001, 1)])
def test_percentile_is_a_value_that_was_measured(share: float, expected: int) -> None:
    """Nearest rank: of 1 to 100 the 99th percentile is 99."""
    assert expected == percentile(list(range(1, 101)), share)


def test_percentile_of_one_value_is_that_value() -> None:
    """Whatever the share."""
    assert 7 == percentile([7], 0.5) == percentile([7], 0.99)


def test_delay_counts_from_when_an_event_was_meant_to_be_sent() -> None:
    """A generator that was held up for 5 ms does not make the contestant look faster by them."""
    sent = {100 * MS: 105 * MS, 200 * MS: 200 * MS}
    found = delays(WHO, sent, [(200 * MS, 210 * MS), (100 * MS, 112 * MS)], 0)

    assert (2, 10.0, 12.0, 12.0) == (found.events, found.p50_ms, found.p99_ms, found.max_ms)
    assert 5.0 == found.late_p99_ms


def test_events_of_the_warm_up_are_checked_and_not_measured() -> None:
    """The first one took a second."""
    sent = {100 * MS: 100 * MS, 200 * MS: 200 * MS}
    found = delays(WHO, sent, [(100 * MS, 1_100 * MS), (200 * MS, 203 * MS)], 150 * MS)

    assert (1, 3.0) == (found.events, found.max_ms)


@pytest.mark.parametrize(
    "seen",
    [[(100, 150)], [(100, 150), (200, 250), (200, 260)], [(100, 150), (300, 350)]],
    ids=["missing", "doubled", "another's"],
)
def test_run_that_lost_or_doubled_has_no_result(seen: list[tuple[int, int]]) -> None:
    """Fast answers to some of the events are worth nothing."""
    with pytest.raises(ValueError, match="of 2 events"):
        delays(WHO, {100: 100, 200: 200}, seen, 0)


def test_row_is_the_median_of_runs_with_the_spread_of_p99() -> None:
    """Contestants and rates stay apart, in the order in which they came."""
    found = rows(
        [one("worker", 30), one("hop", 4), one("worker", 90), one("worker", 40), one("worker", 8, 1_000)]
    )

    assert [("worker", 100, 3), ("hop", 100, 1), ("worker", 1_000, 1)] == [
        (row.contestant, row.rate, row.runs) for row in found
    ]
    assert (20, 40, 30, 90, 80) == (
        found[0].p50_ms,
        found[0].p99_ms,
        found[0].p99_best_ms,
        found[0].p99_worst_ms,
        found[0].max_ms,
    )


def test_table_has_a_line_for_each_row() -> None:
    """With the p99 of the best and the worst run."""
    lines = table(rows([one("worker", 30, 1_000), one("worker", 50, 1_000)])).splitlines()

    assert 3 == len(lines)
    assert "| lr | 1,000 | worker | 20.0 | 40.0 (30.0–50.0) | 80 |" == lines[2]
