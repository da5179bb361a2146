"""What estimators return, as plain arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.sparse

from stream.scoring import WrongAnswer, plain_answer, plain_scores


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ([1.5, 2.0], np.array([1.5, 2.0])),
        ([[1.5], [2.0]], np.array([[1.5], [2.0]])),
        (pd.Series([1.5, 2.0], index=[7, 3]), np.array([1.5, 2.0])),
        (pd.Series([1.5, 2.0], dtype="Float64"), np.array([1.5, 2.0])),
        (pd.Series([1, 2], dtype="Int64"), np.array([1, 2])),
        (pd.Series(["a", "b"], dtype="category"), np.array(["a", "b"])),
        (pd.DataFrame({"p": [1.5, 2.0]}, index=[7, 3]), np.array([[1.5], [2.0]])),
        (np.array([np.float64(1.5), 2], dtype=object), np.array([1.5, 2.0])),
        (np.array([[np.str_("a")], ["b"]], dtype=object), np.array([["a"], ["b"]])),
        (np.array([np.True_, False], dtype=object), np.array([True, False])),
        (scipy.sparse.csr_matrix([[0, 1], [1, 0]]), np.array([[0, 1], [1, 0]])),
        (scipy.sparse.csc_array([[0, 1], [1, 0]]), np.array([[0, 1], [1, 0]])),
    ],
    ids=lambda answer: f"{type(answer).__name__}",
)
def test_answer_becomes_the_array_that_it_means(answer: Any, expected: np.ndarray) -> None:
    """Values, shape and kind."""
    found = plain_answer(answer)

    assert (expected.tolist(), expected.shape, expected.dtype.kind) == (
        found.tolist(), found.shape, found.dtype.kind
    )  # fmt: skip


def test_array_is_not_copied() -> None:
    """Most answers are arrays already."""
    answer = np.array([1.5])

    assert answer is plain_answer(answer)


def test_objects_of_several_kinds_stay_objects() -> None:
    """A boolean among texts is neither."""
    assert np.dtype(object) == plain_answer(np.array(["a", True], dtype=object)).dtype


@pytest.mark.parametrize(
    ("answer", "message"),
    [(([1.0], [2.0]), "a tuple"), ({"mean": [1.0]}, "a dict"), ([[1], [1, 2]], "no array")],
)
def test_several_answers_at_once_are_refused(answer: Any, message: str) -> None:
    """Which of them would be published?"""
    with pytest.raises(WrongAnswer, match=message):
        plain_answer(answer)


def test_probabilities_with_names_are_put_into_the_order_of_the_classes() -> None:
    """A table says itself which column is whose."""
    scores = pd.DataFrame({"yes": [0.9, 0.2], "no": [0.1, 0.8]})

    assert [[0.1, 0.9], [0.8, 0.2]] == plain_scores(scores, ("no", "yes")).tolist()


def test_probabilities_of_the_only_output_are_taken_out_of_their_list() -> None:
    """A multi-output of one output gives a list of one."""
    assert [[0.1, 0.9]] == plain_scores([np.array([[0.1, 0.9]])], (0, 1)).tolist()
