"""
The demo's question asked of a logistic regression, for benchmarks.

    python -m stream train benchmarks/models/flights_lr.py --out /tmp/flights_lr
"""

from __future__ import annotations

from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline

from benchmarks.models.flights_columns import CARRY, FEATURES, HOLD_OUT, SCHEMA, TARGET, TIME, load, one_hot

__all__ = ["CARRY", "FEATURES", "HOLD_OUT", "NAME", "SCHEMA", "TARGET", "TIME", "estimator", "load"]

NAME = "flights_lr"


def estimator() -> Pipeline:
    """Its encoding costs more than the demo's, its model less."""
    return Pipeline([("columns", one_hot()), ("model", LogisticRegression(max_iter=500, random_state=0))])
