"""A tiny recipe, as text with parts to change."""

from __future__ import annotations

import json
from pathlib import Path

SCHEMA = {
    "type": "record",
    "name": "Point",
    "fields": [
        {"name": "id", "type": "string"},
        {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
        {"name": "x", "type": "double"},
        {"name": "colour", "type": "string"},
    ],
}

TEXT = '''
"""A toy: y is whether x is above a half, mostly."""

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

NAME = "toy"
SCHEMA = "point.avsc"
FEATURES = ["x", "colour"]
TARGET = "y"
TIME = "at"
CARRY = ["id"]
GRID = {"logisticregression__C": [0.001, 1.0]}
FOLDS = 3


def load():
    random = np.random.default_rng(7)
    x = random.random(400)
    y = pd.array(x + random.normal(0, 0.1, 400) > 0.5, dtype="boolean")
    y[3] = y[399] = None
    at = pd.date_range("2024-01-01", periods=400, freq="h", tz="UTC").as_unit("ms")
    colour = pd.Series(random.choice(["red", "blue"], 400), dtype=object)
    return pd.DataFrame({"id": [f"p{i}" for i in range(400)], "at": at, "x": x, "colour": colour, "y": y})


def estimator():
    one_hot = OneHotEncoder(handle_unknown="ignore")
    columns = ColumnTransformer([("colour", one_hot, ["colour"])], remainder="passthrough")
    return make_pipeline(columns, LogisticRegression(random_state=0))
'''


def write_recipe(folder: Path, *changes: tuple[str, str]) -> Path:
    """
    Write the toy recipe and its schema.

    Args:
        folder: where to.
        changes: texts of the recipe and what to put there instead; each must be found.
    Returns: the recipe's path.
    """
    text = TEXT
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (folder / "point.avsc").write_text(json.dumps(SCHEMA))
    path = folder / "toy.py"
    path.write_text(text)
    return path


KINDS = '''
"""Rows of twenty shops: <b>bold</b> & `code`."""

import numpy as np
import pandas as pd
from sklearn.tree import DecisionTreeClassifier

NAME = "several"
FEATURES = ["x", "$price$ <i>"]
TARGET = "kind"
GROUP = "shop"
BY = ["shop", "x"]


def load():
    random = np.random.default_rng(3)
    x, price = random.random(300), random.random(300)
    kinds = np.array(["<script>alert(1)</script>", "$a$ & b\\u202e\\x1b", "日本"], dtype=object)
    kind = kinds[np.clip((3 * x + random.normal(0, 0.2, 300)).astype(int), 0, 2)]
    return pd.DataFrame(
        {"x": x, "$price$ <i>": price, "kind": kind, "shop": [f"s{i % 20}" for i in range(300)]}
    )


def estimator():
    return DecisionTreeClassifier(max_depth=3)
'''


def write_kind(folder: Path, name: str, *changes: tuple[str, str]) -> Path:
    """
    Write the recipe of three kinds.

    Args:
        folder: where to.
        name: of the file, without suffix.
        changes: as for `write_recipe`.
    Returns: the recipe's path.
    """
    text = KINDS
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path = folder / f"{name}.py"
    path.write_text(text)
    return path
