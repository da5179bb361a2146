"""Asking an estimator for answers on real rows, to learn what they are: nothing is assumed from its class."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import get_args

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from stream.errors import PackageError
from stream.manifest import AnswerType, Label, Manifest, ScoreMethod, Task
from stream.manifest import Inputs as Shape
from stream.scoring import (
    Estimator,
    Inputs,
    Isolation,
    Model,
    Profile,
    WrongAnswer,
    attempt,
    plain_answer,
    plain_scores,
    taken,
    unshared,
)
from stream.types import dead_letter_of

__all__ = ["learn_answers"]

_FLOAT64 = 1e-9
_FLOAT32 = 1e-5

_SHAPES: dict[Shape, str] = {
    "frame": "DataFrame",
    "matrix": "matrix of numbers",
    "vector": "matrix of numbers",
    "series": "Series",
}
"""What the input of each shape is to the estimator's owner."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """The input of the rows that the estimator has an answer for, and those answers."""

    x: object
    rows: npt.NDArray[np.intp]
    predicted: npt.NDArray[np.generic]


def learn_answers(
    estimator: Estimator,
    profile: Profile,
    drafts: Sequence[Manifest],
    columns: Mapping[str, pa.Array],
    n: int,
) -> Manifest:
    """
    Fill in what the answers are: task, classes, answer type, where label and score come from, tolerance.

    Args:
        estimator: fitted.
        profile: what it says of itself.
        drafts: manifests with their inputs and features, the likelier first: the next is tried where the estimator
            raises on every row. The rest of them is overwritten.
        columns: of n ≥ 1 rows, by path.
        n: number of rows.
    Returns: the manifest, complete but for its files.
    Raises: PackageError (step `load`) if it has no answer for any row, or one of a type that can't be published.
    """
    draft, asked = _first_answered(estimator, drafts, columns, n)
    task, classes, answer = _kind_of_answer(profile, asked.predicted)
    known = replace(draft, task=task, classes=classes, answer=answer)
    if task in ("classifier", "outlier"):
        known = replace(known, score=_score_method(estimator, profile, known, asked))
    if draft.probabilities and (task != "classifier" or known.score != "predict_proba"):
        raise PackageError(
            f"the estimator gives no probabilities ({task}, {profile.score or 'predict only'})",
            step="load",
            hint="leave out --probabilities",
        )
    if profile.consistent and known.score is not None and _consistent(estimator, known, columns, n):
        known = replace(known, label="score")
    return replace(known, tolerance=_tolerance(estimator, known, asked))


def _first_answered(
    estimator: Estimator, drafts: Sequence[Manifest], columns: Mapping[str, pa.Array], n: int
) -> tuple[Manifest, _Asked]:
    """The first shape of the input that the estimator has answers for. Raises: what it said to each."""
    refusals: list[PackageError] = []
    for draft in drafts:
        with warnings.catch_warnings():
            if len(drafts) > 1:  # a part that was fitted on an array says so to a DataFrame at every call
                warnings.filterwarnings("error", ".*has feature names, but", UserWarning)
            try:
                return draft, _ask(estimator, draft, columns, n)
            except PackageError as error:
                refusals.append(error)
    *earlier, last = refusals
    said = [
        f"; as a {_SHAPES[draft.inputs]}: {error.message}"
        for draft, error in zip(drafts, earlier, strict=False)
        if error.message != last.message
    ]
    raise PackageError(f"{last.message}{''.join(said)}", step="load", hint=last.hint)


def _ask(estimator: Estimator, draft: Manifest, columns: Mapping[str, pa.Array], n: int) -> _Asked:
    built = Inputs(draft).build(columns, n)
    rows = np.array([i for i in range(n) if i not in built.misfits], np.intp)
    x = taken(built.x, rows)

    def predict(part: object) -> dict[str, npt.NDArray[np.generic]]:
        answer = plain_answer(estimator.predict(unshared(part)))
        if answer.ndim not in (1, 2) or len(answer) != len(part):  # type: ignore[arg-type]
            raise WrongAnswer(f"predict gave an array of shape {answer.shape} for {len(part)} rows")  # type: ignore[arg-type]
        return {"": answer}

    isolation = Isolation(predict, x, np.arange(len(rows)))
    isolation.run()
    if not isolation.answers:
        raised = next(iter(isolation.faults.values()), None)
        first = raised or dead_letter_of(next(iter(built.misfits.values())).each)
        raise PackageError(
            f"the estimator raised on every one of {n} rows; on the first, {first.exception}: {first.message}",
            step="load",
            hint=_hint(first.message, draft),
        )
    if len(rows) > 1 and not isolation.faults and all(len(numbers) == 1 for numbers, _ in isolation.answers):
        raise PackageError(
            f"the estimator answers rows one by one only, not {len(rows)} together",
            step="load",
            hint="give it a `predict` that takes a DataFrame and answers an array with an item for each row",
        )
    if len({part[""].shape[1:] for _, part in isolation.answers}) > 1:
        raise PackageError(
            "the estimator's answers have different lengths from row to row",
            step="load",
            hint="give it a `predict` that answers as many values for each row",
        )
    kept = np.concatenate([numbers for numbers, _ in isolation.answers])
    predicted = np.concatenate([part[""] for _, part in isolation.answers])
    return _Asked(taken(x, kept), rows[kept], predicted)


_KNOWN: tuple[tuple[str, str], ...] = (
    (
        r"numpy\.ndarray|`:`|only supported for",
        'sklearn.set_config(transform_output="pandas") is not saved with a model: if the script calls it, call '
        '`model.set_output(transform="pandas")` before the model is dumped; else ',
    ),
    (
        r"'(DataFrame|Series)' object has no attribute",
        "every model is asked with a DataFrame of pandas: a step of your own for polars begins with "
        "`polars.from_pandas(x)`; else ",
    ),
)
"""What an estimator says that raises on every row, and what often is the cause."""


def _hint(message: str, draft: Manifest) -> str:
    likely = next((hint for pattern, hint in _KNOWN if re.search(pattern, message)), "")
    return (
        f"{likely}give rows that it was made for with --sample, in the types that it was fitted on; if it takes "
        f"other columns than {', '.join(feature.path for feature in draft.features[:5])}"
        f"{' …' * (len(draft.features) > 5)}, name them with --columns"
    )


def _kind_of_answer(
    profile: Profile, predicted: npt.NDArray[np.generic]
) -> tuple[Task, tuple[Label, ...] | None, AnswerType]:
    several = predicted.ndim == 2 and predicted.shape[1] > 1
    number = predicted.dtype.kind == "f"
    if profile.kind == "regressor" or (number and not _are_classes(profile, predicted, several)):
        if predicted.dtype.kind not in "fiub":
            raise _unpublishable(predicted)
        return ("multi-regressor" if several else "regressor"), None, "double"
    if profile.kind == "classifier":
        classes, answer = _labels(_flat(profile.classes, predicted, several))
        return ("multi-classifier" if several else "classifier"), classes, answer
    if profile.kind == "outlier":
        return "outlier", None, "int"
    if profile.kind == "clusterer":
        return "clusterer", None, "int"
    classes, answer = _labels(predicted.ravel())
    if several:
        return "multi-classifier", classes, answer
    return "other", None, "long" if answer == "int" else answer


def _are_classes(profile: Profile, predicted: npt.NDArray[np.generic], several: bool) -> bool:
    """Whether numbers are labels: CatBoost's plain model calls itself a classifier, and its `predict` gives margins."""
    if profile.kind in ("outlier", "clusterer"):
        return True
    if profile.kind != "classifier":
        return False
    classes = _flat(profile.classes, predicted, several)
    return bool(np.isin(predicted[~np.isnan(predicted)], classes).all())


def _flat(classes: object, predicted: npt.NDArray[np.generic], several: bool) -> npt.NDArray[np.generic]:
    """All outputs' classes, in the estimator's order; those seen where it names none."""
    if classes is None:
        return np.unique(predicted)
    by_column = several and isinstance(classes, np.ndarray) and len(classes) == predicted.shape[1]
    if by_column and np.isin(predicted, [0, 1]).all():  # the classes are the columns; an answer is yes or no
        return np.array([0, 1])
    if isinstance(classes, list) and classes and isinstance(classes[0], np.ndarray):
        return np.concatenate(classes)
    return np.asarray(classes).ravel()


def _labels(classes: npt.NDArray[np.generic]) -> tuple[tuple[Label, ...], AnswerType]:
    # In an array of objects `tolist` leaves numpy's own scalars as they are.
    plain = [label.item() if isinstance(label, np.generic) else label for label in classes.tolist()]
    values = list(dict.fromkeys(plain))
    if all(isinstance(value, bool) for value in values):
        return tuple(values), "boolean"
    if all(isinstance(value, str) for value in values):
        return tuple(values), "string"
    if all(isinstance(value, int) or (isinstance(value, float) and value.is_integer()) for value in values):
        wide = any(not -(2**31) <= value < 2**31 for value in values)
        return tuple(int(value) for value in values), "long" if wide else "int"
    raise _unpublishable(classes)


def _unpublishable(values: npt.NDArray[np.generic]) -> PackageError:
    return PackageError(
        f"the estimator's labels can't be published: {values.ravel()[:5].tolist()} ({values.dtype})",
        step="load",
        hint="fit it on labels that are whole numbers, texts or booleans",
    )


def _score_method(
    estimator: Estimator, profile: Profile, known: Manifest, asked: _Asked
) -> ScoreMethod | None:
    """The score method that gives numbers of the shape that is published; None where neither does."""
    methods: tuple[ScoreMethod, ...] = get_args(ScoreMethod)
    for method in methods[methods.index(profile.score) :] if profile.score else []:
        if known.task == "outlier" and method == "predict_proba":
            continue
        ask = getattr(estimator, method, None)
        scores = attempt(partial(_scores, ask, asked.x, known)) if callable(ask) else None
        if isinstance(scores, np.ndarray) and scores.shape[1:] == _width(known, method):
            return method
    return None


def _scores(ask: object, x: object, known: Manifest) -> npt.NDArray[np.generic]:
    return plain_scores(ask(unshared(x)), known.classes)  # type: ignore[operator]  # the caller looked


def _width(known: Manifest, method: str) -> tuple[int, ...]:
    count = len(known.classes or ())
    return (count,) if count > 2 or (method == "predict_proba" and count) else ()


def _consistent(estimator: Estimator, known: Manifest, columns: Mapping[str, pa.Array], n: int) -> bool:
    """Are the labels of the largest scores those of `predict`, on every row?"""
    labels = [
        Model(estimator, replace(known, label=source)).score(columns, n) for source in ("predict", "score")
    ]
    return labels[0].rows == labels[1].rows and labels[0].columns["label"].equals(labels[1].columns["label"])


def _tolerance(estimator: Estimator, known: Manifest, asked: _Asked) -> float:
    """Loose where the answers are float32: they have 7 digits."""
    answers = [asked.predicted]
    if known.score is not None:
        answers.append(_scores(getattr(estimator, known.score), asked.x, known))
    narrow = any(answer.dtype.kind == "f" and answer.dtype.itemsize < 8 for answer in answers)
    return _FLOAT32 if narrow else _FLOAT64
