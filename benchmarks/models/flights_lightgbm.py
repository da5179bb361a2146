"""
The demo's question asked of LightGBM, for benchmarks.

    python -m stream train benchmarks/models/flights_lightgbm.py --out /tmp/flights_lightgbm
"""

from __future__ import annotations

from lightgbm import LGBMClassifier
from sklearn.pipeline import Pipeline

from benchmarks.models.flights_columns import CARRY, FEATURES, HOLD_OUT, SCHEMA, TARGET, TIME, load, ordinal

__all__ = ["CARRY", "FEATURES", "HOLD_OUT", "NAME", "SCHEMA", "TARGET", "TIME", "estimator", "load"]

NAME = "flights_lightgbm"


def estimator() -> Pipeline:
    """100 trees of at most 31 leaves: the defaults."""
    return Pipeline([("columns", ordinal()), ("model", LGBMClassifier(random_state=0, n_jobs=1, verbose=-1))])
