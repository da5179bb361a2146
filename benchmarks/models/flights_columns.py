"""What the recipes of the benchmarks share: the demo's question, its columns, and two usual ways to prepare them."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

from stream.demo import flights

__all__ = ["CARRY", "FEATURES", "HOLD_OUT", "SCHEMA", "TARGET", "TIME", "load", "one_hot", "ordinal"]

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


def one_hot() -> ColumnTransformer:
    """For models of sums: one-hot categories, scaled numbers (the mean where one is missing)."""
    numbers = make_pipeline(SimpleImputer(), StandardScaler())
    return ColumnTransformer(
        [
            ("one_hot", OneHotEncoder(handle_unknown="ignore"), list(CATEGORIES)),
            ("scaled", numbers, list(NUMBERS)),
        ]
    )


def ordinal() -> ColumnTransformer:
    """For trees: categories as numbers (-1 for one that is not known), numbers with the mean where one is missing."""
    categories = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    return ColumnTransformer(
        [("ordinal", categories, list(CATEGORIES)), ("filled", SimpleImputer(), list(NUMBERS))]
    )
