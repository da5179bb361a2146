"""How good an estimator is on rows that it has not seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, TypeAlias

import numpy as np
import pandas as pd
from sklearn.base import is_classifier, is_regressor

from stream.errors import Refused

__all__ = ["HIGHER_IS_BETTER", "Answers", "Figures", "Kind", "Sheet", "answers_of", "default_judge", "kind_of",
           "measure", "scoring_of"]  # fmt: skip

Kind = Literal["classifier", "regressor"]
"""The kinds of estimators that a recipe can train and measure."""

Figures: TypeAlias = "dict[str, float]"

HIGHER_IS_BETTER: Mapping[str, bool] = {
    "log_loss": False, "auc": True, "accuracy": True, "f1_macro": True, "brier": False,
    "rmse": False, "mae": False, "r2": True,
}  # fmt: skip
"""The metrics that can judge, and whether higher is better. `base_rate` says how often, not how well."""


def kind_of(estimator: object) -> Kind:
    """
    Whether an estimator is a classifier or a regressor.

    Raises: Refused when it is neither a classifier nor a regressor.
    """
    if isinstance(estimator, type):
        raise Refused(
            f"{estimator.__name__} is a class, not an estimator", hint=f"make one: {estimator.__name__}()"
        )
    if hasattr(estimator, "__sklearn_tags__"):
        if is_classifier(estimator):
            return "classifier"
        if is_regressor(estimator):
            return "regressor"
    raise Refused(
        f"a {type(estimator).__name__} is neither a classifier nor a regressor",
        hint="fit it yourself and pack it with `stream pack`",
    )


def scoring_of(estimator: object) -> str:
    """scikit-learn's name of the score by which such an estimator is chosen, when the recipe names none."""
    if kind_of(estimator) == "regressor":
        return "neg_root_mean_squared_error"
    # The probability is published, so the search chooses by it.
    return "neg_log_loss" if hasattr(estimator, "predict_proba") else "accuracy"


@dataclass(frozen=True, slots=True)
class Answers:
    """
    A model's predictions for n rows.

    Attributes:
        kind: of the model.
        values: shape (n,): labels or numbers.
        classes: the labels in the model's order; None for numbers.
        probabilities: shape (n, classes); None where the model gives none.
    """

    kind: Kind
    values: np.ndarray
    classes: np.ndarray | None = None
    probabilities: np.ndarray | None = None

    @property
    def binary(self) -> bool:
        """Whether there are two classes."""
        return self.classes is not None and len(self.classes) == 2

    def rows(self, which: np.ndarray) -> Answers:
        """The answers for some of the rows: their positions, or a mask."""
        probabilities = None if self.probabilities is None else self.probabilities[which]
        return Answers(self.kind, self.values[which], self.classes, probabilities)


def answers_of(estimator: Any, rows: pd.DataFrame) -> Answers:
    """
    A fitted estimator's predictions.

    Args:
        estimator: a fitted classifier or regressor.
        rows: its features, n ≥ 1 rows.
    Raises: whatever the estimator raises.
    """
    kind = kind_of(estimator)
    values = np.asarray(estimator.predict(rows))
    if kind == "regressor":
        return Answers(kind, values.astype(float).reshape(len(rows)))
    probabilities = estimator.predict_proba(rows) if hasattr(estimator, "predict_proba") else None
    return Answers(kind, values.reshape(len(rows)), np.asarray(estimator.classes_), probabilities)


def default_judge(answers: Answers) -> str:
    """The metric that decides, when the recipe names none."""
    if answers.kind == "regressor":
        return "rmse"
    return "accuracy" if answers.probabilities is None else "log_loss"


def measure(estimator: Any, rows: pd.DataFrame, truth: np.ndarray) -> Figures:
    """
    Measure a fitted estimator.

    Args:
        estimator: a fitted classifier or regressor.
        rows: its features, n ≥ 1 rows.
        truth: shape (n,), labels or numbers.
    Returns: for classes `accuracy`, and with probabilities `log_loss`; for two of them also `auc` (if both
        are in `truth`), `brier` and `base_rate` (share of the second class), for more `f1_macro`; for numbers
        `mae`, `rmse` and `r2` (if n ≥ 2 and they differ).
    """
    return Sheet(answers_of(estimator, rows), truth).figures()


class Sheet:
    """
    Answers and the truth, to be measured many times under different weights.

    A weight says how often a row counts: the effect of resampling rows, without copying them. The figures are
    scikit-learn's (a test compares them); what doesn't depend on the weights is computed once.

    Args:
        answers: of n ≥ 1 rows.
        truth: shape (n,).
    """

    def __init__(self, answers: Answers, truth: np.ndarray) -> None:
        self.answers = answers
        self.truth = truth

    def figures(self) -> Figures:
        """
        Returns: the metrics, as `measure` names them; one that these rows don't define is left out.
        """
        found = self.weighed(np.ones((1, len(self.truth))))
        return {name: float(values[0]) for name, values in found.items() if np.isfinite(values[0])}

    def weighed(self, weights: np.ndarray) -> dict[str, np.ndarray]:
        """
        The metrics under each of several weights at once.

        Args:
            weights: shape (b, n), ≥ 0.
        Returns: by name, shape (b,); NaN where the rows that count don't define the metric.
        """
        total = weights.sum(axis=1)
        found = {name: weights @ loss / total for name, loss in self._losses.items()}
        if self.answers.kind == "regressor":
            mse = found.pop("mse")
            mean = weights @ self.truth / total
            spread = weights @ (self.truth - self.truth.mean()) ** 2 / total - (mean - self.truth.mean()) ** 2
            return {**found, "rmse": mse**0.5, "r2": 1 - mse / np.where(spread > 0, spread, np.nan)}
        if not self.answers.binary:
            return {**found, "f1_macro": self._f1(weights)}
        return found if self.answers.probabilities is None else {**found, "auc": self._auc(weights)}

    @cached_property
    def _losses(self) -> dict[str, np.ndarray]:
        """Metrics that are the mean of something per row, shape (n,) each."""
        answers = self.answers
        if answers.kind == "regressor":
            off = answers.values - self.truth
            return {"mae": np.abs(off), "mse": off**2}
        losses = {"accuracy": (answers.values == self.truth).astype(float)}
        if answers.probabilities is not None and answers.classes is not None:
            # As in scikit-learn's log_loss: no probability counts as exactly 0 or 1.
            eps = np.finfo(answers.probabilities.dtype).eps
            chosen = (self.truth[:, None] == answers.classes[None, :]) * answers.probabilities
            losses["log_loss"] = -np.log(np.clip(chosen.sum(axis=1), eps, 1 - eps))
            if answers.binary:
                losses["brier"] = (self.happened - answers.probabilities[:, 1]) ** 2
        if answers.binary and answers.probabilities is not None:
            losses["base_rate"] = self.happened
        return losses

    @cached_property
    def happened(self) -> np.ndarray:
        """Whether the truth is the second of two classes: 1.0 or 0.0, shape (n,)."""
        assert self.answers.classes is not None  # for classifiers only
        return np.asarray((self.truth == self.answers.classes[1]).astype(float))

    @cached_property
    def _by_score(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The rows by descending score, the last of each run of equal scores, and what happened, in that order."""
        assert self.answers.probabilities is not None
        score = self.answers.probabilities[:, 1]
        order = np.argsort(-score, kind="stable")
        last = np.flatnonzero(np.append(np.diff(score[order]) != 0, True))
        return order, last, self.happened[order]

    def _auc(self, weights: np.ndarray) -> np.ndarray:
        """The area under the ROC curve; the rows are ordered once."""
        order, last, happened = self._by_score
        ordered = weights[:, order]
        true = np.cumsum(ordered * happened, axis=1)[:, last]
        false = np.cumsum(ordered, axis=1)[:, last] - true
        both = true[:, -1] * false[:, -1]
        # From (0, 0) to the first point, then by the trapezoidal rule.
        area = true[:, 0] * false[:, 0] / 2 + np.trapezoid(true, false, axis=1)
        return np.asarray(area / np.where(both > 0, both, np.nan))

    @cached_property
    def _cells(self) -> tuple[np.ndarray, int]:
        """Each row's cell in the table of true and predicted labels, and the number of labels."""
        labels, codes = np.unique(
            np.concatenate([self.truth, self.answers.values]).astype(object), return_inverse=True
        )
        true, predicted = np.split(codes.reshape(-1), 2)
        return true * len(labels) + predicted, len(labels)

    def _f1(self, weights: np.ndarray) -> np.ndarray:
        """The mean F1 of the labels that occur."""
        cells, k = self._cells
        b = len(weights)
        places = cells + np.arange(b)[:, None] * k * k
        table = np.bincount(places.ravel(), weights=weights.ravel(), minlength=b * k * k).reshape(b, k, k)
        both = table.sum(axis=1) + table.sum(axis=2)
        right = 2 * np.diagonal(table, axis1=1, axis2=2)
        scores = np.divide(right, both, out=np.zeros_like(right), where=both > 0)
        return np.asarray(scores.sum(axis=1) / (both > 0).sum(axis=1))
