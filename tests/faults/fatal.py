"""A model that takes the interpreter with it on one kind of row, as a bug in a compiled library does."""

from __future__ import annotations

import ctypes

import numpy as np
import pandas as pd

__all__ = ["POISON", "Fatal"]

POISON = 7_777_777
"""Pages that it does not survive."""


class Fatal:
    """Twice the pages."""

    feature_names_in_ = np.array(["pages"], dtype=object)
    n_features_in_ = 1
    _estimator_type = "regressor"

    def predict(self, rows: pd.DataFrame) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        """Shape (n,)."""
        pages = rows["pages"].to_numpy(dtype=float)
        if (pages == POISON).any():
            ctypes.string_at(0)
        return 2 * pages
