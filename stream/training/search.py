"""The choice among a grid's candidates, by cross-validation on the training rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.model_selection import ParameterGrid, cross_val_score

from stream.errors import Refused
from stream.training.model_metrics import scoring_of
from stream.training.recipe import Recipe, first_line
from stream.training.split import Fold

__all__ = ["Candidate", "Trial", "search"]


@dataclass(frozen=True, slots=True)
class Trial:
    """
    One point of the grid, before it is tried.

    Attributes:
        params: the estimator's parameters.
        number: 1, 2, …
        of: how many there are.
    """

    params: dict[str, object]
    number: int
    of: int


@dataclass(frozen=True, slots=True)
class Candidate:
    """
    One point of the grid.

    Attributes:
        params: the estimator's parameters.
        score: mean over the folds; greater is better.
        deviation: the folds' standard deviation.
        number: 1, 2, …
        of: how many there are.
        scores: on each fold, in their order.
    """

    params: dict[str, object]
    score: float
    deviation: float
    number: int
    of: int
    scores: tuple[float, ...] = ()


def search(
    recipe: Recipe,
    estimator: Any,
    rows: pd.DataFrame,
    truth: np.ndarray,
    folds: Sequence[Fold],
    tell: Callable[[Candidate], None] = lambda _: None,
    begin: Callable[[Trial], None] = lambda _: None,
) -> list[Candidate]:
    """
    Try each candidate of the grid on every fold.

    Args:
        recipe: its grid and scoring.
        estimator: unfitted; it is not changed.
        rows: the features of the training rows.
        truth: shape (n,), without missing values.
        folds: positions to fit on and to test on.
        tell: called after each candidate.
        begin: called before each.
    Returns: every candidate, the best first (the first of equals), the others in the grid's order.
    Raises: Refused when a candidate can't be fitted or scored, or has no score; the cause is kept.
    Blocks: for candidates × folds fits.
    """
    points = _points(recipe)
    found: list[Candidate] = []
    for number, params in enumerate(points, 1):
        begin(Trial(params, number, len(points)))
        scores = _scores(recipe, estimator, params, rows, truth, folds)
        mean, deviation = float(scores.mean()), float(scores.std())
        found.append(Candidate(params, mean, deviation, number, len(points), tuple(scores.tolist())))
        tell(found[-1])
    best = max(found, key=lambda candidate: candidate.score)  # the first of equals
    return [best, *(candidate for candidate in found if candidate is not best)]


def _points(recipe: Recipe) -> list[dict[str, object]]:
    try:
        return list(ParameterGrid(recipe.grid)) if recipe.grid else [{}]
    except (TypeError, ValueError) as exc:
        raise Refused(
            f"{recipe.path}: GRID: {exc}", hint='give lists of values by parameter: {"C": [0.1, 1.0]}'
        ) from exc


def _scores(
    recipe: Recipe,
    estimator: Any,
    params: dict[str, object],
    rows: pd.DataFrame,
    truth: np.ndarray,
    folds: Sequence[Fold],
) -> np.ndarray:
    """One candidate's score on each fold."""
    scoring = recipe.scoring or scoring_of(estimator)
    try:
        scores = cross_val_score(
            clone(estimator).set_params(**params), rows, truth, cv=folds, scoring=scoring, error_score="raise"
        )
    except (AttributeError, TypeError, ValueError, LookupError, ArithmeticError, ImportError) as exc:
        raise Refused(
            f"{recipe.path}: the candidate {params or 'as it comes'} failed on {scoring}: {first_line(exc)}",
            hint="correct GRID, SCORING, FOLDS, the rows or the estimator; --debug shows where",
        ) from exc
    if not np.isfinite(scores).all():
        raise Refused(
            f"{recipe.path}: the candidate {params or 'as it comes'} has the scores "
            f"{', '.join(f'{score:.4g}' for score in scores)} on its folds",
            hint="correct SCORING; a fold with one class only needs fewer FOLDS, or more rows",
        )
    return np.asarray(scores)
