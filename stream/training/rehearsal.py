"""A fit on few rows before the search: what would be refused after hours of it is refused at once."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from sklearn.base import clone

from stream.errors import SettingsError
from stream.scoring import Raised, attempt
from stream.training.model_metrics import Figures, measure
from stream.training.recipe import Recipe
from stream.training.split import spread

__all__ = ["Rehearse", "check_judge", "rehearse_run"]

Rehearse: TypeAlias = Callable[[Any, str, pd.DataFrame], object]
"""Called with a fitted estimator, the events' schema and rows; raises if such a model can't be packed."""

_FIT_ROWS = 1_000
"""Rows to fit on: seconds for most estimators, and enough to meet most categories."""

_PACK_ROWS = 200
"""Of them, those to be compared."""

_OF_EACH = 5
"""Rows of each class that are among them, if there are as many."""


def rehearse_run(
    recipe: Recipe, estimator: Any, training: pd.DataFrame, truth: np.ndarray, schema: str, rehearse: Rehearse
) -> None:
    """
    Fit on few rows, measure, and pack without writing.

    Args:
        recipe: its features and judge.
        estimator: unfitted; it is not changed.
        training: the rows to learn from, all columns.
        truth: their targets.
        schema: the events' Avro schema.
        rehearse: packs without writing.
    Raises: SettingsError if the answers do not have the metric that is to judge; what `rehearse` raises. An estimator
        that can't be fitted on so few rows proves nothing: the search says what is wrong with it, if anything is.
    """
    few = _few(truth)
    rows = training.iloc[few]
    features = rows[list(recipe.features)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the search repeats those that matter
        fitted = attempt(lambda: clone(estimator).fit(features, truth[few]))
        figures = attempt(lambda: measure(fitted, features, truth[few]))
        if isinstance(fitted, Raised) or isinstance(figures, Raised):
            return
        check_judge(recipe, figures)
        rehearse(fitted, schema, rows.iloc[spread(len(rows), _PACK_ROWS)].reset_index(drop=True))


def check_judge(recipe: Recipe, figures: Figures) -> None:
    """
    Raises: SettingsError if the recipe's judge is not among the metrics that its answers have.
    """
    if recipe.judge is not None and recipe.judge not in figures:
        raise SettingsError(
            f"{recipe.path}: JUDGE is {recipe.judge!r}, which these answers don't have",
            hint=f"choose one of {', '.join(figures)}",
        )


def _few(truth: np.ndarray) -> np.ndarray:
    """Positions spread over all rows, with some of every class."""
    codes, labels = pd.factorize(truth)
    places = [spread(len(truth), _FIT_ROWS)]
    if len(labels) <= _FIT_ROWS // _OF_EACH:
        places += [np.flatnonzero(codes == code)[:_OF_EACH] for code in range(len(labels))]
    return np.unique(np.concatenate([np.asarray(one) for one in places]))
