"""
The demo's question asked of scikit-learn's classic gradient boosting, for benchmarks.

    python -m stream train benchmarks/models/flights_boosting.py --out /tmp/flights_boosting
"""

from __future__ import annotations

from sklearn.ensemble import GradientBoostingClassifier
from sklearn.pipeline import Pipeline

from benchmarks.models.flights_columns import CARRY, FEATURES, HOLD_OUT, SCHEMA, TARGET, TIME, load, ordinal

__all__ = ["CARRY", "FEATURES", "HOLD_OUT", "NAME", "SCHEMA", "TARGET", "TIME", "estimator", "load"]

NAME = "flights_boosting"


def estimator() -> Pipeline:
    """100 trees of at most 8 leaves: the defaults."""
    return Pipeline([("columns", ordinal()), ("model", GradientBoostingClassifier(random_state=0))])
