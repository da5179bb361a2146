"""
What a fitted estimator says of itself: its kind, its columns, its classes, how it takes a missing text.

scikit-learn is imported where it is asked, not at the top: it takes two seconds, and whoever only reads a
package's schemas needs none of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

__all__ = ["Estimator", "Kind", "Profile", "chosen_names", "known_texts", "missing_texts", "profile"]

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
        names: `feature_names_in_`, or None where it was fitted on plain arrays.
        width: `n_features_in_`, or None where it doesn't say.
        classes: `classes_` as it is: an array, a list of arrays for several outputs, or None.
        score: the method that gives scores, `predict_proba` before `decision_function`.
        consistent: known to give as label the class of its largest score.
    """

    kind: Kind
    names: tuple[str, ...] | None
    width: int | None
    classes: object
    score: Literal["predict_proba", "decision_function"] | None
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
    """
    Look at an estimator without asking it for an answer.

    Args:
        estimator: fitted.
    Returns: what it says of itself.
    """
    names = getattr(estimator, "feature_names_in_", None)
    width = getattr(estimator, "n_features_in_", None)
    last = _last(estimator)
    return Profile(
        kind=_kind(estimator),
        names=None if names is None else tuple(str(name) for name in names),
        width=None if width is None else int(width),
        classes=getattr(estimator, "classes_", None),
        score=_score_method(estimator, last),
        consistent=type(last).__module__.startswith("sklearn.") and type(last).__name__ in _CONSISTENT,
    )


def _kind(estimator: object) -> Kind:
    # scikit-learn's tests warn or raise for classes without its tags; those say what they are by attributes.
    if not hasattr(estimator, "__sklearn_tags__"):
        return "classifier" if hasattr(estimator, "classes_") else "other"
    from sklearn.base import is_classifier, is_clusterer, is_outlier_detector, is_regressor

    if is_outlier_detector(estimator):
        return "outlier"
    if is_classifier(estimator):
        return "classifier"
    if is_regressor(estimator):
        return "regressor"
    if is_clusterer(estimator):
        return "clusterer"
    return "classifier" if hasattr(estimator, "classes_") else "other"


def _score_method(estimator: object, last: object) -> Literal["predict_proba", "decision_function"] | None:
    if callable(getattr(estimator, "predict_proba", None)):
        return "predict_proba"
    # One against one: a column per pair of classes, of which none is a label's (three classes: three pairs).
    if getattr(last, "decision_function_shape", "") == "ovo" and len(getattr(last, "classes_", ())) > 2:
        return None
    return "decision_function" if callable(getattr(estimator, "decision_function", None)) else None


def _last(estimator: object) -> object:
    """The estimator that answers: through pipelines and searches."""
    from sklearn.pipeline import Pipeline

    while True:
        if isinstance(estimator, Pipeline):
            estimator = estimator.steps[-1][1]
        elif hasattr(estimator, "best_estimator_") and type(estimator).__module__.startswith("sklearn."):
            estimator = estimator.best_estimator_
        else:
            return estimator


def missing_texts(estimator: object, names: Sequence[str]) -> dict[str, Literal["None", "NaN"]]:
    """
    How each text column said "missing" when the estimator was fitted.

    pandas 3 reads a missing text as NaN, older ones and hand-made frames hold None. To an encoder these are
    two categories, and an imputer fills the one it was set for only: given the other, a model answers without
    a word, and wrongly.

    Args:
        estimator: fitted.
        names: its columns.
    Returns: by column, what its fitted encoders and imputers show; a column without evidence is left out.
    """
    found: dict[str, Literal["None", "NaN"]] = {}
    for part, columns in _parts(estimator, tuple(names)):
        for name, evidence in _evidence(part, columns):
            if found.get(name) != "None":
                found[name] = evidence
    return found


def known_texts(estimator: object, names: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """
    The texts that the estimator's encoders know, by column.

    Args:
        estimator: fitted.
        names: its columns.
    Returns: for each column with an encoder of its own, the categories that are texts.
    """
    known: dict[str, tuple[str, ...]] = {}
    for part, columns in _parts(estimator, tuple(names)):
        categories = getattr(part, "categories_", None)
        if isinstance(categories, list) and len(categories) == len(columns):
            for name, values in zip(columns, categories, strict=True):
                known[name] = tuple(value for value in values if isinstance(value, str))
    return known


def _evidence(part: object, columns: tuple[str, ...]) -> Iterator[tuple[str, Literal["None", "NaN"]]]:
    """What one part shows, by column; only parts that were fitted on objects speak of texts."""
    categories = getattr(part, "categories_", None)
    if isinstance(categories, list):
        for i, values in enumerate(categories):
            missing = [value for value in values if value is None or value != value]
            if missing and values.dtype == object:
                known = (columns[i],) if len(categories) == len(columns) else columns
                yield from ((name, "None" if missing[0] is None else "NaN") for name in known)
    statistics = getattr(part, "statistics_", None)  # SimpleImputer's
    if isinstance(statistics, np.ndarray) and statistics.dtype == object:
        wanted = getattr(part, "missing_values", "")
        if wanted is None or wanted != wanted:
            yield from ((name, "None" if wanted is None else "NaN") for name in columns)


def _parts(estimator: object, names: tuple[str, ...]) -> Iterator[tuple[object, tuple[str, ...]]]:
    """Every fitted part of an estimator, with the columns it sees (a pipeline's later steps: at most those)."""
    from sklearn.compose import ColumnTransformer
    from sklearn.pipeline import FeatureUnion, Pipeline

    yield estimator, names
    if isinstance(estimator, Pipeline):
        for _, step in estimator.steps:
            yield from _parts(step, names)
    elif isinstance(estimator, ColumnTransformer):
        for _, part, chosen in estimator.transformers_:
            yield from _parts(part, chosen_names(chosen, names))
    elif isinstance(estimator, FeatureUnion):
        for _, part in estimator.transformer_list:
            yield from _parts(part, names)
    else:
        inner = _inner(estimator)
        if inner is not None:
            yield from _parts(inner, names)


def _inner(estimator: object) -> object:
    """What a wrapper wraps: a search's best, gradient boosting's own encoder."""
    for name in ("best_estimator_", "estimator_", "_preprocessor"):
        inner = getattr(estimator, name, None)
        if inner is not None and not isinstance(inner, (str, np.ndarray)):
            return inner
    return None


def chosen_names(chosen: object, names: tuple[str, ...]) -> tuple[str, ...]:
    """
    A ColumnTransformer's columns by name.

    Args:
        chosen: as it keeps them: names, positions, a slice or a mask.
        names: of all its columns.
    Returns: the chosen names in order; all names where positions are not those of the names.
    """
    if isinstance(chosen, slice):
        return _sliced(chosen, names)
    listed = list(chosen) if isinstance(chosen, (list, tuple, np.ndarray)) else [chosen]
    if listed and isinstance(listed[0], (bool, np.bool_)):
        listed = [i for i, taken in enumerate(listed) if taken]
    if all(isinstance(item, str) for item in listed):
        return tuple(str(item) for item in listed)
    places = [int(item) for item in listed if isinstance(item, (int, np.integer))]
    if len(places) == len(listed) and all(-len(names) <= place < len(names) for place in places):
        return tuple(names[place] for place in places)
    return names  # it stands behind another step, and its positions are not those of the names


def _sliced(chosen: slice, names: tuple[str, ...]) -> tuple[str, ...]:
    """Positions as in Python; between two names both ends count, as in pandas."""
    ends = [end for end in (chosen.start, chosen.stop) if isinstance(end, str)]
    if not set(ends) <= set(names):
        return names
    start = names.index(chosen.start) if isinstance(chosen.start, str) else chosen.start
    stop = names.index(chosen.stop) + 1 if isinstance(chosen.stop, str) else chosen.stop
    return names[start : stop : chosen.step]
