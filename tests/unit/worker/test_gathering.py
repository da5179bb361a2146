"""How long a batch waits for company."""

from __future__ import annotations

import pytest

from stream.worker.gathering import SHARE, Gathering


class Play:
    """A worker whose batches cost what is said, by a clock and a processor that a test moves on."""

    def __init__(self, fixed_s: float, record_s: float = 0.0) -> None:
        self.now = self.cpu = 100.0
        self._fixed_s, self._record_s = fixed_s, record_s
        self.gathering = Gathering(lambda: self.now, lambda: self.cpu)

    def batches(self, *sizes: int, apart_s: float) -> None:
        """So many records a batch, each batch begun so long after the one before; the last one has just ended."""
        for records in sizes:
            began = self.now = self.now + apart_s
            self.cpu += self._fixed_s + records * self._record_s
            self.gathering.took(records, began)


def test_first_record_is_never_kept_waiting() -> None:
    """Nothing is known yet."""
    assert 0.0 == Play(0.001).gathering.wait_s


@pytest.mark.parametrize("fixed_s", [0.0001, 0.001, 0.002])
def test_batches_cost_no_more_than_their_share_of_a_core(fixed_s: float) -> None:
    """However quickly single records come: the next batch begins so much later."""
    play = Play(fixed_s)
    play.batches(*[1] * 50, apart_s=0.001)

    assert pytest.approx(fixed_s / SHARE) == play.gathering.wait_s


def test_records_that_come_more_slowly_do_not_wait() -> None:
    """One in ten milliseconds, and a batch costs one: no company is worth it."""
    play = Play(0.001)
    play.batches(*[1] * 50, apart_s=0.01)
    play.now += 0.01

    assert 0.0 == play.gathering.wait_s


def test_what_records_cost_by_themselves_is_no_reason_to_wait() -> None:
    """They cost it in any company."""
    cheap, dear = Play(0.001), Play(0.001, record_s=0.0005)
    for play in (cheap, dear):
        play.batches(*[1, 2, 4, 1, 3] * 20, apart_s=0.1)

    assert cheap.gathering.interval_s == pytest.approx(dear.gathering.interval_s, rel=0.05)


def test_busy_worker_gathers_more() -> None:
    """Its records leave less of a core for having many batches; near its greatest rate it takes what it gets."""
    play = Play(0.001, record_s=0.00001)
    play.batches(*[40, 50, 60] * 1_000, apart_s=0.001)
    half = play.gathering.interval_s
    play.batches(*[90, 95, 105, 110] * 750, apart_s=0.001)

    assert pytest.approx(0.001 / SHARE / 0.5, rel=0.1) == half
    assert 0.05 < play.gathering.interval_s


def test_what_an_idle_worker_does_is_not_the_next_batchs_cost() -> None:
    """Its web server and its polls took two seconds of a long night; then records come as before it."""
    play = Play(0.001)
    play.batches(*[1] * 50, apart_s=0.001)
    before = play.gathering.interval_s
    for _ in range(200):
        play.now += 0.1
        play.cpu += 0.01
        play.gathering.rested()
    play.batches(1, apart_s=0.001)

    assert pytest.approx(before) == play.gathering.interval_s
