"""How long a transaction does not begin after a commit."""

from __future__ import annotations

import random

import pytest

from stream.worker.lull import EACH, PAUSES_S, Lull

TRIAL = EACH * len(PAUSES_S)


class Broker:
    """Needs some time after a commit; whoever comes earlier takes 20 ms more; all takes a little longer by chance."""

    def __init__(self, needs_s: float, noise_s: float = 0.0) -> None:
        self.lull, self.now, self.needs_s, self.noise_s = Lull(), 100.0, needs_s, noise_s
        self._chance = random.Random(1)

    def play(self, transactions: int, later_s: float = 0.0) -> None:
        """Each begins when the lull is over, or so much later."""
        for _ in range(transactions):
            pause_s = self.lull.left_s(self.now) + later_s + 0.0001
            early = pause_s < self.needs_s
            began = self.now + pause_s
            self.now = began + 0.004 + 0.02 * early + self._chance.expovariate(1 / (self.noise_s or 1e-9))
            self.lull.committed(began, began, self.now)


def test_before_the_first_commit_nothing_is_waited_for() -> None:
    """Then as long as the lull is, from the commit on."""
    lull = Lull()

    assert 0.0 == lull.left_s(50.0)
    lull.committed(50.0, 50.0, 50.01)
    assert pytest.approx(lull.seconds) == lull.left_s(50.01)
    assert 0.0 == lull.left_s(50.01 + lull.seconds)


@pytest.mark.parametrize("noise_s", [0.0, 0.001, 0.004])
@pytest.mark.parametrize("needs_s", [0.0, 0.0015, 0.004, 0.009, 0.015])
def test_pause_is_learned_whatever_the_broker_needs(needs_s: float, noise_s: float) -> None:
    """A transaction takes little longer, pause and all, than with the best of them from the first one on."""
    broker = Broker(needs_s, noise_s)
    broker.play(5_000)

    enough_s = next(pause for pause in PAUSES_S if pause >= needs_s)
    assert (broker.now - 100.0) / 5_000 <= enough_s + 0.004 + noise_s + 0.003


def test_broker_that_becomes_slower_is_waited_for() -> None:
    """All pauses are tried again once transactions take longer; when it is quick again, sooner or later too."""
    broker = Broker(0.001)
    broker.play(2 * TRIAL)
    before = broker.lull.seconds
    broker.needs_s = 0.01
    broker.play(50 + TRIAL)
    slow = broker.lull.seconds
    broker.needs_s = 0.001
    broker.play(5_000 + TRIAL)

    assert (0.001, 0.012, 0.001) == (before, slow, broker.lull.seconds)


def test_transaction_begun_long_after_a_commit_proves_nothing() -> None:
    """The broker was done with the one before; whatever took long, it was not that."""
    broker = Broker(0.001)
    broker.play(2 * TRIAL)
    before = broker.lull.seconds
    broker.play(10_000, later_s=0.1)

    assert before == broker.lull.seconds
