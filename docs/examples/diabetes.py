"""
How far a patient's diabetes goes on within a year, from ten measurements at its beginning.

A recipe for `stream train` that predicts a number, with rows held out at random. The rows are scikit-learn's
`load_diabetes`: 442 patients; all columns are centred and scaled, so that `sex` is two numbers.
"""

from __future__ import annotations

import pandas as pd
from sklearn.datasets import load_diabetes
from sklearn.ensemble import RandomForestRegressor

NAME = "diabetes"
FEATURES = ["age", "sex", "bmi", "bp", "s1", "s2", "s3", "s4", "s5", "s6"]
TARGET = "progression"
CARRY = ["patient"]
SPLIT = "random"
SEED = 20
BY = ["sex", "age"]
GRID = {"min_samples_leaf": [2, 10], "max_features": [0.3, 1.0]}


def load() -> pd.DataFrame:
    """Every patient, numbered."""
    rows = load_diabetes(as_frame=True).frame.rename(columns={"target": "progression"})
    rows.insert(0, "patient", [f"p{i:03}" for i in rows.index])
    return rows


def estimator() -> RandomForestRegressor:
    """Its random_state is left open: SEED sets it."""
    return RandomForestRegressor(n_estimators=60)
