"""A user's own model, importable where the worker runs: it raises, is silent, hangs or crashes on some rows."""

from __future__ import annotations

import os
import time

import numpy as np
import pandas as pd

__all__ = ["CRASH", "HANG", "RAISE", "SILENT", "Touchy"]

RAISE, SILENT, HANG, CRASH = 41, 42, 43, 44
"""Numbers of pages that it does not get on with."""


class Touchy:
    """Twice the pages. Not a scikit-learn estimator; anything with `predict` is a model."""

    feature_names_in_ = np.array(["pages"], dtype=object)
    n_features_in_ = 1
    _estimator_type = "regressor"

    def predict(self, rows: pd.DataFrame) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        """Shape (n,)."""
        pages = rows["pages"].to_numpy(dtype=float)
        if (pages == RAISE).any():
            raise ValueError(f"I don't get on with {RAISE} pages")
        if (pages == CRASH).any():
            os.abort()
        if (pages == HANG).any():
            time.sleep(3_600)
        return np.where(pages == SILENT, np.nan, 2 * pages)
