"""How long a transaction is kept open."""

from __future__ import annotations

import pytest

from stream.testing import batch_of
from stream.worker import Timing
from stream.worker.pace import Pace
from stream.worker.span import ScoredBatch, Span

TIMING = Timing(span_s=0.1, quiet_s=0.02, span_records=10, span_bytes=1_000)


def span(*values: bytes) -> Span:
    """A span that was opened at 0 s, with these records."""
    opened = Span(0.0)
    opened.add(ScoredBatch(batch_of(list(values) or [b"x"]), [], "m@1"))
    return opened


def test_drained_span_ends_once_it_is_old_enough() -> None:
    """A shorter transaction would queue behind the previous one at the broker."""
    pace = Pace(TIMING)

    assert not pace.due(span(), 0.019, drained=True)
    assert pace.due(span(), 0.02, drained=True)


def test_span_stays_open_while_more_is_waiting() -> None:
    """Up to its greatest age."""
    pace = Pace(TIMING)

    assert not pace.due(span(), 0.099, drained=False)
    assert pace.due(span(), 0.1, drained=False)


def test_span_ends_before_a_batch_that_would_take_it_too_far() -> None:
    """A slow model must not keep a transaction open."""
    pace = Pace(TIMING)
    pace.scoring_s = 0.06

    assert not pace.due(span(), 0.03, drained=False)
    assert pace.due(span(), 0.04, drained=False)


@pytest.mark.parametrize("values", [[b"x"] * 10, [b"x" * 1_000]], ids=["records", "bytes"])
def test_span_that_is_large_ends_at_once(values: list[bytes]) -> None:
    """Whatever its age."""
    assert Pace(TIMING).due(span(*values), 0.0, drained=False)


def test_slow_commits_make_longer_transactions_within_the_bound() -> None:
    """As long as a commit takes; never longer than a span may be."""
    pace = Pace(TIMING)
    for _ in range(50):
        pace.committed(0.05)
    slow = pace.quiet_s
    for _ in range(50):
        pace.committed(5.0)

    assert pytest.approx(0.05, rel=0.01) == slow
    assert 0.1 == pace.quiet_s


def test_one_commit_that_was_held_up_slows_little_down() -> None:
    """The average of the last few counts, not the last."""
    pace = Pace(TIMING)
    for seconds in [0.01] * 20 + [0.06]:
        pace.committed(seconds)

    assert 0.025 > pace.quiet_s


def test_poll_waits_no_longer_than_until_the_span_is_due() -> None:
    """Without an open span it may wait as long as it likes."""
    pace = Pace(TIMING)

    assert 0.1 == pace.patience_s(None, 0.0, 0.1)
    assert pytest.approx(0.005) == pace.patience_s(span(), 0.015, 0.1)
    assert 0.0 == pace.patience_s(span(), 0.03, 0.1)
