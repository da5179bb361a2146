"""
What estimators return → plain arrays.

scikit-learn's return arrays; others, and classes of one's own, return lists, Series, DataFrames, sparse matrices,
columns that may be null, and objects that are numbers or texts.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from stream.manifest import Label
from stream.scoring.attempt import WrongAnswer

__all__ = ["plain_answer", "plain_scores"]


def plain_answer(answer: Any) -> npt.NDArray[np.generic]:
    """
    Args:
        answer: what `predict` gave for n rows.
    Returns: an array with the rows as its first axis; of objects only where they are not all texts, all numbers or
        all booleans.
    Raises: WrongAnswer for several answers at once (a tuple or dict), and for lists of different lengths.
    """
    if isinstance(answer, (tuple, Mapping)):
        raise WrongAnswer(f"predict gave a {type(answer).__name__}, expected an array with an answer per row")
    if type(answer) is np.ndarray and answer.dtype != object:
        return answer
    if _is_sparse(answer):
        answer = answer.toarray()
    try:
        array = np.asarray(answer)
    except ValueError as error:
        raise WrongAnswer(f"predict gave no array: {error}") from error
    return _of_one_type(array) if array.dtype == object else array


def plain_scores(scores: Any, classes: Sequence[Label] | None) -> npt.NDArray[np.generic]:
    """
    Args:
        scores: what `predict_proba` or `decision_function` gave for n rows.
        classes: in the estimator's order; a DataFrame whose columns are called like them is put into it.
    Returns: an array with the rows as its first axis.
    Raises: WrongAnswer as `plain_answer`.
    """
    columns = getattr(scores, "columns", None)
    if columns is not None and classes is not None and {*columns} == {*classes}:
        scores = scores[list(classes)]
    if isinstance(scores, (list, tuple)) and len(scores) == 1 and getattr(scores[0], "ndim", 0) == 2:
        scores = scores[0]  # of several outputs, of which there is one
    return plain_answer(scores)


def _is_sparse(answer: object) -> bool:
    scipy = sys.modules.get("scipy.sparse")  # whoever returns a sparse matrix has imported it
    return scipy is not None and bool(scipy.issparse(answer))


def _of_one_type(array: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
    """Objects that are all booleans, all texts or all numbers as such; others as they are."""
    items = [item.item() if isinstance(item, np.generic) else item for item in array.ravel().tolist()]
    kinds = {type(item) for item in items}
    if kinds in ({bool}, {str}) or (kinds and kinds <= {int, float}):
        return np.array(items).reshape(array.shape)
    return array
