"""
The demo's question asked of a small neural network, for benchmarks.

    python -m stream train benchmarks/models/flights_mlp.py --out /tmp/flights_mlp
"""

from __future__ import annotations

from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline

from benchmarks.models.flights_columns import CARRY, FEATURES, HOLD_OUT, SCHEMA, TARGET, TIME, load, one_hot

__all__ = ["CARRY", "FEATURES", "HOLD_OUT", "NAME", "SCHEMA", "TARGET", "TIME", "estimator", "load"]

NAME = "flights_mlp"


def estimator() -> Pipeline:
    """One hidden layer of 32."""
    return Pipeline([("columns", one_hot()), ("model", MLPClassifier((32,), max_iter=20, random_state=0))])
