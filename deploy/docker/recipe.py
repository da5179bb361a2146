"""A small recipe, so that `warm.py` can train within seconds."""

from __future__ import annotations

import pandas as pd
from sklearn.datasets import load_diabetes
from sklearn.ensemble import HistGradientBoostingRegressor

NAME = "diabetes"
FEATURES = ["bmi", "bp", "s5"]
TARGET = "progression"
SPLIT = "random"
GRID = {"max_iter": [10, 20]}


def load() -> pd.DataFrame:
    """Scikit-learn's 442 patients."""
    return load_diabetes(as_frame=True).frame.rename(columns={"target": TARGET})


def estimator() -> HistGradientBoostingRegressor:
    """Small."""
    return HistGradientBoostingRegressor()
