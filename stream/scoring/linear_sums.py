"""
Linear models on a matrix that is mostly zero, without the matrix: the coefficients of a row's categories are looked up.

The products are summed in the order of the columns, as SciPy does for such a matrix: not one bit differs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from stream.scoring.blocks import Cells, Floats, Unknown

__all__ = ["LinearSums", "linear_sums"]

_MODULES = ("sklearn.linear_model.", "sklearn.svm.")

_CLASSIFIERS = frozenset({"LinearSVC", "LogisticRegression", "LogisticRegressionCV", "RidgeClassifier"})

_REGRESSORS = frozenset({
    "ElasticNet", "ElasticNetCV", "Lasso", "LassoCV", "LinearRegression", "Ridge", "RidgeCV",
})  # fmt: skip


class LinearSums:
    """
    What a model answers, given its sums: shape (n,).

    Args:
        model: fitted, of one sum per row.
        coefficients: float64 of shape (width,).
    """

    def __init__(self, model: Any, coefficients: Floats) -> None:
        self._model = model
        self._coefficients = coefficients
        self._classes: npt.NDArray[np.generic] | None = getattr(model, "classes_", None)

    def of(self, cells: Sequence[Cells], starts: Sequence[int]) -> Floats:
        """
        The sums.

        Args:
            cells: of n rows each.
            starts: the first column of each part, and the width of all.
        Returns: shape (n,).
        Raises: Unknown where one is not finite: what the model refuses, it has to refuse itself.
        """
        total = np.zeros(len(cells[0].values))
        for cell, start, stop in zip(cells, starts, starts[1:], strict=False):
            part = self._coefficients[start:stop]
            if cell.places is None:
                for column, coefficient in zip(cell.values.T, part, strict=True):
                    total += column * coefficient
                continue
            found = part[cell.places]
            if cell.kept is not None:
                found[~cell.kept] = 0.0
            for column in found.T:
                total += column
        total += np.asarray(self._model.intercept_, np.float64)
        if not np.isfinite(total).all():
            raise Unknown
        return total

    def predict(self, sums: Any, /) -> object:
        """The class of the sum's sign, or the sum of a regressor."""
        return sums if self._classes is None else self._classes[(sums > 0).astype(np.intp)]

    def decision_function(self, sums: Any) -> object:
        """The sums."""
        return sums

    def predict_proba(self, sums: Any) -> object:
        """Shape (n, 2), as a logistic regression makes it of its sums."""
        from scipy.special import expit

        second = expit(sums)
        return np.stack([1 - second, second], axis=1)


def linear_sums(model: Any, width: int) -> LinearSums | None:
    """
    A linear model of one sum per row.

    Args:
        model: fitted on a sparse matrix.
        width: of the matrix.
    Returns: None for any other model.
    """
    kind = type(model)
    classifies = kind.__name__ in _CLASSIFIERS
    if not kind.__module__.startswith(_MODULES) or not (classifies or kind.__name__ in _REGRESSORS):
        return None
    coefficients = np.asarray(model.coef_)
    if coefficients.size != width or coefficients.dtype != np.float64 or np.size(model.intercept_) != 1:
        return None
    if not np.isfinite(coefficients).all() or (classifies and len(model.classes_) != 2):
        return None
    if not classifies and coefficients.ndim != 1:
        return None
    return LinearSums(model, coefficients.ravel())
