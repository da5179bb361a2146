"""Offsets in runs."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from stream.redrive.offset_set import OffsetSet, runs_of

PLACES = st.sets(st.tuples(st.integers(0, 2), st.integers(0, 30)))


def test_consecutive_offsets_are_one_run() -> None:
    """Gaps, which the ends of transactions leave, begin a new one."""
    assert {0: [(3, 5), (7, 7)], 2: [(1, 1)]} == runs_of([(0, 5), (0, 3), (2, 1), (0, 7), (0, 4), (0, 4)])


@given(st.lists(PLACES, max_size=4))
def test_set_holds_what_was_added_and_nothing_else(added: list[set[tuple[int, int]]]) -> None:
    """Runs of several marks, in any order, overlapping or not."""
    found = OffsetSet()
    for places in added:
        found.add(runs_of(places))

    every = [(partition, offset) for partition in range(4) for offset in range(32)]
    assert set().union(*added) == {place for place in every if place in found}
