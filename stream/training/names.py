"""What a recipe may define: every name, its type, its default and its meaning. docs/training.md is written from it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import NoneType
from typing import Final

__all__ = ["MUST", "NAMES", "Named"]

_TEXTS = (list, tuple)


MUST: Final = object()
"""There is no default: every recipe has to define the name."""


@dataclass(frozen=True, slots=True)
class Named:
    """
    A name that a recipe may define.

    Attributes:
        meaning: what it is, without a full stop.
        kinds: the types that it may have; none for a function.
        default: its value where the recipe doesn't define it; `MUST` where the recipe has to.
        texts: whether it holds texts and nothing else.
    """

    meaning: str
    kinds: tuple[type, ...] = ()
    default: object = MUST
    texts: bool = False

    @property
    def required(self) -> bool:
        """Whether every recipe has to define it."""
        return self.default is MUST

    @property
    def expected(self) -> str:
        """Its types in words."""
        if not self.kinds:
            return "a function"
        return " or ".join("None" if kind is NoneType else kind.__name__ for kind in self.kinds)


NAMES: dict[str, Named] = {
    "NAME": Named("the model's name, a text", (str,)),
    "FEATURES": Named("the columns that the estimator takes, in order", _TEXTS, texts=True),
    "TARGET": Named("the column to predict; rows without it are left out", (str,)),
    "estimator": Named("a function that returns a fresh, unfitted scikit-learn classifier or regressor"),
    "load": Named(
        "a function that returns the rows, a DataFrame; with DATA it takes one argument, that path",
        (),
        None,
    ),
    "DATA": Named(
        "the path of the rows, relative to the recipe: csv, parquet, avro, JSON or Arrow, or what load(path) reads;"
        " `--data` overrides it",
        (str, Path, NoneType),
        None,
    ),
    "TIME": Named(
        "the column of the rows' time: the last are held out, and the search goes forward in time",
        (str, NoneType),
        None,
    ),
    "GROUP": Named(
        "the column of the rows' group (a customer, a patient): a group is held out whole, or not at all",
        (str, NoneType),
        None,
    ),
    "SPLIT": Named(
        'the text "random", where there is neither TIME nor GROUP: rows are held out at random, stratified by'
        " class",
        (str, NoneType),
        None,
    ),
    "HOLD_OUT": Named(
        "the share of the rows (of the groups) that is kept back for the metrics", (float,), 0.2
    ),
    "FOLDS": Named("the number of cross-validation folds of the search", (int,), 4),
    "GRID": Named(
        "estimator parameters and the values to try, as scikit-learn's GridSearchCV takes them",
        (dict, list, tuple),
        {},
    ),
    "SCORING": Named(
        "scikit-learn's name of the score that the search chooses by; None for log loss (without probabilities:"
        " accuracy) or the root of the mean squared error",
        (str, NoneType),
        None,
    ),
    "JUDGE": Named(
        "the metric that compares versions, and measures the importance of a column; None for `log_loss`"
        " (without probabilities: `accuracy`) or `rmse`",
        (str, NoneType),
        None,
    ),
    "SEED": Named(
        "the seed of the split, the folds, the intervals, and of every `random_state` that the estimator leaves"
        " open; `--seed` overrides it",
        (int,),
        0,
    ),
    "BY": Named(
        "columns by whose values the card breaks the metrics down; None for the features that are texts or true"
        " and false",
        (list, tuple, NoneType),
        None,
        texts=True,
    ),
    "SCHEMA": Named(
        "the path of the events' Avro schema, relative to the recipe; None to infer it from the rows",
        (str, Path, NoneType),
        None,
    ),
    "CARRY": Named(
        "fields of the event that each prediction repeats, by original or Avro name", _TEXTS, (), texts=True
    ),
    "PROBABILITIES": Named("whether predictions hold every class's probability", (bool,), False),
}
"""By name, in the order of the documentation."""
