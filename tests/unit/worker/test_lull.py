"""How long a transaction does not begin after a commit."""

from __future__ import annotations

import pytest

from stream.worker.lull import LEAST_S, MOST_S, Lull


def play(lull: Lull, *took_s: float, apart_s: float = 0.002, now: float = 100.0) -> float:
    """Transactions that take so long, each begun so long after the one before; when the last one ended."""
    for seconds in took_s:
        began = now + apart_s
        now = began + seconds
        lull.committed(began, began, now)
    return now


def test_transaction_waits_until_the_broker_is_done_with_the_one_before() -> None:
    """As long as the lull is, from the commit on; before the first commit not at all."""
    lull = Lull()

    assert 0.0 == lull.left_s(50.0)
    now = play(lull, 0.003)
    assert pytest.approx(LEAST_S) == lull.left_s(now)
    assert 0.0 == lull.left_s(now + LEAST_S)


def test_transactions_that_were_told_to_come_back_make_it_longer() -> None:
    """Up to what the client waits by itself; it gets shorter once they are not any more."""
    lull = Lull()
    play(lull, *[0.003] * 5, *[0.023] * 3)
    longer = lull.seconds
    play(lull, *[0.003] * 5, *[0.023] * 100)
    most = lull.seconds
    play(lull, *[0.003] * 2_000)

    assert LEAST_S + 0.0029 < longer < LEAST_S + 0.0031
    assert MOST_S == pytest.approx(most, rel=0.1)
    assert LEAST_S == lull.seconds


def test_slow_broker_is_not_taken_for_one_that_is_busy() -> None:
    """Where every transaction takes long, none was told to come back."""
    lull = Lull()
    play(lull, *[0.05] * 200)

    assert LEAST_S == lull.seconds


def test_transaction_begun_long_after_a_commit_proves_nothing() -> None:
    """The broker was done with the one before; whatever took long, it was not that."""
    lull = Lull()
    play(lull, *[0.003, 0.05] * 20, apart_s=0.1)

    assert LEAST_S == lull.seconds
