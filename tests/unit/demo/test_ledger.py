"""Every event accounted for."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from stream.demo.ledger import area_under_curve, percentile_ms
from tests.unit.demo.accounts import dead_letter, ledger_of, row


def test_a_run_in_order_is_complete_with_its_figures() -> None:
    """Each event came back once: counts, AUC, speed and latencies are those of the run."""
    ledger = ledger_of(True, False, None, False)
    ledger.predicted(row("f0", 0.9), 10.1)
    ledger.predicted(row("f1", 0.2), 10.2)
    ledger.predicted(row("f2", 0.7), 10.3)
    ledger.dead(dead_letter("f3", "the value ends"), 12.0)

    assert ledger.complete
    assert ledger.lag == 0
    assert ledger.missing() == []
    assert {
        "events": 4,
        "predictions": 3,
        "dead_letters": 1,
        "auc": 1.0,
        "events_per_second": 2.0,
        "p50_ms": 200.0,
        "p99_ms": 298.0,
        "duplicates": 0,
    } == asdict(ledger.summary())
    assert (2, 2) == (ledger.right, ledger.judged)


def test_events_that_did_not_come_back_are_missing_by_name() -> None:
    """What is neither a prediction nor a dead letter is named."""
    ledger = ledger_of(True, False, False)
    ledger.predicted(row("f1", 0.2), 10.2)

    assert not ledger.complete
    assert ["f0", "f2"] == ledger.missing()
    assert ledger.lag == 2


def test_a_second_answer_is_a_duplicate_and_hides_no_missing_event() -> None:
    """Two answers to one event are one answer and one duplicate, of whatever kinds they are."""
    ledger = ledger_of(True, False, False)
    ledger.predicted(row("f0", 0.9), 10.1)
    ledger.predicted(row("f0", 0.9), 10.2)
    ledger.dead(dead_letter("f0", ""), 10.3)

    assert ledger.duplicates == 2
    assert ledger.answered == 1
    assert ["f1", "f2"] == ledger.missing()
    assert ledger.latencies_s == pytest.approx([0.1])


def test_an_answer_to_nothing_that_was_sent_is_a_stranger() -> None:
    """An id that was never sent is kept apart and counts for nothing."""
    ledger = ledger_of(True)
    ledger.predicted(row("elsewhere", 0.9), 10.1)

    assert ["elsewhere"] == ledger.unexpected
    assert ledger.answered == 0


def test_nothing_sent_gives_a_summary_without_figures() -> None:
    """No event, no prediction: nulls and zeros, no error."""
    summary = ledger_of().summary()

    assert (None, 0.0, None, None) == (
        summary.auc,
        summary.events_per_second,
        summary.p50_ms,
        summary.p99_ms,
    )


@pytest.mark.parametrize(
    ("truth", "scores", "auc"),
    [
        ([], [], None),
        ([True, True], [0.1, 0.9], None),
        ([False, True, True, False], [0.1, 0.4, 0.3, 0.35], 0.75),
        ([False, True], [0.9, 0.1], 0.0),
    ],
)
def test_area_under_curve(truth: list[bool], scores: list[float], auc: float | None) -> None:
    """The share of pairs in the right order; null where there is no pair."""
    assert auc == area_under_curve(truth, scores)


def test_percentiles_are_milliseconds() -> None:
    """Seconds in, milliseconds out; none for none."""
    assert percentile_ms([0.001, 0.002, 0.003], 50) == 2.0
    assert percentile_ms([], 50) is None
