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


def test_drained_span_ends_at_once() -> None:
    """Nothing is gained by keeping it open."""
    assert Pace(TIMING).due(span(), 0.0, drained=True)


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


def test_poll_waits_no_longer_than_an_open_span_may() -> None:
    """A batch that was full is soon followed by the next; without an open span it may wait as long as it likes."""
    pace = Pace(TIMING)

    assert 0.1 == pace.patience_s(None, 0.0, 0.1)
    assert 0.02 == pace.patience_s(span(), 0.015, 0.1)
    assert pytest.approx(0.005) == pace.patience_s(span(), 0.095, 0.1)
    assert 0.0 == pace.patience_s(span(), 0.2, 0.1)


def test_commit_is_expected_to_take_as_long_as_those_before() -> None:
    """A batch that would be scored by then could not be published: it may wait for more records."""
    pace = Pace(TIMING)
    for _ in range(50):
        pace.committed(0.05)
    pace.scoring_s = 0.01

    assert pytest.approx(0.03, rel=0.01) == pace.ready_s(1.01, ending_since=1.0)
    assert 0.0 == pace.ready_s(1.1, ending_since=1.0)


def test_one_commit_that_was_held_up_changes_little() -> None:
    """The average of the last few counts, not the last."""
    pace = Pace(TIMING)
    for seconds in [0.01] * 20 + [0.06]:
        pace.committed(seconds)

    assert 0.025 > pace.ready_s(1.0, ending_since=1.0)
