"""
The demo's question asked of CatBoost, for benchmarks.

    python -m stream train benchmarks/models/flights_catboost.py --out /tmp/flights_catboost
"""

from __future__ import annotations

from catboost import CatBoostClassifier
from sklearn.pipeline import Pipeline

from benchmarks.models.flights_columns import CARRY, FEATURES, HOLD_OUT, SCHEMA, TARGET, TIME, load, ordinal

__all__ = ["CARRY", "FEATURES", "HOLD_OUT", "NAME", "SCHEMA", "TARGET", "TIME", "estimator", "load"]

NAME = "flights_catboost"


def estimator() -> Pipeline:
    """200 trees of 64 leaves."""
    return Pipeline(
        [
            ("columns", ordinal()),
            (
                "model",
                CatBoostClassifier(200, random_state=0, thread_count=1, verbose=0, allow_writing_files=False),
            ),
        ]
    )
