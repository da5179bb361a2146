"""
What a fitted estimator says of itself: its kind, its columns, its classes, its scores.

scikit-learn is imported where it is asked, not at the top: it takes two seconds, and a process that only
reads a package's schemas does not need it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from stream.manifest import ScoreMethod
from stream.scoring.fitted_parts import answering
from stream.scoring.known_columns import KnownColumns, known_columns

__all__ = ["Estimator", "Kind", "Profile", "profile"]

Kind = Literal["classifier", "regressor", "outlier", "clusterer", "other"]
"""What an estimator is, before one knows how many outputs it has."""


class Estimator(Protocol):
    """Anything with `predict`."""

    def predict(self, x: object, /) -> object:
        """One answer per row of x."""


@dataclass(frozen=True, slots=True)
class Profile:
    """
    What an estimator says of itself.

    Attributes:
        kind: by scikit-learn's own test.
        columns: what it says of its columns.
        classes: `classes_` as it is: an array, a list of arrays for several outputs, or None.
        score: the method that gives scores, `predict_proba` before `decision_function`.
        consistent: known to give as label the class of its largest score.
    """

    kind: Kind
    columns: KnownColumns
    classes: object
    score: ScoreMethod | None
    consistent: bool


# scikit-learn's estimators whose `predict` is the class of the largest `predict_proba` (or
# `decision_function`) by construction; ties excepted, which are asked of `predict`. Others are asked both:
# SVC's probabilities come from a second model, a tuned threshold is not one half.
_CONSISTENT = frozenset({
    "AdaBoostClassifier", "BaggingClassifier", "BernoulliNB", "CalibratedClassifierCV", "CategoricalNB",
    "ComplementNB", "DecisionTreeClassifier", "EllipticEnvelope", "ExtraTreeClassifier",
    "ExtraTreesClassifier", "GaussianNB", "GradientBoostingClassifier", "HistGradientBoostingClassifier",
    "IsolationForest", "KNeighborsClassifier", "LinearDiscriminantAnalysis", "LinearSVC", "LogisticRegression",
    "LogisticRegressionCV", "MLPClassifier", "MultinomialNB", "OneClassSVM", "PassiveAggressiveClassifier",
    "Perceptron", "QuadraticDiscriminantAnalysis", "RandomForestClassifier", "RidgeClassifier",
    "RidgeClassifierCV", "SGDClassifier", "SGDOneClassSVM",
})  # fmt: skip


def profile(estimator: object) -> Profile:
    """Look at a fitted estimator without asking it for an answer."""
    last = answering(estimator)
    return Profile(
        kind=_kind(estimator),
        columns=known_columns(estimator),
        classes=_classes(estimator),
        score=_score_method(estimator, last),
        consistent=_is_consistent(last),
    )


def _is_consistent(last: object) -> bool:
    kind = type(last)
    if kind.__module__.startswith("sklearn."):
        return kind.__name__ in _CONSISTENT
    # The boosting libraries' `predict` takes the largest probability too (lightgbm 4.7, xgboost 3.2 and catboost
    # 1.2.10: their source), but for a loss of one's own, a threshold that was set, and labels as the only answer.
    match f"{kind.__module__}.{kind.__name__}":
        case "lightgbm.sklearn.LGBMClassifier":
            return not callable(getattr(last, "objective_", None))
        case "xgboost.sklearn.XGBClassifier":
            objective = getattr(last, "objective", None)
            return not callable(objective) and objective != "multi:softmax"
        case "catboost.core.CatBoostClassifier":
            return getattr(last, "get_probability_threshold", float)() in (None, 0.5)
    return False


def _classes(estimator: object) -> object:
    """`classes_`; CatBoost's models without classes have an empty array there."""
    classes = getattr(estimator, "classes_", None)
    return None if classes is None or len(classes) == 0 else classes


def _kind(estimator: object) -> Kind:
    # scikit-learn's tests warn or raise for classes without its tags; those say what they are by attributes.
    if not hasattr(estimator, "__sklearn_tags__"):
        return "other" if _classes(estimator) is None else "classifier"
    from sklearn.base import is_classifier, is_clusterer, is_outlier_detector, is_regressor

    if is_outlier_detector(estimator):
        return "outlier"
    if is_classifier(estimator):
        return "classifier"
    if is_regressor(estimator):
        return "regressor"
    if is_clusterer(estimator):
        return "clusterer"
    return "other" if _classes(estimator) is None else "classifier"


def _score_method(estimator: object, last: object) -> ScoreMethod | None:
    if callable(getattr(estimator, "predict_proba", None)):
        return "predict_proba"
    # One against one: a column per pair of classes, of which none is a label's (three classes: three pairs).
    if getattr(last, "decision_function_shape", "") == "ovo" and len(getattr(last, "classes_", ())) > 2:
        return None
    return "decision_function" if callable(getattr(estimator, "decision_function", None)) else None
