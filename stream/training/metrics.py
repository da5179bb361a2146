"""How good an estimator is on rows that it has not seen."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pandas as pd
from sklearn import metrics
from sklearn.base import is_classifier, is_regressor

from stream.errors import Refused

__all__ = ["DEFAULT_SCORING", "Kind", "kind_of", "measure"]

Kind = Literal["classifier", "regressor"]
"""What can be trained and measured by a recipe."""

DEFAULT_SCORING: dict[Kind, str] = {
    # The probability is what is published, so it is what the choice goes by.
    "classifier": "neg_log_loss",
    "regressor": "neg_root_mean_squared_error",
}
"""scikit-learn's name of the score that the search chooses by."""


def kind_of(estimator: object) -> Kind:
    """
    Say what an estimator is.

    Raises: Refused when it is neither a classifier nor a regressor.
    """
    if is_classifier(estimator):
        return "classifier"
    if is_regressor(estimator):
        return "regressor"
    raise Refused(
        f"a {type(estimator).__name__} is neither a classifier nor a regressor",
        mend="fit it yourself and pack it with `stream pack`",
    )


def measure(estimator: Any, rows: pd.DataFrame, truth: np.ndarray) -> dict[str, float]:
    """
    Measure a fitted estimator.

    Args:
        estimator: a fitted classifier or regressor.
        rows: its features, n ≥ 1 rows.
        truth: shape (n,), labels or numbers.
    Returns: for classes `accuracy`, and with probabilities `log_loss`; for two of them also `auc` (if both
        are in `truth`), `brier` and `base_rate` (share of the second class); for numbers `mae`, `rmse` and
        `r2` (if n ≥ 2).
    """
    if kind_of(estimator) == "regressor":
        return _of_numbers(estimator.predict(rows), truth)
    figures = {"accuracy": metrics.accuracy_score(truth, estimator.predict(rows))}
    if hasattr(estimator, "predict_proba"):
        figures |= _of_probabilities(estimator.predict_proba(rows), estimator.classes_, truth)
    return {name: float(value) for name, value in figures.items()}


def _of_probabilities(probabilities: np.ndarray, classes: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """Metrics of probabilities, shape (n, classes)."""
    figures = {"log_loss": metrics.log_loss(truth, probabilities, labels=classes)}
    if len(classes) == 2:
        score, happened = probabilities[:, 1], truth == classes[1]
        figures["brier"] = metrics.brier_score_loss(happened, score)
        figures["base_rate"] = happened.mean()
        if 0 < happened.mean() < 1:
            figures["auc"] = metrics.roc_auc_score(happened, score)
    return figures


def _of_numbers(answers: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """Metrics of numbers, shape (n,)."""
    figures = {
        "mae": metrics.mean_absolute_error(truth, answers),
        "rmse": metrics.root_mean_squared_error(truth, answers),
    }
    if len(truth) > 1:
        figures["r2"] = metrics.r2_score(truth, answers)
    return {name: float(value) for name, value in figures.items()}
