"""Metrics on rows that an estimator has not seen."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics
from sklearn.cluster import KMeans
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from stream.errors import Refused
from stream.training.model_metrics import Answers, Sheet, kind_of, measure

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
    """Where the AUC is not defined there is none, rather than a wrong one."""
    estimator = LogisticRegression().fit(ROWS, [0, 0, 1, 1])

    assert "auc" not in measure(estimator, ROWS, np.zeros(4, dtype=int))


def test_three_classes_have_accuracy_log_loss_and_f1() -> None:
    """What is only defined for two classes is not made up for three."""
    truth = np.array([0, 1, 2, 2])

    assert {"accuracy", "log_loss", "f1_macro"} == set(
        measure(LogisticRegression().fit(ROWS, truth), ROWS, truth)
    )


def test_classifier_without_probabilities_has_accuracy() -> None:
    """A decision function is not a probability."""
    truth = np.array([0, 0, 1, 1])

    assert {"accuracy"} == set(measure(LinearSVC().fit(ROWS, truth), ROWS, truth))


def test_regressor_has_errors_in_the_targets_unit() -> None:
    """The mean of 0, 2, 4, 6 is off by 2 on average."""
    truth = np.array([0.0, 2.0, 4.0, 6.0])
    figures = measure(DummyRegressor().fit(ROWS, truth), ROWS, truth)

    assert {"mae": 2.0, "rmse": 5**0.5, "r2": 0.0} == pytest.approx(figures)


def test_class_in_place_of_an_estimator_is_refused() -> None:
    """A class in place of an instance is named; the hint adds the parentheses."""
    with pytest.raises(Refused, match="LinearSVC is a class") as caught:
        kind_of(LinearSVC)

    assert "make one: LinearSVC()" == caught.value.hint


def test_clusterer_is_refused() -> None:
    """What has no truth can't be trained by a recipe, and the message says what to do instead."""
    with pytest.raises(Refused, match="KMeans is neither") as caught:
        kind_of(KMeans())

    assert "stream pack" in caught.value.hint


def _sheet(kind: str) -> Sheet:
    random = np.random.default_rng(5)
    truth = random.integers(0, 3 if kind == "several" else 2, 300)
    if kind == "numbers":
        return Sheet(Answers("regressor", random.normal(0, 3, 300)), random.normal(1, 4, 300))
    raw = np.round(random.random((300, truth.max() + 1)) + 0.1, 1)  # rounded: scores are shared by many rows
    probabilities = raw / raw.sum(axis=1, keepdims=True)
    classes = np.arange(truth.max() + 1)
    return Sheet(Answers("classifier", classes[probabilities.argmax(axis=1)], classes, probabilities), truth)


def _by_scikit_learn(sheet: Sheet, w: np.ndarray) -> dict[str, float]:
    answers, truth = sheet.answers, sheet.truth
    if answers.kind == "regressor":
        pair = (truth, answers.values)
        return {
            "mae": metrics.mean_absolute_error(*pair, sample_weight=w),
            "rmse": metrics.root_mean_squared_error(*pair, sample_weight=w),
            "r2": metrics.r2_score(*pair, sample_weight=w),
        }
    assert answers.probabilities is not None
    found = {
        "accuracy": metrics.accuracy_score(truth, answers.values, sample_weight=w),
        "log_loss": metrics.log_loss(truth, answers.probabilities, sample_weight=w),
    }
    if not answers.binary:
        return found | {"f1_macro": metrics.f1_score(truth, answers.values, average="macro", sample_weight=w)}
    score = answers.probabilities[:, 1]
    return found | {
        "auc": metrics.roc_auc_score(truth, score, sample_weight=w),
        "brier": metrics.brier_score_loss(truth, score, sample_weight=w),
        "base_rate": float(np.average(truth, weights=w)),
    }


@pytest.mark.parametrize("kind", ["two", "several", "numbers"])
def test_figures_are_scikit_learns_under_any_weights(kind: str) -> None:
    """Many weights at once, some of them 0, give what scikit-learn gives one by one."""
    sheet = _sheet(kind)
    weights = np.random.default_rng(1).integers(0, 4, (5, 300)).astype(float)
    found = sheet.weighed(np.vstack([np.ones(300), weights]))

    for i, w in enumerate([np.ones(300), *weights]):
        expected = _by_scikit_learn(sheet, w)
        assert expected == pytest.approx({name: values[i] for name, values in found.items()})
    assert _by_scikit_learn(sheet, np.ones(300)) == pytest.approx(sheet.figures())


def test_label_that_no_class_is_costs_the_utmost() -> None:
    """A truth that the model does not know counts as a probability of nothing, never as a crash."""
    sheet = Sheet(
        Answers("classifier", np.array([0]), np.array([0, 1]), np.array([[0.5, 0.5]])), np.array([7])
    )

    assert sheet.figures()["log_loss"] > 30


def test_constant_truth_has_no_r2() -> None:
    """There is no variance to explain."""
    assert "r2" not in Sheet(Answers("regressor", np.array([1.0, 2.0])), np.array([3.0, 3.0])).figures()
