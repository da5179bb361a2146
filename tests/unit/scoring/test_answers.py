"""What becomes of an estimator's answers: types, order, and those that are none."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from stream.scoring import Model, Scored
from tests.unit.scoring.models import Calls, feature, manifest


class Classifier(Calls):
    """Gives scores by one function and labels by another."""

    def __init__(self, scores: list[list[float]], labels: list[object]) -> None:
        super().__init__(lambda x: np.array([labels[int(i)] for i in x[:, 0]]))
        self.scores = scores

    def predict_proba(self, x: np.ndarray) -> np.ndarray:
        """By row."""
        return np.array([self.scores[int(i)] for i in x[:, 0]])


def _score(model: Any, n: int, **contract: Any) -> Scored:
    wanted = manifest(feature("x"), inputs="matrix", **contract)
    return Model(model, wanted).score({"x": pa.array(np.arange(n, dtype=float))}, n)


def test_binary_score_is_that_of_the_second_class() -> None:
    """Whatever the label."""
    model = Classifier([[0.9, 0.1], [0.2, 0.8]], ["no", "yes"])

    scored = _score(
        model,
        2,
        task="classifier",
        answer="string",
        classes=("no", "yes"),
        label="score",
        score="predict_proba",
    )

    assert ["no", "yes"] == scored.columns["label"].to_pylist()
    assert [0.1, 0.8] == scored.columns["score"].to_pylist()
    assert 0 == model.calls


def test_multiclass_score_is_that_of_the_label() -> None:
    """Also where `predict` has the last word."""
    model = Classifier([[0.5, 0.3, 0.2], [0.1, 0.2, 0.7]], [9, 4])

    scored = _score(
        model,
        2,
        task="classifier",
        answer="int",
        classes=(9, 4, 7),
        score="predict_proba",
        probabilities=True,
    )

    assert ["label", "score", "probabilities"] == list(scored.columns)
    assert [9, 4] == scored.columns["label"].to_pylist()
    assert [0.5, 0.2] == scored.columns["score"].to_pylist()
    assert [[0.5, 0.3, 0.2], [0.1, 0.2, 0.7]] == scored.columns["probabilities"].to_pylist()
    assert (pa.int32(), pa.list_(pa.float64())) == (
        scored.columns["label"].type, scored.columns["probabilities"].type
    )  # fmt: skip


def test_tie_is_settled_by_predict_and_only_the_tie() -> None:
    """Rounding must not choose between two equal scores."""
    model = Classifier([[0.5, 0.5], [0.4, 0.6], [0.5 + 1e-15, 0.5 - 1e-15]], ["b", "a", "b"])

    scored = _score(
        model, 3, task="classifier", answer="string", classes=("a", "b"), label="score", score="predict_proba"
    )

    assert ["b", "b", "b"] == scored.columns["label"].to_pylist()
    assert (1, 2) == (model.calls, model.rows)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_answer_that_is_not_finite_is_a_fault_of_its_row(bad: float) -> None:
    """Its neighbours keep theirs."""
    scored = _score(Calls(lambda x: np.where(x[:, 0] == 1, bad, x[:, 0])), 3)

    assert ([0, 2], [0.0, 2.0]) == (list(scored.rows), scored.columns["value"].to_pylist())
    assert ("score", "not_finite") == (scored.faults[1].stage, scored.faults[1].reason)


def test_one_bad_number_of_several_outputs_is_a_fault_of_its_row() -> None:
    """A list with a hole is not an answer."""
    model = Calls(lambda x: np.column_stack([x[:, 0], np.where(x[:, 0] == 0, np.nan, 1.0)]))

    scored = _score(model, 2, task="multi-regressor")

    assert ([1], [[1.0, 1.0]]) == (list(scored.rows), scored.columns["values"].to_pylist())


@pytest.mark.parametrize(
    "answer",
    [
        lambda x: np.zeros(len(x) + 1),
        lambda x: np.zeros(0),
        lambda x: np.zeros((len(x), 3)),
        lambda x: 5.0,
        lambda x: None,
    ],
)
def test_wrong_number_of_answers_is_a_fault_of_every_row(answer: Any) -> None:
    """No answer is given to a row that it may not belong to."""
    scored = _score(Calls(answer), 3)

    assert [0, 1, 2] == sorted(scored.faults)
    assert {"wrong_answer"} == {fault.reason for fault in scored.faults.values()}


def test_label_of_no_class_is_a_fault_of_its_row() -> None:
    """It is never published."""
    model = Classifier([[0.9, 0.1], [0.2, 0.8]], [0, 5])

    scored = _score(model, 2, task="classifier", answer="int", classes=(0, 1), score="predict_proba")

    assert ([0], "wrong_answer") == (list(scored.rows), scored.faults[1].reason)


@pytest.mark.parametrize(
    ("answer", "good", "bad"),
    [("int", 5, 2**31), ("int", -1, 0.5), ("long", 2**40, 1.5), ("boolean", True, 2), ("string", "a", 1)],
)
def test_label_of_another_type_is_a_fault_never_converted(answer: Any, good: object, bad: object) -> None:
    """1.5 is not a whole number, and 2 is not a boolean."""
    model = Calls(lambda x: np.array([good if i == 0 else bad for i in x[:, 0]], dtype=object))

    scored = _score(model, 2, task="other", answer=answer)

    assert ([0], [good]) == (list(scored.rows), scored.columns["label"].to_pylist())
    assert "wrong_answer" == scored.faults[1].reason


def test_answers_in_pieces_are_joined_in_order() -> None:
    """Texts of different lengths are not cut to the first piece's."""

    def answer(x: np.ndarray) -> list[str]:
        if 2 in x[:, 0]:
            raise ValueError
        return ["long" * int(i) for i in x[:, 0]]

    scored = _score(Calls(answer), 5, task="other", answer="string")

    assert ["", "long", "long" * 3, "long" * 4] == scored.columns["label"].to_pylist()


def test_outlier_label_follows_the_score() -> None:
    """1 from zero on, else -1; a score of nearly zero is asked of `predict`."""

    class Detector(Calls):
        def decision_function(self, x: np.ndarray) -> np.ndarray:
            return np.asarray(np.array([0.2, -0.2, 0.0])[x[:, 0].astype(int)])

    model = Detector(lambda x: np.full(len(x), -1))

    scored = _score(model, 3, task="outlier", answer="int", label="score", score="decision_function")

    assert [1, -1, -1] == scored.columns["label"].to_pylist()
    assert (1, 1) == (model.calls, model.rows)
