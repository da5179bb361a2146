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
    now = play(lull, *[0.003] * 200)
    assert pytest.approx(LEAST_S) == lull.left_s(now)
    assert 0.0 == lull.left_s(now + LEAST_S)


@pytest.mark.parametrize("needs_s", [0.0, 0.004, 0.009, 0.015])
def test_pause_is_learned_whatever_the_broker_needs(needs_s: float) -> None:
    """A transaction that comes too early takes 20 ms more, from the first one on: few do, and none waits for long."""
    lull, now, early = Lull(), 100.0, 0
    for _ in range(5_000):
        pause_s = lull.left_s(now) or 0.0005
        took_s = 0.005 + 0.02 * (pause_s < needs_s)
        early += pause_s < needs_s
        lull.committed(now + pause_s, now + pause_s, now + pause_s + took_s)
        now += pause_s + took_s

    assert early <= 0.06 * 5_000
    assert LEAST_S <= lull.seconds <= max(LEAST_S, needs_s + 0.002)


def test_transactions_that_were_told_to_come_back_make_it_longer() -> None:
    """Up to what the client waits by itself; it gets shorter once they are not any more."""
    lull = Lull()
    play(lull, *[0.003] * 200, *[0.023] * 3)
    longer = lull.seconds
    play(lull, *[0.003] * 5, *[0.023] * 100)
    most = lull.seconds
    play(lull, *[0.003] * 4_000)

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
    play(lull, *[0.003, 0.05] * 100, apart_s=0.1)

    assert LEAST_S == lull.seconds
