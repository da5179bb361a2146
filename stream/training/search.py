"""The choice among a grid's candidates, by cross-validation forward in time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.model_selection import ParameterGrid, TimeSeriesSplit, cross_val_score

from stream.errors import Refused
from stream.training.metrics import DEFAULT_SCORING, kind_of
from stream.training.recipe import Recipe

__all__ = ["Candidate", "search"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """
    One point of the grid.

    Attributes:
        params: the estimator's parameters.
        score: mean over the folds; greater is better.
        number: 1, 2, …
        of: how many there are.
    """

    params: dict[str, object]
    score: float
    number: int
    of: int


def search(
    recipe: Recipe,
    estimator: Any,
    rows: pd.DataFrame,
    truth: np.ndarray,
    tell: Callable[[Candidate], None] = lambda _: None,
) -> Candidate:
    """
    Try each candidate of the grid on every fold and keep the best, the first of equals.

    Args:
        recipe: its grid, folds and scoring.
        estimator: unfitted; it is not changed.
        rows: the features of the training rows, in the order of time.
        truth: shape (n,), without missing values.
        tell: called after each candidate.
    Returns: the best candidate.
    Raises: Refused when a candidate can't be fitted or scored, or has no score; the cause is kept.
    Blocks: for candidates × folds fits.
    """
    candidates = list(ParameterGrid(recipe.grid)) if recipe.grid else [{}]
    best: Candidate | None = None
    for number, params in enumerate(candidates, 1):
        score = _score(recipe, estimator, params, rows, truth)
        candidate = Candidate(params, score, number, len(candidates))
        tell(candidate)
        if best is None or candidate.score > best.score:
            best = candidate
    assert best is not None  # a grid has at least one point
    return best


def _score(
    recipe: Recipe, estimator: Any, params: dict[str, object], rows: pd.DataFrame, truth: np.ndarray
) -> float:
    """The mean score of one candidate; every fold is tested on rows later than those it was fitted on."""
    scoring = recipe.scoring or DEFAULT_SCORING[kind_of(estimator)]
    try:
        scores = cross_val_score(
            clone(estimator).set_params(**params),
            rows,
            truth,
            cv=TimeSeriesSplit(recipe.folds),
            scoring=scoring,
            error_score="raise",
        )
    except (AttributeError, TypeError, ValueError, LookupError, ArithmeticError) as exc:
        raise Refused(
            f"{recipe.path}: the candidate {params or 'as it comes'} failed on {scoring}: {exc}",
            mend="correct GRID, SCORING, FOLDS or the estimator; --debug shows where",
        ) from exc
    mean = float(scores.mean())
    if not np.isfinite(mean):
        raise Refused(f"{recipe.path}: the candidate {params} has the score {mean}", mend="correct SCORING")
    return mean
