"""
The demo's question asked of a random forest, for benchmarks.

    python -m stream train benchmarks/models/flights_forest.py --out /tmp/flights_forest
"""

from __future__ import annotations

from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import Pipeline

from benchmarks.models.flights_columns import CARRY, FEATURES, HOLD_OUT, SCHEMA, TARGET, TIME, load, ordinal

__all__ = ["CARRY", "FEATURES", "HOLD_OUT", "NAME", "SCHEMA", "TARGET", "TIME", "estimator", "load"]

NAME = "flights_forest"


def estimator() -> Pipeline:
    """100 trees of at most 256 leaves."""
    return Pipeline(
        [("columns", ordinal()), ("model", RandomForestClassifier(100, max_depth=8, random_state=0))]
    )
