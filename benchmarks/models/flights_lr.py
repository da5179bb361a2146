"""
The demo's question asked of a logistic regression, for benchmarks: its encoding costs more, its model less.

    stream train benchmarks/models/flights_lr.py --out /tmp/flights_lr
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from stream.demo import flights

NAME = "flights_lr"
SCHEMA = Path(__file__).parents[2] / "schemas" / "flight.avsc"
TARGET = flights.TRUTH
TIME = "departed_at"
HOLD_OUT = flights.HOLD_OUT
CARRY = ("flight_id", "carrier", "origin", "dest")

CATEGORIES = ("carrier", "origin", "dest")
NUMBERS = ("distance", "dep_delay", "weekday", "hour", *flights.WEATHER)
FEATURES = (*CATEGORIES, *NUMBERS)


def load() -> pd.DataFrame:
    """Every departure of 2013, in time order."""
    return flights.load_flights()


def estimator() -> Pipeline:
    """One-hot categories, scaled numbers (the mean where one is missing), logistic regression."""
    numbers = make_pipeline(SimpleImputer(), StandardScaler())
    columns = ColumnTransformer(
        [
            ("one_hot", OneHotEncoder(handle_unknown="ignore"), list(CATEGORIES)),
            ("scaled", numbers, list(NUMBERS)),
        ]
    )
    return Pipeline([("columns", columns), ("regression", LogisticRegression(max_iter=500, random_state=0))])
