"""How much a model depends on each of its columns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.inspection import permutation_importance

from stream.training.model_metrics import HIGHER_IS_BETTER, Sheet, answers_of
from stream.training.trained import Trained

__all__ = ["REPEATS", "Importance", "importances"]

REPEATS = 5
"""How often each column is shuffled."""

_MAX_ROWS = 5_000
"""Held-out rows that are used, drawn at random, since columns × repeats × rows are scored."""


@dataclass(frozen=True, slots=True)
class Importance:
    """
    One column's importance.

    Attributes:
        column: its name.
        loss: by how much the judge's figure gets worse when its values are shuffled; mean of the repeats.
        deviation: the repeats' standard deviation.
    """

    column: str
    loss: float
    deviation: float


def importances(trained: Trained) -> list[Importance]:
    """
    Shuffle each column of the held-out rows, and measure how much worse the judge's figure gets.

    Args:
        trained: a model and its held-out rows.
    Returns: the columns, the most important first. Columns that carry the same information all seem unimportant,
        since shuffling one leaves the others.
    Blocks: for columns × 5 predictions of up to 5,000 rows.
    Source: scikit-learn's permutation_importance.
    """
    rows, truth = trained.held_out[list(trained.recipe.features)], trained.sheet.truth
    if len(rows) > _MAX_ROWS:
        drawn = np.sort(np.random.default_rng(trained.seed).choice(len(rows), _MAX_ROWS, replace=False))
        rows, truth = rows.iloc[drawn].reset_index(drop=True), truth[drawn]
    sign = 1 if HIGHER_IS_BETTER.get(trained.judge, True) else -1

    def scored(estimator: object, x: pd.DataFrame, y: np.ndarray) -> float:
        return sign * Sheet(answers_of(estimator, x), y).figures().get(trained.judge, np.nan)

    done = permutation_importance(
        trained.estimator, rows, truth, scoring=scored, n_repeats=REPEATS, random_state=trained.seed
    )
    found = [
        Importance(name, float(mean), float(deviation))
        for name, mean, deviation in zip(
            rows.columns, done.importances_mean, done.importances_std, strict=True
        )
    ]
    return sorted(found, key=lambda one: -one.loss)
