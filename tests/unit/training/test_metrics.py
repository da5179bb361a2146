"""Metrics on rows that an estimator has not seen."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import KMeans
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from stream.errors import Refused
from stream.training.metrics import kind_of, measure

ROWS = pd.DataFrame({"x": [0.0, 1.0, 2.0, 3.0]})


def test_two_classes_have_the_five_figures() -> None:
    """A constant probability of a quarter gives figures that can be worked out by hand."""
    truth = np.array([False, False, False, True])
    figures = measure(DummyClassifier(strategy="prior").fit(ROWS, truth), ROWS, truth)

    assert figures == pytest.approx(
        {"accuracy": 0.75, "log_loss": -(0.75 * np.log(0.75) + 0.25 * np.log(0.25)), "brier": 0.1875,
         "base_rate": 0.25, "auc": 0.5}
    )  # fmt: skip


def test_text_classes_count_the_second_as_happened() -> None:
    """Labels of any type: base rate and AUC are those of `classes_[1]`."""
    truth = np.array(["no", "no", "yes", "yes"])
    figures = measure(LogisticRegression().fit(ROWS, truth), ROWS, truth)

    assert (0.5, 1.0) == (figures["base_rate"], figures["auc"])


def test_auc_is_left_out_where_only_one_class_came() -> None:
    """No AUC rather than a false one."""
    estimator = LogisticRegression().fit(ROWS, [0, 0, 1, 1])

    assert "auc" not in measure(estimator, ROWS, np.zeros(4, dtype=int))


def test_three_classes_have_accuracy_log_loss_and_f1() -> None:
    """What is only defined for two classes is not made up for three."""
    truth = np.array([0, 1, 2, 2])

    assert {"accuracy", "log_loss", "f1_macro"} == set(
        measure(LogisticRegression().fit(ROWS, truth), ROWS, truth)
    )


def test_classifier_without_probabilities_has_accuracy() -> None:
    """A decision function is no probability."""
    truth = np.array([0, 0, 1, 1])

    assert {"accuracy"} == set(measure(LinearSVC().fit(ROWS, truth), ROWS, truth))


def test_regressor_has_errors_in_the_targets_unit() -> None:
    """The mean of 0, 2, 4, 6 is off by 2 on average."""
    truth = np.array([0.0, 2.0, 4.0, 6.0])
    figures = measure(DummyRegressor().fit(ROWS, truth), ROWS, truth)

    assert {"mae": 2.0, "rmse": 5**0.5, "r2": 0.0} == pytest.approx(figures)


def test_clusterer_is_refused() -> None:
    """What has no truth can't be trained by a recipe, and the message says what to do instead."""
    with pytest.raises(Refused, match="KMeans is neither") as caught:
        kind_of(KMeans())

    assert "stream pack" in caught.value.mend
