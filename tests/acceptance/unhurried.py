"""A user's own model, importable where the worker runs, that takes as long for each row as the environment says."""

from __future__ import annotations

import os
import time

import numpy as np
import pandas as pd

__all__ = ["ROW_S", "Unhurried"]

ROW_S = "UNHURRIED_ROW_S"
"""Variable: seconds that a row takes."""


class Unhurried:
    """Twice the pages. Not a scikit-learn estimator; anything with `predict` is a model."""

    feature_names_in_ = np.array(["pages"], dtype=object)
    n_features_in_ = 1
    _estimator_type = "regressor"

    def predict(self, rows: pd.DataFrame) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        """Shape (n,)."""
        time.sleep(float(os.environ.get(ROW_S, "0")) * len(rows))
        return 2 * rows["pages"].to_numpy(dtype=float)
