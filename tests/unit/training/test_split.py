"""The split by time."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.errors import SampleError
from stream.training.split import split_by_time


@given(
    times=st.lists(st.integers(0, 50), min_size=2, max_size=60).filter(lambda times: len(set(times)) > 1),
    share=st.floats(0.05, 0.5),
)
def test_no_row_is_lost_and_none_of_the_later_part_is_early(times: list[int], share: float) -> None:
    """Whatever the times, the parts are disjoint in time and hold every row once."""
    frame = pd.DataFrame({"time": times, "row": range(len(times))})
    try:
        early, late = split_by_time(frame, "time", share)
    except SampleError:
        early_values = sorted(times)
        assert early_values[0] == early_values[int(len(times) * (1 - share))]
        return

    assert early["time"].max() < late["time"].min()
    assert list(range(len(times))) == sorted([*early["row"], *late["row"]])


def test_parts_are_in_time_order_with_ties_in_theirs() -> None:
    """Rows of one moment keep the order in which they came."""
    frame = pd.DataFrame({"time": [3, 1, 2, 1, 9], "row": [0, 1, 2, 3, 4]})

    early, late = split_by_time(frame, "time", 0.2)

    assert ([1, 3, 2, 0], [4]) == (early["row"].tolist(), late["row"].tolist())


@pytest.mark.parametrize(
    ("times", "said"),
    [
        ([1.0, None], "1 rows have no time"),
        ([1.0], "1 rows can't be split"),
        ([1.0, 1.0], "no row is earlier"),
    ],
)
def test_rows_that_cant_be_split_are_refused(times: list[float | None], said: str) -> None:
    """Missing times, too few rows or one moment only: said, not guessed."""
    with pytest.raises(SampleError, match=said):
        split_by_time(pd.DataFrame({"time": times}), "time", 0.5)


def test_missing_column_is_refused() -> None:
    """A time column that isn't there is named."""
    with pytest.raises(SampleError, match="no column 'when'"):
        split_by_time(pd.DataFrame({"time": [1, 2]}), "when", 0.5)
