"""The split by time."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.errors import SampleError
from stream.training.split import Split, Way, cut, folds_of, split_by_time


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
    """Missing times, too few rows or a single moment are refused with the reason."""
    with pytest.raises(SampleError, match=said):
        split_by_time(pd.DataFrame({"time": times}), "time", 0.5)


def test_missing_column_is_refused() -> None:
    """A time column that isn't there is named."""
    with pytest.raises(SampleError, match="no column 'when'"):
        split_by_time(pd.DataFrame({"time": [1, 2]}), "when", 0.5)


def test_times_of_several_types_are_refused() -> None:
    """What can't be put in order is said, not raised through."""
    with pytest.raises(SampleError, match="can't be put in order"):
        split_by_time(pd.DataFrame({"time": [1, "b", 2]}), "time", 0.5)


ROWS = pd.DataFrame(
    {
        "who": [f"c{i % 20}" for i in range(200)],
        "x": range(200),
        "y": pd.array([i % 4 == 0 for i in range(200)], dtype="boolean"),
        "when": [i // 2 for i in range(200)],
    }
)


def test_group_is_on_one_side_only() -> None:
    """No customer is in both parts, and every row is in one."""
    train, test = cut(Split("group", "who"), ROWS, "y", classes=True)

    assert set() == {*train["who"]} & {*test["who"]}
    assert list(range(200)) == sorted([*train["x"], *test["x"]])


@pytest.mark.parametrize("classes", [True, False])
def test_folds_of_groups_share_no_group(classes: bool) -> None:
    """In each fold, too."""
    folds = folds_of(Split("group", "who"), ROWS, ROWS["y"].to_numpy(), classes=classes)

    assert 4 == len(folds)
    assert all(not {*ROWS["who"].iloc[fit]} & {*ROWS["who"].iloc[test]} for fit, test in folds)


def test_random_split_keeps_the_classes_shares() -> None:
    """A quarter of either part happened, as of the whole; rows without a target are left out."""
    gaps = ROWS.assign(y=ROWS["y"].mask(ROWS["x"] % 10 == 1))
    train, test = cut(Split("random", hold_out=0.25), gaps, "y", classes=True)

    assert 180 == len(train) + len(test)
    assert abs(train["y"].mean() - test["y"].mean()) < 0.02


@pytest.mark.parametrize("way", ["random", "group"])
def test_same_seed_gives_the_same_parts_and_another_others(way: Way) -> None:
    """The seed says which rows are held out."""

    def drawn(seed: int) -> list[int]:
        split = Split(way, "who" if way == "group" else None, seed=seed)
        held_out: list[int] = cut(split, ROWS, "y", classes=True)[1]["x"].tolist()
        return held_out

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)


def test_fold_by_time_begins_after_its_fit_though_moments_are_shared() -> None:
    """Two rows of each moment: none of them is on both sides."""
    folds = folds_of(Split("time", "when", folds=3), ROWS, ROWS["y"].to_numpy(), classes=True)

    assert all(ROWS["when"].iloc[fit].max() < ROWS["when"].iloc[test].min() for fit, test in folds)


@pytest.mark.parametrize(
    ("split", "rows", "said"),
    [
        (Split("group", "who"), ROWS.assign(who="one"), "1 groups by who are too few"),
        (Split("group", "who"), ROWS.assign(who=None), "200 rows have no who"),
        (Split("random"), ROWS.assign(y=[True] + [False] * 199), "y = True has 1 row"),
        (Split("random"), ROWS.head(1), "1 rows with a y"),
    ],
    ids=["groups", "missing", "lonely", "few"],
)
def test_rows_that_cant_be_held_out_are_refused(split: Split, rows: pd.DataFrame, said: str) -> None:
    """Each with its reason."""
    with pytest.raises(SampleError, match=said):
        cut(split, rows, "y", classes=True)


def test_class_of_fewer_rows_than_folds_is_named() -> None:
    """A fold without one of the classes has no score."""
    truth = np.array([True] * 3 + [False] * 197)

    with pytest.raises(SampleError, match="class True has 3 rows"):
        folds_of(Split("random", folds=4), ROWS, truth, classes=True)


def test_folds_by_one_moment_are_refused() -> None:
    """Where all rows share a moment, none is earlier."""
    with pytest.raises(SampleError, match="no row earlier"):
        folds_of(Split("time", "when"), ROWS.assign(when=1), ROWS["y"].to_numpy(), classes=True)
