"""An estimator as its owner has it, the frame that the owner asks it with, and what it answers there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from stream.demo.flights import load_flights

__all__ = ["ROWS", "Owned", "answers_of", "flights", "named", "numbers", "passengers"]

ROWS = 60


@dataclass(frozen=True)
class Owned:
    """
    An estimator, and rows for it.

    Attributes:
        estimator: fitted.
        x: what its owner gives to `predict`: DataFrame, Series or array of ROWS rows.
        frame: the model's columns in the model's order, as a sample of events has them.
        options: how it is packed from a sample in the model's own order.
        nameless: it does not say its columns: in another order they have to be named.
    """

    estimator: Any
    x: Any
    frame: pd.DataFrame
    options: dict[str, Any] = field(default_factory=dict)
    nameless: bool = False


@cache
def _flights() -> pd.DataFrame:
    frame = load_flights()
    rows = frame[frame["late"].notna()].sample(ROWS, random_state=4).reset_index(drop=True)
    kept = rows[["dep_delay", "distance", "hour", "temp", "humid", "wind_speed"]].astype(
        {"dep_delay": float, "distance": "int64", "hour": "int64"}
    )
    texts = rows[["carrier", "origin", "dest"]].astype(object)
    texts["tail"] = rows["tailnum"].str[-2:].astype(object)
    kept = pd.concat([kept, texts], axis=1)
    kept["weekend"] = rows["weekday"] >= 6
    kept["scheduled"] = pd.to_datetime(rows["scheduled"]).dt.tz_localize(None).astype("datetime64[us]")
    kept.loc[::6, "temp"] = np.nan
    kept.loc[::5, "tail"] = np.nan
    kept["late"] = rows["late"].astype(int)
    kept["air"] = 20.0 + kept["distance"] / 8 + kept["hour"]
    return kept


def flights(*columns: str) -> pd.DataFrame:
    """
    Real departures as `pandas.read_csv` has them.

    Args:
        columns: of dep_delay (double), distance, hour (whole), temp (nullable double), humid, wind_speed, carrier,
            origin, dest (texts), tail (nullable text), weekend (boolean), scheduled (datetime); late and air are
            what is learned.
    Returns: ROWS rows, a copy.
    """
    return _flights()[list(columns)].copy()


def late() -> pd.Series:
    """0 or 1."""
    return _flights()["late"].copy()


def grade() -> pd.Series:
    """Three texts."""
    return pd.cut(_flights()["dep_delay"], [-1e9, 0, 20, 1e9], labels=["early", "slow", "late"]).astype(
        object
    )


def air() -> pd.Series:
    """Minutes in the air, about."""
    return _flights()["air"].copy()


def passengers() -> pd.DataFrame:
    """Whole-number and boolean categories beside numbers."""
    frame = flights("hour", "weekend", "dep_delay")
    frame["class"] = (np.arange(ROWS) * 7 % 3) + 1
    return frame[["class", "weekend", "dep_delay"]]


def numbers() -> pd.DataFrame:
    """Four columns of doubles without a null."""
    frame = flights("dep_delay", "distance", "humid", "wind_speed").astype(float)
    return frame.fillna(frame.mean())


def named(estimator: Any, x: Any, y: Any = None, **options: Any) -> Owned:
    """Fitted on a frame or Series, asked with the same."""
    fitted = estimator.fit(x) if y is None else estimator.fit(x, y)
    frame = x.to_frame() if isinstance(x, pd.Series) else x
    return Owned(fitted, x, frame, options)


def unnamed(estimator: Any, y: Any = None, x: pd.DataFrame | None = None, **options: Any) -> Owned:
    """Fitted on an array, asked with the same."""
    frame = numbers() if x is None else x
    array = frame.to_numpy()
    fitted = estimator.fit(array) if y is None else estimator.fit(array, np.asarray(y))
    return Owned(fitted, array, frame, options, nameless=True)


def answers_of(owned: Owned, task: str, *, scored: bool) -> dict[str, list[Any]]:
    """
    What the estimator says on its owner's own input, by the contract's field names.

    Args:
        owned: the estimator and its rows.
        task: of the manifest, which says how the answer is called.
        scored: whether a score is published.
    Returns: columns of ROWS answers: label, value, labels or values, and score where there is one.
    """
    predicted = _plain(owned.estimator.predict(owned.x))
    name = {"regressor": "value", "multi-regressor": "values", "multi-classifier": "labels"}.get(
        task, "label"
    )
    if not task.startswith("multi") and predicted.ndim == 2:
        predicted = predicted[:, 0]
    answers = {name: predicted.tolist()}
    if scored:
        answers["score"] = _scores(owned, task, answers["label"])
    return answers


def _plain(answer: Any) -> np.ndarray:
    return np.asarray(answer.todense() if hasattr(answer, "todense") else answer)


def _scores(owned: Owned, task: str, labels: Sequence[Any]) -> list[float]:
    """Binary: of the second class; several: of the label."""
    if task == "outlier":
        return [float(score) for score in owned.estimator.decision_function(owned.x)]
    method = "predict_proba" if hasattr(owned.estimator, "predict_proba") else "decision_function"
    scores = np.asarray(getattr(owned.estimator, method)(owned.x))
    if scores.ndim == 1:
        return [float(score) for score in scores]
    classes = list(owned.estimator.classes_)
    if len(classes) == 2:
        return [float(row[1]) for row in scores]
    return [float(row[classes.index(label)]) for row, label in zip(scores, labels, strict=True)]
