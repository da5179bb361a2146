"""
Whether a flight will be late, by its delay at the departure and its distance: the recipe of the example DAGs.

A recipe for `stream train`. Its rows are made up, so that it runs anywhere in seconds; read your own in `load`.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression

NAME = "flights"
FEATURES = ["dep_delay", "distance"]
TARGET = "late"
CARRY = ["flight_id"]
SPLIT = "random"
HOLD_OUT = 0.3


def load() -> pd.DataFrame:
    """400 flights."""
    draw = np.random.default_rng(7)
    rows = pd.DataFrame({"dep_delay": draw.normal(0, 20, 400), "distance": draw.uniform(100, 3_000, 400)})
    rows["late"] = rows.dep_delay + draw.normal(0, 5, 400) > 15
    rows["flight_id"] = [f"f{i}" for i in rows.index]
    return rows


def estimator() -> LogisticRegression:
    """The simplest that does."""
    return LogisticRegression(max_iter=500)
