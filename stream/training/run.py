"""One run of a recipe: load, split, search, fit, measure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from stream.errors import Refused, SettingsError
from stream.training.metrics import kind_of, measure
from stream.training.recipe import Recipe
from stream.training.search import Candidate, search
from stream.training.split import split_by_time

__all__ = ["SAMPLE_ROWS", "Step", "Trained", "run_recipe"]

SAMPLE_ROWS = 2_000
"""Held-out rows given to the package: a worker's usual batch; its golden rows are chosen among them."""


@dataclass(frozen=True, slots=True)
class Step:
    """
    How far a run is.

    Attributes:
        text: a line for people.
        done: candidates tried so far.
        of: candidates in all; 0 while nobody knows.
    """

    text: str
    done: int = 0
    of: int = 0


@dataclass(frozen=True, slots=True)
class Trained:
    """
    What a run made.

    Attributes:
        recipe: the recipe.
        estimator: fitted on all training rows with the best candidate's parameters.
        metrics: on the held-out rows, with the counts and times that say what they rest on.
        params: the best candidate's parameters.
        sample: up to `SAMPLE_ROWS` held-out rows with all columns of the schema, spread over their time.
    """

    recipe: Recipe
    estimator: Any
    metrics: dict[str, float | int | str]
    params: dict[str, object]
    sample: pd.DataFrame


def run_recipe(recipe: Recipe, tell: Callable[[Step], None] = lambda _: None) -> Trained:
    """
    Run a recipe; the same recipe, data and libraries give the same estimator.

    1. Load the rows and split them by time, before anything else is done with them.
    2. Leave out the rows without a truth.
    3. Choose among the grid's candidates on the training rows alone.
    4. Fit the best on all of the training rows.
    5. Measure it on the held-out rows.

    Args:
        recipe: what to run.
        tell: called after each step.
    Returns: the fitted estimator and its metrics; nothing is written.
    Raises: Refused, SettingsError or SampleError naming the recipe and what to correct.
    Blocks: for the whole training.
    """
    frame = _loaded(recipe)
    earlier, later = split_by_time(frame, recipe.time, recipe.hold_out)  # 1
    training, held_out = (_with_truth(recipe, part) for part in (earlier, later))  # 2
    tell(Step(f"{len(training):,} rows to learn from, {len(held_out):,} later ones to be judged by"))
    estimator = _estimator(recipe)
    rows, truth = _columns(recipe, training)
    _check_classes(recipe, estimator, truth)
    best = search(recipe, estimator, rows, truth, lambda candidate: tell(_step(candidate)))  # 3
    estimator.set_params(**best.params).fit(rows, truth)  # 4
    figures = measure(estimator, *_columns(recipe, held_out))  # 5
    about = _about(recipe, training, held_out, best)
    return Trained(recipe, estimator, {**figures, **about}, best.params, _sample(held_out))


def _loaded(recipe: Recipe) -> pd.DataFrame:
    """The recipe's rows, with every column that the recipe names."""
    frame = recipe.load()
    if not isinstance(frame, pd.DataFrame):
        raise SettingsError(
            f"{recipe.path}: load() returned a {type(frame).__name__}", mend="return a pandas DataFrame"
        )
    carried = (path.partition(".")[0] for path in recipe.carry)
    named = (recipe.target, recipe.time, *recipe.features, *carried)
    if missing := [name for name in named if name not in frame]:
        raise SettingsError(
            f"{recipe.path}: load() gives no column {', '.join(map(repr, missing))}",
            mend="correct FEATURES, TARGET, TIME or CARRY, or load it",
        )
    if recipe.target in recipe.features:
        raise SettingsError(
            f"{recipe.path}: the target {recipe.target!r} is among FEATURES", mend="take it out"
        )
    return frame


def _estimator(recipe: Recipe) -> Any:
    """A fresh estimator of a kind that can be measured."""
    estimator = recipe.estimator()
    try:
        kind_of(estimator)
    except Refused as exc:
        raise Refused(
            f"{recipe.path}: estimator() gives what can't be used: {exc.message}", mend=exc.mend
        ) from exc
    return estimator


def _with_truth(recipe: Recipe, part: pd.DataFrame) -> pd.DataFrame:
    known = part[part[recipe.target].notna()].reset_index(drop=True)
    if known.empty:
        raise SettingsError(
            f"{recipe.path}: one side of the split has no row with a {recipe.target}",
            mend="load more rows, or change HOLD_OUT",
        )
    return known


def _columns(recipe: Recipe, part: pd.DataFrame) -> tuple[pd.DataFrame, np.ndarray]:
    """
    Features and truth.

    The truth loses its nullable type: scikit-learn takes labels of NumPy's own types.
    """
    return part[list(recipe.features)], part[recipe.target].convert_dtypes().to_numpy()


def _check_classes(recipe: Recipe, estimator: object, truth: np.ndarray) -> None:
    if kind_of(estimator) == "classifier" and len(np.unique(truth)) < 2:
        raise SettingsError(
            f"{recipe.path}: all {len(truth)} rows to learn from have {recipe.target} = {truth[0]}",
            mend="load rows of every class, or change HOLD_OUT",
        )


def _sample(held_out: pd.DataFrame) -> pd.DataFrame:
    every = np.linspace(0, len(held_out) - 1, min(SAMPLE_ROWS, len(held_out))).astype(int)
    return held_out.iloc[every].reset_index(drop=True)


def _about(
    recipe: Recipe, training: pd.DataFrame, held_out: pd.DataFrame, best: Candidate
) -> dict[str, float | int | str]:
    """What the metrics rest on."""
    return {
        "search_score": best.score,
        "search_candidates": best.of,
        "rows_trained": len(training),
        "rows_held_out": len(held_out),
        "trained_until": _text(training[recipe.time].iloc[-1]),
        "held_out_from": _text(held_out[recipe.time].iloc[0]),
    }


def _text(moment: object) -> str:
    return moment.isoformat() if isinstance(moment, pd.Timestamp) else str(moment)


def _step(candidate: Candidate) -> Step:
    params = ", ".join(f"{name}={value}" for name, value in candidate.params.items()) or "as it comes"
    text = f"candidate {candidate.number} of {candidate.of}: {candidate.score:.5f} ({params})"
    return Step(text, candidate.number, candidate.of)
