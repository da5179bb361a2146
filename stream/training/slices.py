"""Metrics of parts of the rows: is the model equally good for all of them?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from stream.training.intervals import Interval, bootstrap
from stream.training.model_metrics import Figures, Sheet

__all__ = ["MAX_SLICES", "Slice", "slice_columns", "slices"]

MAX_SLICES = 8
"""The most frequent values of a column have a slice each; the others share one."""

_MAX_COLUMNS = 3
"""Columns by default: the card must stay readable."""

_MIN_ROWS = 10
"""A smaller part gets no interval: it would say more about the resampling than about the model."""

_OTHERS = "all others"
_MISSING = "no value"


@dataclass(frozen=True, slots=True)
class Slice:
    """
    A part of the held-out rows.

    Attributes:
        column: whose value it shares.
        value: of the column, as text.
        rows: how many.
        figures: their metrics.
        interval: of the judge's figure.
    """

    column: str
    value: str
    rows: int
    figures: Figures
    interval: Interval | None


def slice_columns(frame: pd.DataFrame, features: tuple[str, ...], by: tuple[str, ...] | None) -> list[str]:
    """
    Args:
        frame: the held-out rows.
        features: the model's columns.
        by: the recipe's request; None for the default.
    Returns: the columns to slice by: the request, else the first features that hold texts or true and false.
    """
    if by is not None:
        return list(by)
    chosen = [name for name in features if not _numbers(frame[name]) and frame[name].nunique() > 1]
    return chosen[:_MAX_COLUMNS]


def slices(
    frame: pd.DataFrame, column: str, sheet: Sheet, judge: str, units: np.ndarray, seed: int
) -> list[Slice]:
    """
    Measure each part of the rows.

    Args:
        frame: n held-out rows.
        column: numbers are cut into quarters, each other value is a part.
        sheet: answers and truth of the rows.
        judge: the metric that gets an interval.
        units: shape (n,): rows that are drawn together.
        seed: of the resampling.
    Returns: up to `MAX_SLICES` parts, the largest first (quarters in their order), then the other rows as one.
    Blocks: for the resamples of each part.
    """
    parts = _parts(frame[column])
    found: list[Slice] = []
    for value in dict.fromkeys(parts.cat.categories):
        which = np.flatnonzero((parts == value).to_numpy())
        if not len(which):
            continue
        part = Sheet(sheet.answers.rows(which), sheet.truth[which])
        interval = None
        if len(which) >= _MIN_ROWS:

            def judged(weights: np.ndarray, part: Sheet = part) -> dict[str, np.ndarray]:
                return {judge: part.weighed(weights)[judge]}

            interval = bootstrap(judged, np.unique(units[which], return_inverse=True)[1], seed).get(judge)
        found.append(Slice(column, str(value), len(which), part.figures(), interval))
    return found


def _parts(values: pd.Series) -> pd.Series:
    """Each row's part, as text; categories in the order to show."""
    if _numbers(values) and values.nunique() > MAX_SLICES:
        quarters = pd.qcut(values.astype(float), 4, duplicates="drop")
        names = {each: f"{each.left:.4g} to {each.right:.4g}" for each in quarters.cat.categories}
        texts, order = quarters.astype(object).map(names), [*names.values()]
    elif _numbers(values):
        names = {each: f"{each:.6g}" for each in sorted(values.dropna().unique())}
        texts, order = values.astype(object).map(names), [*names.values()]
    else:
        texts = values.astype(object).map(str, na_action="ignore")
        order = [*texts.value_counts().sort_index().sort_values(ascending=False, kind="stable").index]
        if len(order) > MAX_SLICES:
            texts = texts.where(texts.isna() | texts.isin(order[:MAX_SLICES]), _OTHERS)
            order = [*order[:MAX_SLICES], _OTHERS]
    filled = texts.where(texts.notna(), _MISSING)
    return pd.Series(pd.Categorical(filled, [*dict.fromkeys([*order, _MISSING])]))


def _numbers(values: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)
