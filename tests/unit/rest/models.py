"""Packages that the REST door is tried with, and the door in front of each."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from starlette.testclient import TestClient

from stream.app.rest_process import Rest, build_rest
from stream.settings import ModelSettings, ServeSettings, Settings
from stream.store import PackRequest, pack

PERSON = json.dumps(
    {
        "type": "record",
        "name": "Person",
        "fields": [
            {"name": "id", "type": "string"},
            {"name": "seen", "type": {"type": "long", "logicalType": "timestamp-millis"}},
            {"name": "body_mass__kg_", "type": "double", "feature": "body mass (kg)"},
            {"name": "age", "type": "long"},
            {"name": "city", "type": ["null", "string"], "default": None},
            {"name": "note", "type": "string"},
        ],
    }
)
COLUMNS = ["age", "city", "body mass (kg)"]
"""As the estimator has them: another order than the schema's."""

GIVEN: dict[str, Any] = {"age": 40, "body mass (kg)": 60.5, "city": "Bath"}
"""A row as a caller writes it."""

RAISES, NEVER, GATED = 999, 998, 997
"""Ages that the model can't stand: it raises, does not come back until it is let, or until the file `GATE` is there."""

GATE = "REST_GATE"
"""Environment variable of a process: the file's path."""

LET = threading.Event()
"""Set it to let a model that does not come back come back."""

POINT = json.dumps(
    {
        "type": "record",
        "name": "Point",
        "fields": [{"name": name, "type": "double"} for name in ("a", "b", "c")],
    }
)
OPTIONAL = json.dumps(
    {
        "type": "record",
        "name": "Optional",
        "fields": [{"name": name, "type": ["null", "double"], "default": None} for name in ("a", "b", "c")]
        + [{"name": "id", "type": "string"}],
    }
)
VECTOR = json.dumps(
    {
        "type": "record",
        "name": "Vector",
        "fields": [{"name": "x", "type": {"type": "array", "items": "double"}}],
    }
)


class Elder(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Says `old` from 50 on, with age/100 as its probability."""

    feature_names_in_ = np.array(COLUMNS, dtype=object)
    n_features_in_ = len(COLUMNS)
    classes_ = np.array(["old", "young"])

    def fit(self, x: pd.DataFrame, y: object) -> Elder:
        """Nothing is learned."""
        return self

    def predict_proba(self, x: pd.DataFrame) -> npt.NDArray[np.float64]:
        """Of old and young; raises and waits where it is told to."""
        age = x["age"].to_numpy(np.float64)
        if (age == RAISES).any():
            raise ArithmeticError("too old")
        if (age == NEVER).any():
            LET.wait(30)
        while (age == GATED).any() and not Path(os.environ[GATE]).exists():
            time.sleep(0.02)
        old = np.where(x["city"].to_numpy() == "Nowhere", np.nan, np.clip(age / 100, 0, 1))
        return np.column_stack([old, 1 - old])

    def predict(self, x: pd.DataFrame) -> npt.NDArray[Any]:
        """The likelier class."""
        labels: npt.NDArray[Any] = self.classes_[self.predict_proba(x).argmax(axis=1)]
        return labels


def people() -> pd.DataFrame:
    """Rows to keep as golden ones."""
    return pd.DataFrame(
        {
            "id": ["p1", "p2", "p3"],
            "seen": pd.DatetimeIndex(["2024-02-29T12:00Z", "1969-12-31T00:00Z", "2024-03-01T00:00Z"]),
            "body_mass__kg_": [70.0, 55.5, 80.0],
            "age": [20, 70, 35],
            "city": ["York", None, "Bath"],
            "note": ["", "", ""],
        }
    )


def pack_people(folder: Path, **options: Any) -> Path:
    """A classifier of people: names, texts, nulls, times carried."""
    wish = PackRequest("people", folder, **{"carry": ("id", "seen"), **options})
    pack(Elder(), wish, schema=PERSON, sample=people())
    return folder


def pack_line(folder: Path, slope: float = 1.0) -> Path:
    """A regression on a matrix of a, b, c: slope · a."""
    x = np.arange(12.0).reshape(4, 3) ** 1.5
    pack(LinearRegression().fit(x, slope * x[:, 0]), PackRequest("line", folder), schema=POINT)
    return folder


class Sum(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """10 a + 2 b + c; what is missing counts as 100."""

    feature_names_in_ = np.array(["a", "b", "c"], dtype=object)
    n_features_in_ = 3

    def fit(self, x: pd.DataFrame, y: object) -> Sum:
        """Nothing is learned."""
        return self

    def predict(self, x: pd.DataFrame) -> npt.NDArray[Any]:
        """The sums."""
        sums: npt.NDArray[Any] = x.fillna(100).to_numpy(np.float64) @ [10, 2, 1]
        return sums


def pack_optional(folder: Path) -> Path:
    """A regression of three numbers, each of which may be missing."""
    pack(Sum(), PackRequest("optional", folder, carry=("id",)), schema=OPTIONAL)
    return folder


def pack_swapped(folder: Path) -> Path:
    """A regression whose columns are in another order than the schema's fields."""
    model = LinearRegression().fit(pd.DataFrame({"b": [1.0, 2, 3], "a": [3.0, 1, 2]}), [1, 2, 3])
    pack(model, PackRequest("swapped", folder), schema=POINT)
    return folder


def pack_texts(folder: Path) -> Path:
    """A classifier of two texts."""
    x = pd.DataFrame({"color": ["red", "green", "blue", "red"], "shape": ["round", "flat", "flat", "round"]})
    model = make_pipeline(OneHotEncoder(handle_unknown="ignore"), LogisticRegression()).fit(x, [0, 1, 1, 0])
    fields = [{"name": name, "type": "string"} for name in x]
    schema = json.dumps({"type": "record", "name": "Thing", "fields": fields})
    pack(model, PackRequest("texts", folder), schema=schema)
    return folder


def pack_delay(folder: Path) -> Path:
    """A regression of whole numbers whose column has a name that Avro doesn't take."""
    x = pd.DataFrame({"dep delay": [1, 2, 3, 4]})
    schema = {"name": "dep_delay", "type": "long", "feature": "dep delay"}
    pack(
        LinearRegression().fit(x, [1, 2, 3, 4]),
        PackRequest("delay", folder),
        schema=json.dumps({"type": "record", "name": "Delay", "fields": [schema]}),
    )
    return folder


def pack_kinds(folder: Path) -> Path:
    """Three classes from a vector, with their probabilities."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(60, 2))
    model = LogisticRegression().fit(x, np.digitize(x[:, 0], [-0.5, 0.5]))
    pack(model, PackRequest("kinds", folder, vector="x", probabilities=True), schema=VECTOR)
    return folder


def settings_for(package: Path, **serve: Any) -> Settings:
    """A configuration with nothing but the model, and these keys of [serve]."""
    return Settings(
        model=replace(ModelSettings(), uri=str(package), reload=None, open_timeout=None),
        serve=replace(ServeSettings(), **serve),
    )


@contextmanager
def door(package: Path, **serve: Any) -> Iterator[tuple[TestClient, Rest]]:
    """The service of a package, as its clients see it."""
    rest = build_rest(settings_for(package, **serve))
    with TestClient(rest.app, raise_server_exceptions=False) as client:
        yield client, rest


def fields_of(body: Mapping[str, Any]) -> set[tuple[int | None, str]]:
    """Which fields of which rows an error names."""
    return {(one.get("row"), one["field"]) for one in body["errors"]}
