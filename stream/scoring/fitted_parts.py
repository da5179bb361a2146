"""
The fitted parts of an estimator: what is inside a pipeline, a search, a wrapper, and which columns each part sees.

All code that looks inside an estimator uses `walk`, `inside` or `answering`. Where a class keeps its parts is a row of
`_BY_CLASS` or `_BY_ATTRIBUTE`. No row imports its library: a class that is not loaded has no instances.
"""

from __future__ import annotations

import itertools
import operator
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

__all__ = ["Part", "answering", "inside", "walk"]

Names: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """
    A part of an estimator.

    Attributes:
        estimator: fitted; or a word of scikit-learn's, `drop` or `passthrough`.
        columns: the columns that it sees; for a pipeline's later steps these at most.
        answers: whether its answers are those of what holds it.
        whole: whether it is given the very input that its holder is given: all columns, in order, unchanged.
    """

    estimator: Any
    columns: Names
    answers: bool = False
    whole: bool = False


def _steps(pipeline: Any, names: Names) -> list[Part]:
    last = len(pipeline.steps) - 1
    changed = [
        False,
        *itertools.accumulate((not _hands_on(step) for _, step in pipeline.steps), operator.or_),
    ]
    return [
        Part(step, names, answers=i == last, whole=not changed[i])
        for i, (_, step) in enumerate(pipeline.steps)
    ]


def _hands_on(step: Any) -> bool:
    """A step that changes nothing of what it is asked about; a sampler changes training rows only."""
    if step is None or isinstance(step, str):
        return True
    if hasattr(step, "fit_resample") and not hasattr(step, "transform"):
        return True
    kind = getattr(sys.modules.get("sklearn.preprocessing"), "FunctionTransformer", None)
    return kind is not None and type(step) is kind and step.func is None


def _transformers(columns: Any, names: Names) -> list[Part]:
    return [Part(part, _chosen(chosen, names)) for _, part, chosen in columns.transformers_]


def _united(union: Any, names: Names) -> list[Part]:
    return [Part(part, names, whole=True) for _, part in union.transformer_list]


def _stacked(stack: Any, names: Names) -> list[Part]:
    """The last one sees the answers of the others, and the columns beside them if it is told to."""
    last = Part(stack.final_estimator_, names if stack.passthrough else ())
    return [*(Part(part, names, whole=True) for part in stack.estimators_), last]


def _calibrated(calibration: Any, names: Names) -> list[Part]:
    return [Part(pair.estimator, names, whole=True) for pair in calibration.calibrated_classifiers_]


def _drawn(ensemble: Any, names: Names) -> list[Part]:
    """Each sees the columns that were drawn for it, by position."""
    drawn = zip(ensemble.estimators_, ensemble.estimators_features_, strict=True)
    return [Part(part, _chosen(features, names)) for part, features in drawn]


def _selected(selection: Any, names: Names) -> list[Part]:
    return [Part(selection.estimator_, _chosen(selection.support_, names))]


def _frozen(frozen: Any, names: Names) -> list[Part]:
    return [Part(frozen.estimator, names, answers=True, whole=True)]


def _wrapped(wrapper: Any, names: Names) -> list[Part]:
    return [Part(wrapper.transformer_, _chosen(wrapper.variables_, names))]


_BY_CLASS: tuple[tuple[str, str, Callable[[Any, Names], list[Part]]], ...] = (
    ("sklearn.pipeline", "Pipeline", _steps),
    ("sklearn.compose", "ColumnTransformer", _transformers),
    ("sklearn.pipeline", "FeatureUnion", _united),
    ("sklearn.ensemble", "StackingClassifier", _stacked),
    ("sklearn.ensemble", "StackingRegressor", _stacked),
    ("sklearn.ensemble", "BaggingClassifier", _drawn),
    ("sklearn.ensemble", "BaggingRegressor", _drawn),
    ("sklearn.calibration", "CalibratedClassifierCV", _calibrated),
    ("sklearn.feature_selection", "RFE", _selected),
    ("sklearn.frozen", "FrozenEstimator", _frozen),
    ("feature_engine.wrappers", "SklearnTransformerWrapper", _wrapped),
)
"""Module, class, and what its instances hold; subclasses as well."""

_BY_ATTRIBUTE = (
    ("best_estimator_", True, True),
    ("estimators_", False, True),
    ("regressor_", False, True),
    ("estimator_", False, True),
    ("_preprocessor", False, False),
)
"""
Where the others keep the estimators that they wrap (a search's best; the parts of a vote, a chain, a multi-output,
one per class; a transformed target's regressor; gradient boosting's own encoder); whether it answers for them, and
whether it is given their whole input, where they are scikit-learn's own or imbalanced-learn's. The first that is there
counts, since an ensemble's `estimator_` is a template.
"""


def inside(estimator: object, names: Names) -> list[Part]:
    """
    The parts that an estimator holds itself.

    Args:
        estimator: fitted.
        names: its columns.
    Returns: its parts in their order, without those that they hold in turn; none for an estimator of one piece.
    """
    for module, name, parts in _BY_CLASS:
        kind = getattr(sys.modules.get(module), name, None)
        if kind is not None and isinstance(estimator, kind):
            return parts(estimator, names)
    known = type(estimator).__module__.startswith(("sklearn.", "imblearn."))
    for attribute, answers, whole in _BY_ATTRIBUTE:
        inner = getattr(estimator, attribute, None)
        if isinstance(inner, (list, tuple)):
            return [Part(part, names, whole=whole and known) for part in inner]
        if inner is not None and not isinstance(inner, (str, np.ndarray)):
            return [Part(inner, names, answers=answers and known, whole=whole and known)]
    return []


def walk(estimator: object, names: Names) -> Iterator[Part]:
    """An estimator that was fitted on these columns, then all that is inside it, each part before its own parts."""
    yield Part(estimator, names)
    for part in inside(estimator, names):
        yield from walk(part.estimator, part.columns)


def answering(estimator: object) -> object:
    """The innermost part whose answers are those of the whole, through pipelines and searches; else itself."""
    while part := next((part for part in inside(estimator, ()) if part.answers), None):
        estimator = part.estimator
    return estimator


def _chosen(chosen: object, names: Names) -> Names:
    """A ColumnTransformer's columns by name: of names, positions, a slice or a mask, in a list or pandas' own."""
    if isinstance(chosen, slice):
        return _sliced(chosen, names)
    listed = list(chosen) if isinstance(chosen, Iterable) and not isinstance(chosen, str) else [chosen]
    if listed and isinstance(listed[0], (bool, np.bool_)):
        listed = [i for i, taken in enumerate(listed) if taken]
    if all(isinstance(item, str) for item in listed):
        return tuple(str(item) for item in listed)
    places = [int(item) for item in listed if isinstance(item, (int, np.integer))]
    if len(places) == len(listed) and all(-len(names) <= place < len(names) for place in places):
        return tuple(names[place] for place in places)
    return names  # it stands behind another step, and its positions are not those of the names


def _sliced(chosen: slice, names: Names) -> Names:
    """Positions as in Python; between two names both ends count, as in pandas."""
    ends = [end for end in (chosen.start, chosen.stop) if isinstance(end, str)]
    if not set(ends) <= set(names):
        return names
    start = names.index(chosen.start) if isinstance(chosen.start, str) else chosen.start
    stop = names.index(chosen.stop) + 1 if isinstance(chosen.stop, str) else chosen.stop
    return names[start : stop : chosen.step]
