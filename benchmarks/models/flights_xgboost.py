"""
The demo's question asked of XGBoost, for benchmarks.

    python -m stream train benchmarks/models/flights_xgboost.py --out /tmp/flights_xgboost
"""

from __future__ import annotations

from sklearn.pipeline import Pipeline
from xgboost import XGBClassifier

from benchmarks.models.flights_columns import CARRY, FEATURES, HOLD_OUT, SCHEMA, TARGET, TIME, load, ordinal

__all__ = ["CARRY", "FEATURES", "HOLD_OUT", "NAME", "SCHEMA", "TARGET", "TIME", "estimator", "load"]

NAME = "flights_xgboost"


def estimator() -> Pipeline:
    """100 trees of at most 64 leaves: the defaults."""
    return Pipeline([("columns", ordinal()), ("model", XGBClassifier(random_state=0, n_jobs=1))])
