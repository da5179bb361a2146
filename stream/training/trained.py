"""The result of a recipe's run, and its progress."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from stream.training.intervals import Interval
from stream.training.model_metrics import Figures, Sheet, default_judge
from stream.training.recipe import Recipe
from stream.training.search import Candidate
from stream.training.split import spread

__all__ = ["SAMPLE_ROWS", "Metrics", "Step", "Trained"]

SAMPLE_ROWS = 2_000
"""Held-out rows given to the package: a worker's usual batch; its golden rows are chosen among them."""

Metrics: TypeAlias = "dict[str, float | int | str]"
"""As the manifest holds them."""


@dataclass(frozen=True, slots=True)
class Step:
    """
    A step of a run, for its progress.

    Attributes:
        text: a line for people.
        done: candidates tried so far.
        of: candidates in all; 0 while unknown.
    """

    text: str
    done: int = 0
    of: int = 0


@dataclass(frozen=True, slots=True)
class Trained:
    """
    The result of a run.

    Attributes:
        recipe: the recipe.
        estimator: fitted on all training rows with the best candidate's parameters.
        candidates: all candidates, the best first.
        training: the rows that were learned from.
        held_out: the held-out rows, every column.
        sheet: the estimator's answers for them beside the truth.
        units: shape (n,): held-out rows with the same number are not independent (one group).
        figures: the metrics on the held-out rows.
        intervals: of the metrics, 95 %.
        baseline: the metrics of a model that knows only how often each answer occurs, or their mean.
        facts: how the metrics came about: rows, split, seed, search.
        schema: the events' Avro schema; inferred where the recipe names none.
        findings: the choices in inferring it, a sentence each.
        notes: warnings and other remarks, a sentence each.
    """

    recipe: Recipe
    estimator: Any
    candidates: tuple[Candidate, ...]
    training: pd.DataFrame
    held_out: pd.DataFrame
    sheet: Sheet
    units: np.ndarray
    figures: Figures
    intervals: Mapping[str, Interval]
    baseline: Figures
    facts: Metrics
    schema: str
    findings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def params(self) -> dict[str, object]:
        """The best candidate's parameters."""
        return self.candidates[0].params

    @property
    def seed(self) -> int:
        """Of every random draw."""
        return self.recipe.split.seed

    @property
    def judge(self) -> str:
        """The metric that decides."""
        return self.recipe.judge or default_judge(self.sheet.answers)

    @property
    def metrics(self) -> Metrics:
        """For the manifest: the figures, the ends of their intervals, and the facts."""
        ends = {
            f"{name}_{end}": value
            for name, pair in self.intervals.items()
            for end, value in zip(("low", "high"), pair, strict=True)
        }
        return {**self.figures, **ends, **self.facts}

    @property
    def sample(self) -> pd.DataFrame:
        """Up to `SAMPLE_ROWS` held-out rows with all columns, spread over their order."""
        return self.held_out.iloc[spread(len(self.held_out), SAMPLE_ROWS)].reset_index(drop=True)
