"""
What an estimator itself answers, as its owner reads it: `predict` and its scores, row by row.

Deliberately neither the reader nor the plain answers of `stream.scoring`: an oracle that shares code with what it
checks shares its mistakes. What is shared: which rows are asked for together (`Isolation`), and the fields' names.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from stream.manifest import Manifest
from stream.records import DeadLetter
from stream.scoring import Isolation, X, answer_fields, same_answer, unshared

__all__ = [
    "Answer",
    "OwnAnswers",
    "ask_estimator",
    "equal_answers",
    "equal_values",
    "shown_answer",
    "shown_value",
]

Answer: TypeAlias = Mapping[str, object]
"""One row's answer: by field, Python's own values."""

_NARROW = 1e-4
"""Of answers calculated with floats of 32 bits, where the package has 64: seven digits, less what sums lose."""


@dataclass(frozen=True, slots=True)
class OwnAnswers:
    """
    What the estimator said of n rows.

    Attributes:
        answers: by row.
        faults: by row, what it raised when asked for that row alone.
        tolerance: how far another calculation of them may be off: |difference| ≤ tolerance · max(1, |value|).
    """

    answers: dict[int, Answer] = field(default_factory=dict)
    faults: dict[int, DeadLetter] = field(default_factory=dict)
    tolerance: float = 0.0


def ask_estimator(estimator: Any, manifest: Manifest, x: X) -> OwnAnswers:
    """
    Ask for every row; where it raises, for those that it can answer.

    Args:
        estimator: fitted.
        manifest: says what kind of answer it gives, and which of its methods gives the scores.
        x: n ≥ 1 rows.
    Returns: an answer or a fault for each.
    """
    isolation = Isolation(partial(_answers, estimator, manifest), x, np.arange(len(x)))
    # One thread, as a worker's: more of them mostly wait for each other.
    with threadpool_limits(limits=1), warnings.catch_warnings():
        if (
            manifest.inputs == "matrix"
        ):  # asked with a frame all the same, to see whether it knows names after all
            warnings.filterwarnings("ignore", ".*has feature names, but", UserWarning)
        isolation.run()
    found: dict[int, Answer] = {}
    for rows, part in isolation.answers:
        lists = {name: values.tolist() for name, values in part.items()}
        for i, row in enumerate(rows.tolist()):
            found[row] = {name: _plain(values[i]) for name, values in lists.items()}
    narrow = _NARROW if _is_narrow(x) else 0.0
    return OwnAnswers(found, isolation.faults, max(manifest.tolerance, narrow))


def _is_narrow(x: X) -> bool:
    """Whether floats of fewer than 64 bits are among the input: then the estimator may calculate with such."""
    types = [x.dtype] if hasattr(x, "dtype") else list(x.dtypes)
    return any(kind.kind == "f" and kind.itemsize < np.dtype(np.float64).itemsize for kind in types)


def _answers(estimator: Any, manifest: Manifest, x: X) -> dict[str, npt.NDArray[np.generic]]:
    names = [answer.name for answer in answer_fields(manifest)]
    predicted = _dense(estimator.predict(unshared(x)))
    if predicted.ndim == 2 and predicted.shape[1] == 1 and names[0] in ("label", "value"):
        predicted = predicted[:, 0]
    if len(predicted) != len(x):
        raise ValueError(f"predict gave an array of shape {predicted.shape} for {len(x)} rows")
    found = {names[0]: predicted}
    if manifest.score is not None:
        scores = _dense(getattr(estimator, manifest.score)(unshared(x)))
        found["score"] = _score(estimator, manifest, predicted, scores)
        if manifest.probabilities:
            found["probabilities"] = scores
    return {name: found[name] for name in names}


def _score(
    estimator: Any, manifest: Manifest, labels: npt.NDArray[np.generic], scores: npt.NDArray[np.generic]
) -> npt.NDArray[np.generic]:
    """Of two classes the second one's; of more the label's; a column alone as it is."""
    if scores.ndim == 1:
        return scores
    if scores.shape[1] <= 2:
        return scores[:, -1]
    own: Any = getattr(estimator, "classes_", None)
    classes = [_plain(label) for label in np.ravel(manifest.classes or () if own is None else own).tolist()]
    return np.array(
        [row[classes.index(_plain(label))] for row, label in zip(scores, labels.tolist(), strict=True)]
    )


def _dense(answers: Any) -> npt.NDArray[np.generic]:
    return np.asarray(answers.toarray() if hasattr(answers, "toarray") else answers)


def _plain(value: object) -> object:
    """Without NumPy's scalars, which an array of objects keeps."""
    return value.item() if isinstance(value, np.generic) else value


def equal_answers(one: Answer, other: Answer | None, tolerance: float) -> bool:
    """Whether two answers of a row are one: of the same fields, numbers within the tolerance."""
    if other is None or one.keys() != other.keys():
        return False
    return all(equal_values(one[name], other[name], tolerance) for name in one)


def equal_values(one: Any, other: Any, tolerance: float) -> bool:
    """Whether two values are one; NaN is NaN."""
    if isinstance(one, float) and isinstance(other, float) and math.isnan(one) and math.isnan(other):
        return True
    return same_answer(one, other, tolerance, tolerance)


def shown_answer(answer: Answer) -> str:
    """For people."""
    return ", ".join(f"{name} {shown_value(value)}" for name, value in answer.items())


def shown_value(value: object) -> str:
    """For people."""
    return f"{value:.9g}" if isinstance(value, float) else repr(value)
