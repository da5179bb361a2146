"""What an estimator answers, as columns of fixed types: one reader per task."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from stream.manifest import AnswerType, Manifest
from stream.scoring.attempt import WrongAnswer
from stream.scoring.estimator_input import X, unshared
from stream.scoring.estimators import Estimator
from stream.scoring.plain_answers import plain_answer, plain_scores
from stream.scoring.quick_estimators import quick
from stream.types import AvroType, array_of, type_called, type_of

__all__ = ["AnswerField", "Answers", "Reader", "answer_fields", "finite_rows", "joined", "to_arrow"]

Answers: TypeAlias = dict[str, npt.NDArray[np.generic]]
"""Answers by field name; the first axis is the row."""

_TIE = 1e-9
"""Where the two largest scores are this close, the label is asked of `predict`: rounding could decide."""


@dataclass(frozen=True, slots=True)
class AnswerField:
    """
    One field of a model's answer.

    Attributes:
        name: in the prediction.
        type: of a value, or of an array's items.
        array: whether it is an array.
    """

    name: str
    type: AvroType
    array: bool = False

    @property
    def avro(self) -> object:
        """Its Avro type, as JSON."""
        return self.whole.schema

    @property
    def arrow(self) -> pa.DataType:
        """Its Arrow type."""
        return self.whole.arrow

    @property
    def whole(self) -> AvroType:
        """The type of the field: the array's, where it is one."""
        return array_of(self.type) if self.array else self.type


def answer_fields(manifest: Manifest) -> list[AnswerField]:
    """
    The answer's fields in the prediction's order.

    Args:
        manifest: of the model.
    Returns: `label` with `score` and `probabilities` where there are such, `value`, `labels` or `values`.
    """
    answer = type_called(manifest.answer)
    match manifest.task:
        case "regressor":
            return [AnswerField("value", answer)]
        case "multi-regressor":
            return [AnswerField("values", answer, array=True)]
        case "multi-classifier":
            return [AnswerField("labels", answer, array=True)]
    fields = [AnswerField("label", answer)]
    if manifest.score is not None:
        fields.append(AnswerField("score", type_of("double")))
    if manifest.probabilities:
        fields.append(AnswerField("probabilities", type_of("double"), array=True))
    return fields


class Reader:
    """
    Asks one estimator, in as few calls as its own answers take.

    Args:
        estimator: fitted.
        manifest: its task, classes, and where label and score come from.
    """

    def __init__(self, estimator: Estimator, manifest: Manifest) -> None:
        self._estimator = quick(estimator)
        self._manifest = manifest
        self._classes = None if manifest.classes is None else np.asarray(manifest.classes)
        self._ask = {
            "classifier": self._classify,
            "outlier": self._detect,
            "regressor": self._regress,
            "multi-regressor": self._regress,
            "multi-classifier": self._labels,
            "clusterer": self._label,
            "other": self._label,
        }[manifest.task]

    def read(self, x: X) -> Answers:
        """
        Ask for all rows of x.

        Args:
            x: n ≥ 1 rows.
        Returns: one array per answer field, each of n rows.
        Raises: WrongAnswer, and whatever the estimator raises.
        """
        return self._ask(x)

    def _predict(self, x: X, axes: int = 1) -> npt.NDArray[np.generic]:
        answers = plain_answer(self._estimator.predict(unshared(x)))
        if axes == 1 and answers.ndim == 2 and answers.shape[1] == 1:
            answers = answers[:, 0]
        if answers.ndim != axes or len(answers) != x.shape[0]:
            raise WrongAnswer(f"predict gave an array of shape {answers.shape} for {x.shape[0]} rows")
        return answers

    def _scores(self, x: X, columns: int) -> npt.NDArray[np.float64]:
        """`predict_proba` or `decision_function`: shape (n, columns), or (n,) where columns is 1."""
        name = self._manifest.score or ""
        found = plain_scores(getattr(self._estimator, name)(unshared(x)), self._manifest.classes)
        scores = np.asarray(found, dtype=np.float64)
        if columns == 1 and scores.ndim == 2 and scores.shape[1] == 1:
            scores = scores[:, 0]
        expected = (x.shape[0],) if columns == 1 else (x.shape[0], columns)
        if scores.shape != expected:
            raise WrongAnswer(f"{name} gave an array of shape {scores.shape}, expected {expected}")
        return scores

    def _regress(self, x: X) -> Answers:
        field = answer_fields(self._manifest)[0]
        return {field.name: self._predict(x, 2 if field.array else 1).astype(np.float64)}

    def _labels(self, x: X) -> Answers:
        return {"labels": _typed(self._predict(x, 2), self._manifest.answer)}

    def _label(self, x: X) -> Answers:
        return {"label": _typed(self._predict(x), self._manifest.answer)}

    def _detect(self, x: X) -> Answers:
        if self._manifest.score is None:
            return self._label(x)
        score = self._scores(x, 1)
        if self._manifest.label == "predict":
            return {**self._label(x), "score": score}
        label = np.where(score >= 0, 1, -1)
        ties = np.flatnonzero(np.abs(score) <= _TIE)
        if len(ties):
            label[ties] = self._label(_rows(x, ties))["label"]
        return {"label": label, "score": score}

    def _classify(self, x: X) -> Answers:
        if self._manifest.score is None or self._classes is None:
            return self._label(x)
        proba = self._manifest.score == "predict_proba"
        count = len(self._classes)
        scores = self._scores(x, count if proba or count > 2 else 1)
        if self._manifest.label == "predict":
            label = _typed(self._predict(x), self._manifest.answer)
            which = _positions(label, self._classes)
        else:
            which, ties = _largest(scores, proba)
            if len(ties):
                which[ties] = _positions(self._label(_rows(x, ties))["label"], self._classes)
        answers: Answers = {"label": self._classes[which], "score": _score_of(scores, which)}
        if self._manifest.probabilities:
            answers["probabilities"] = scores
        return answers


def _rows(x: X, rows: npt.NDArray[np.intp]) -> X:
    return x.iloc[rows] if hasattr(x, "iloc") else x[rows]


def _largest(
    scores: npt.NDArray[np.float64], proba: bool
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """The index of each row's largest score, and the rows where two are too close to call."""
    if scores.ndim == 1:
        return (scores > 0).astype(np.intp), np.flatnonzero(np.abs(scores) <= _TIE)
    if scores.shape[1] == 2 and proba:
        gap = scores[:, 1] - scores[:, 0]
        return (gap > 0).astype(np.intp), np.flatnonzero(np.abs(gap) <= _TIE)
    if scores.shape[1] == 1:
        return np.zeros(len(scores), np.intp), np.empty(0, np.intp)
    top = np.partition(scores, -2, axis=1)[:, -2:]
    return scores.argmax(axis=1), np.flatnonzero(top[:, 1] - top[:, 0] <= _TIE)


def _score_of(scores: npt.NDArray[np.float64], which: npt.NDArray[np.intp]) -> npt.NDArray[np.float64]:
    """Binary: that of the second class; else that of the label."""
    if scores.ndim == 1:
        return scores
    if scores.shape[1] == 2:
        return scores[:, 1]
    return scores[np.arange(len(scores)), which]


def _positions(label: npt.NDArray[np.generic], classes: npt.NDArray[np.generic]) -> npt.NDArray[np.intp]:
    """Where each label stands among the classes."""
    order = np.argsort(classes, kind="stable")
    found = order[np.minimum(np.searchsorted(classes, label, sorter=order), len(classes) - 1)]
    unknown = label[classes[found] != label]
    if len(unknown):
        raise WrongAnswer(f"predict gave {unknown[0]!r}, which is not one of the classes")
    return found


def _typed(labels: npt.NDArray[np.generic], answer: AnswerType) -> npt.NDArray[np.generic]:
    """Labels as int64, str or bool; a label of another type is a wrong answer, never a converted one."""
    if answer == "string":
        if labels.dtype.kind == "O" and not all(isinstance(label, str) for label in labels.flat):
            raise WrongAnswer("predict gave a label that is not a text")
        if labels.dtype.kind not in "OU":
            raise WrongAnswer(f"predict gave labels of type {labels.dtype}, expected texts")
        return labels.astype(np.str_)
    wanted = np.dtype(np.bool_) if answer == "boolean" else np.dtype(np.int64)
    typed = labels.astype(wanted)
    narrow = answer == "int" and bool((typed != typed.astype(np.int32)).any())
    if narrow or not bool((typed == labels).all()):
        raise WrongAnswer(f"predict gave labels of type {labels.dtype}, which {answer} can't hold exactly")
    return typed


def finite_rows(answers: Answers) -> npt.NDArray[np.bool_]:
    """Which of n rows have finite floats only: shape (n,)."""
    n = len(next(iter(answers.values())))
    good = np.ones(n, np.bool_)
    for values in answers.values():
        if values.dtype.kind == "f":
            good &= np.isfinite(values).reshape(n, -1).all(axis=1)
    return good


def to_arrow(answers: Answers | None, manifest: Manifest) -> dict[str, pa.Array]:
    """Answers of n rows (None: of none) as Arrow columns, in the prediction's order."""
    return {
        field.name: pa.array([], field.arrow) if answers is None else _arrow(answers[field.name], field.arrow)
        for field in answer_fields(manifest)
    }


def _arrow(values: npt.NDArray[np.generic], kind: pa.DataType) -> pa.Array:
    if values.ndim == 1:
        return pa.array(values, kind)
    n, width = values.shape
    offsets = pa.array(np.arange(0, (n + 1) * width, width, dtype=np.int32))
    return pa.ListArray.from_arrays(offsets, pa.array(values.ravel(), kind.value_type))


def joined(pieces: Sequence[Answers]) -> Answers:
    """Answers of consecutive rows as one, in order; at least one piece, all with the same fields."""
    if len(pieces) == 1:
        return pieces[0]
    return {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}
