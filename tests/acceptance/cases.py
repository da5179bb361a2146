"""Models of five kinds, each with a thousand events: missing, unseen and extreme values among them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from benchmarks.models import flights_lr
from stream.codec import RecordSchema
from stream.demo.export import export
from stream.files import events_of, sample_of
from stream.store import Package, PackRequest, open_package, pack

__all__ = ["CASES", "ROWS", "Case"]

ROWS = 1_000

EXTREMES = (1e30, -1e30, 5e-324, -0.0, 123456789.123456789)
"""Finite, as JSON's numbers are; forests cut to float32, so not beyond it."""


@dataclass(frozen=True)
class Case:
    """
    A package and its events.

    Attributes:
        package: opened.
        id: the field that is carried and differs in each event.
        events: as its schema has them.
    """

    package: Package
    id: str
    events: list[dict[str, Any]]

    def write(self, path: Path) -> None:
        """The events as parquet, in the types of the schema."""
        schema = RecordSchema(self.package.features)
        fields = [(leaf.path, leaf.arrow) for leaf in schema.leaves()]
        pq.write_table(pa.Table.from_pylist(self.events, pa.schema(fields)), path)

    def x(self) -> Any:
        """What the estimator itself would be given by hand."""
        manifest = self.package.manifest
        if manifest.inputs == "vector":
            return np.array([event[manifest.features[0].path] for event in self.events], float)
        columns: dict[str, Any] = {}
        for feature in manifest.features:
            values = [event[feature.path] for event in self.events]
            kind = object if feature.kind == "text" else float
            columns[feature.name] = pd.Series(values, dtype=kind)
        return pd.DataFrame(columns)


def _spoiled(
    events: list[dict[str, Any]], texts: list[str], numbers: list[str], nullable: list[str]
) -> list[dict[str, Any]]:
    """Every seventh event has an unseen text, every fifth an extreme number, every third a null."""
    rng = np.random.default_rng(11)
    for i, event in enumerate(events):
        if texts and i % 7 == 0:
            event[str(rng.choice(texts))] = str(rng.choice(["", "never seen", "ÜØ漢"]))
        if i % 5 == 0:
            event[str(rng.choice(numbers))] = float(rng.choice(EXTREMES))
        if nullable and i % 3 == 0:
            event[str(rng.choice(nullable))] = None
    return events


def _flights(folder: Path, *, linear: bool) -> Case:
    export(folder / "flights.parquet", 4_000)
    frame = pd.read_parquet(folder / "flights.parquet")
    if linear:
        known = frame[frame["late"].notna()]
        fitted = flights_lr.estimator().fit(known[list(flights_lr.FEATURES)], known["late"].astype(bool))
        schema = Path("schemas/flight.avsc").read_text()
        package = pack(fitted, PackRequest("lr", folder / "lr", carry=("flight_id",)), schema=schema).package
    else:
        package = open_package("models/flights")
    events = list(events_of(sample_of(frame.iloc[-ROWS:]), RecordSchema(package.features)))
    nullable = [f.path for f in package.manifest.features if f.nullable]
    return Case(
        package, "flight_id", _spoiled(events, ["carrier", "dest"], ["distance", *nullable], nullable)
    )


def _people() -> pd.DataFrame:
    rng = np.random.default_rng(7)
    return pd.DataFrame(
        {
            "id": [f"p{i}" for i in range(ROWS)],
            "age": rng.integers(18, 90, ROWS),
            "income": np.where(rng.random(ROWS) < 0.1, np.nan, rng.normal(40_000, 9_000, ROWS)),
            "city": rng.choice(["Bath", "Leeds", "York"], ROWS),
        }
    )


def _columns() -> ColumnTransformer:
    return ColumnTransformer(
        [
            ("text", OneHotEncoder(handle_unknown="ignore"), ["city"]),
            ("number", make_pipeline(SimpleImputer(), StandardScaler()), ["age", "income"]),
        ]
    )


def _people_case(folder: Path, *, regressor: bool) -> Case:
    frame = _people()
    x = frame[["age", "income", "city"]]
    if regressor:
        target: Any = frame["age"] * 2.5 + (frame["city"] == "York")
        fitted: Any = make_pipeline(_columns(), Ridge()).fit(x, target)
    else:
        target = np.where(frame["city"] == "Bath", "walks", np.where(frame["age"] > 50, "drives", "cycles"))
        fitted = make_pipeline(_columns(), LogisticRegression()).fit(x, target)
    package = pack(fitted, PackRequest("people", folder / "people", carry=("id",)), sample=frame).package
    events = list(events_of(sample_of(frame), RecordSchema(package.features)))
    return Case(package, "id", _spoiled(events, ["city"], ["income"], ["income"]))


def _array(folder: Path) -> Case:
    rng = np.random.default_rng(3)
    x = rng.normal(size=(ROWS, 4))
    fitted = LogisticRegression().fit(x, np.digitize(x[:, 0] + x[:, 1], [-0.5, 0.5]))
    frame = pd.DataFrame({"id": [f"v{i}" for i in range(ROWS)], "x": x.tolist()})
    package = pack(
        fitted, PackRequest("array", folder / "array", vector="x", carry=("id",)), sample=frame
    ).package
    events = list(events_of(sample_of(frame), RecordSchema(package.features)))
    for i in range(0, ROWS, 5):
        events[i]["x"] = [*events[i]["x"][:3], float(EXTREMES[i // 5 % len(EXTREMES)])]
    return Case(package, "id", events)


CASES: dict[str, Callable[[Path], Case]] = {
    "flights": partial(_flights, linear=False),
    "linear": partial(_flights, linear=True),
    "multiclass": partial(_people_case, regressor=False),
    "regressor": partial(_people_case, regressor=True),
    "array": _array,
}
