"""The size of the next batch, learned from what scoring those before took."""

from __future__ import annotations

import pytest

from stream.worker.batch_size import BatchSize

FULL = 2_000
"""`[batching] max_records`."""


def play(fixed_s: float, record_s: float, batches: int, size: BatchSize | None = None) -> list[int]:
    """The records of each batch of a backlog, scored by a model of that cost."""
    size = size or BatchSize(0.5)
    seen = []
    for _ in range(batches):
        records = min(size.most, FULL)
        seen.append(records)
        size.took(records, fixed_s + records * record_s)
    return seen


def test_quick_model_has_full_batches_after_four() -> None:
    """1 ms a batch and 3 µs a record."""
    assert [1, 8, 64, 512, FULL, FULL] == play(0.001, 3e-6, 6)


def test_batches_that_are_never_full_let_the_next_be_larger() -> None:
    """While few records come: a burst that fills a batch would be taken for a backlog."""
    size = BatchSize(0.5)
    for records in [1, 1, 3, 2, 5, 1]:
        size.took(records, 0.001 + records * 3e-6)

    assert 40 == size.most


@pytest.mark.parametrize("record_s", [0.0005, 0.005, 0.02, 0.2, 1.0, 10.0])
def test_batches_of_a_slow_model_take_no_longer_than_the_pause_or_one_record(record_s: float) -> None:
    """From half a millisecond to ten seconds a record, from the first batch on but for one try with two records."""
    took = [records * record_s for records in play(0.0, record_s, 40)]

    assert sum(seconds > max(0.501, record_s) for seconds in took) <= 1
    assert max(took) <= max(0.501, record_s, 2 * min(record_s, 3.0))
    assert took[-1] >= min(0.5, record_s) / 2


@pytest.mark.parametrize("fixed_s", [0.4, 1.0, 2.9])
def test_fixed_cost_of_a_batch_is_told_from_that_of_a_record(fixed_s: float) -> None:
    """A model that calls a service once a batch keeps large batches: one record each would be thousands of calls."""
    assert FULL == play(fixed_s, 1e-5, 12)[-1]


def test_model_that_becomes_slow_has_small_batches_soon_and_large_ones_again() -> None:
    """After one batch that took too long; when it is quick again, after a few."""
    size = BatchSize(0.5)
    play(0.001, 3e-6, 20, size)

    slow = play(0.001, 0.01, 12, size)
    quick = play(0.001, 3e-6, 12, size)

    assert max(slow[6:]) <= 60
    assert FULL == quick[-1]


def test_one_long_pause_of_the_machine_changes_little() -> None:
    """A second in which nothing ran halves the next batches at most, and they are full again soon."""
    size = BatchSize(0.5)
    play(0.001, 3e-6, 20, size)
    size.took(FULL, 1.0)

    after = play(0.001, 3e-6, 5, size)

    assert min(after) >= FULL // 2
    assert FULL == after[-1]


def test_trickle_teaches_nothing_of_large_batches() -> None:
    """While one record comes at a time, the limit stays where full batches left it."""
    size = BatchSize(0.5)
    for _ in range(50):
        size.took(1, 0.001)

    assert 8 == size.most


def test_slow_is_said_when_several_batches_have_shown_it() -> None:
    """The first call of a model, which loads and compiles, is no evidence."""
    first_call, slow = BatchSize(0.5), BatchSize(0.5)
    first_call.took(1, 2.0)
    play(0.001, 1e-5, 10, first_call)
    play(0.0, 0.2, 10, slow)

    assert (False, True) == (first_call.slow, slow.slow)
