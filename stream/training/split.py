"""Which rows are trained on and which are held out, by time, by group or at random; and the folds of a search."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import pandas as pd
from sklearn.model_selection import (
    BaseCrossValidator,
    GroupKFold,
    GroupShuffleSplit,
    KFold,
    StratifiedGroupKFold,
    StratifiedKFold,
    TimeSeriesSplit,
    train_test_split,
)

from stream.errors import SampleError

__all__ = ["Fold", "Split", "Way", "cut", "folds_of", "split_by_time", "spread"]

Way: TypeAlias = Literal["time", "group", "random"]
"""How rows are held out."""

Fold: TypeAlias = "tuple[np.ndarray, np.ndarray]"
"""Positions of the rows to fit on, and of those to test on."""

_FOLDS: dict[tuple[Way, bool], Callable[..., BaseCrossValidator]] = {
    ("group", True): StratifiedGroupKFold,
    ("group", False): GroupKFold,
    ("random", True): StratifiedKFold,
    ("random", False): KFold,
}
"""By the way and whether the target holds classes, whose shares are kept."""


@dataclass(frozen=True, slots=True)
class Split:
    """
    How rows are held out and folds are made.

    Attributes:
        way: by time, by group or at random.
        column: of the time or the group; None at random.
        hold_out: share of the rows (of the groups) kept back, 0 < share < 1.
        folds: number of cross-validation folds, at least 2.
        seed: of every random draw.
    """

    way: Way
    column: str | None = None
    hold_out: float = 0.2
    folds: int = 4
    seed: int = 0

    @property
    def text(self) -> str:
        """One sentence, for the card."""
        share = f"{self.hold_out:.3g}"
        return {
            "time": f"by time: the last {share} of the rows by {self.column} are held out, "
            "each fold is tested on rows later than those it was fitted on",
            "group": f"by group: {share} of the groups by {self.column} are held out whole, "
            "no group is on both sides of a fold",
            "random": f"at random: {share} of the rows are held out, stratified by class where there are classes",
        }[self.way]


def cut(
    split: Split, frame: pd.DataFrame, target: str, *, classes: bool
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """
    Split rows into those to train on and those held out.

    Args:
        split: how.
        frame: the rows, with or without a target.
        target: the column to predict.
        classes: whether it holds classes, whose shares a random split keeps.
    Returns: two frames with new indexes; each row with a target is in one of them.
    Raises: SampleError when they can't be split, with the reason.
    """
    if split.way == "time":
        assert split.column is not None
        early, late = split_by_time(frame, split.column, split.hold_out)
        return tuple(part[part[target].notna()].reset_index(drop=True) for part in (early, late))  # type: ignore[return-value]
    known = frame[frame[target].notna()].reset_index(drop=True)
    if len(known) < 2:
        raise SampleError(f"{len(known)} rows with a {target} can't be split", hint="give more rows")
    train, test = (
        _by_group(split, known) if split.way == "group" else _at_random(split, known, target, classes)
    )
    return known.iloc[np.sort(train)].reset_index(drop=True), known.iloc[np.sort(test)].reset_index(drop=True)


def _by_group(split: Split, known: pd.DataFrame) -> Fold:
    groups = _groups(split, known)
    count = groups.nunique()
    if count < split.folds + 1:
        raise SampleError(
            f"{count} groups by {split.column} are too few for {split.folds} folds and a part to hold out",
            hint="give more groups, or fewer FOLDS",
        )
    drawn = GroupShuffleSplit(1, test_size=split.hold_out, random_state=split.seed)
    train, test = next(drawn.split(known, groups=groups))
    return train, test


def _groups(split: Split, rows: pd.DataFrame) -> pd.Series:
    assert split.column is not None
    if missing := int(rows[split.column].isna().sum()):
        raise SampleError(
            f"{missing} rows have no {split.column}", hint=f"leave rows without {split.column} out"
        )
    return pd.Series(pd.factorize(rows[split.column], sort=False)[0])


def _at_random(split: Split, known: pd.DataFrame, target: str, classes: bool) -> Fold:
    counts = known[target].value_counts()
    if classes and counts.min() < 2:
        raise SampleError(
            f"{target} = {counts.index[-1]} has 1 row: it can't be both learned from and judged by",
            hint="leave such rows out, or load more of them",
        )
    try:
        train, test = train_test_split(
            np.arange(len(known)),
            test_size=split.hold_out,
            random_state=split.seed,
            stratify=known[target].astype(str) if classes else None,
        )
    except ValueError as error:
        raise SampleError(f"the rows can't be split: {error}", hint="give more rows") from error
    return train, test


def folds_of(split: Split, training: pd.DataFrame, truth: np.ndarray, *, classes: bool) -> list[Fold]:
    """
    The folds of a search, on the training rows alone.

    Args:
        split: how.
        training: n rows to learn from; in the order of time where rows are split by it.
        truth: shape (n,).
        classes: whether truth holds classes, whose shares are kept where the way allows.
    Returns: `split.folds` pairs of positions.
    Raises: SampleError when there are too few rows, groups or members of a class.
    """
    groups = _groups(split, training) if split.way == "group" else None
    labels = truth.astype(str) if classes else truth
    if classes and split.way == "random":
        values, counts = np.unique(labels, return_counts=True)
        if counts.min() < split.folds:
            few = values[counts.argmin()]
            raise SampleError(
                f"the class {few} has {counts.min()} rows to learn from, fewer than {split.folds} folds",
                hint="load more of them, leave them out, or lower FOLDS",
            )
    try:
        if split.way == "time":
            return _forward(split, training)
        kind = _FOLDS[split.way, classes]
        return list(kind(split.folds, shuffle=True, random_state=split.seed).split(training, labels, groups))
    except ValueError as error:
        raise SampleError(
            f"the rows can't be folded: {error}", hint="give more rows, or fewer FOLDS"
        ) from error


def _forward(split: Split, training: pd.DataFrame) -> list[Fold]:
    """Each fold is fitted on rows strictly earlier than its test's first."""
    times = training[split.column].reset_index(drop=True)
    found = [
        (fit[(times.iloc[fit] < times.iloc[test[0]]).to_numpy()], test)
        for fit, test in TimeSeriesSplit(split.folds).split(training)
    ]
    if not all(len(fit) for fit, _ in found):
        raise SampleError(
            f"a fold has no row earlier than its test: too many rows share one {split.column}",
            hint="lower FOLDS, or split by a finer time",
        )
    return found


def split_by_time(frame: pd.DataFrame, time: str, hold_out: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    """
    Cut a frame in two by time.

    Args:
        frame: n ≥ 2 rows in any order.
        time: the column of their time, without nulls.
        hold_out: share of the rows for the later part, 0 < share < 1; a little more where rows share the
            moment of the cut.
    Returns: the earlier and the later rows, each in the order of time (rows of one moment stay in theirs)
        with a new index. Every row of the second is later than every row of the first.
    Raises: SampleError when a time is missing or a part would be empty.
    """
    if time not in frame:
        raise SampleError(f"the rows have no column {time!r} to be split by", hint="correct TIME or the rows")
    if missing := int(frame[time].isna().sum()):
        raise SampleError(f"{missing} rows have no {time}", hint=f"leave rows without {time} out")
    try:
        ordered = frame.sort_values(time, kind="stable", ignore_index=True)
    except TypeError as error:
        raise SampleError(
            f"the column {time!r} can't be put in order: {error}", hint="make its values of one type"
        ) from error
    if len(ordered) < 2:
        raise SampleError(f"{len(ordered)} rows can't be split", hint="give more rows")
    where = ordered[time].iloc[min(int(len(ordered) * (1 - hold_out)), len(ordered) - 1)]
    early = ordered[time] < where
    if not early.any():
        raise SampleError(
            f"no row is earlier than {time} = {where}: nothing is left to learn from",
            hint="hold a smaller share out, or split by a finer time",
        )
    return ordered[early].reset_index(drop=True), ordered[~early].reset_index(drop=True)


def spread(count: int, most: int) -> np.ndarray:
    """Positions of up to `most` of `count` rows, evenly spread, ascending, each once."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).astype(int))
