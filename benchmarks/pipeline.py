"""
What a record costs in `Pipeline.process` alone, by how many are given at once: no broker, one process, CPU time.

    python -m benchmarks.pipeline                     the table of docs/performance.md
    python -m benchmarks.pipeline --models hgb,lr --engine sklearn

Each model is a pipeline on the demo's flights, trained on 40,000 of them when it is first asked for and kept in
`.cache/bench/pipeline`. The least of many calls counts. Run it on a quiet machine.
"""

from __future__ import annotations

import argparse
import io
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import fastavro
import pandas as pd

from benchmarks.packages import ROOT, package
from stream.demo import flights
from stream.pipeline import Pipeline
from stream.records import Batch, Prediction
from stream.resources import build_pipeline, open_configured
from stream.settings import Settings
from stream.store import Package, PackRequest, golden_of, pack

__all__ = ["MODELS", "main", "packed"]

_CATEGORIES = ["carrier", "origin", "dest"]
_NUMBERS = ["distance", "dep_delay", "weekday", "hour", *flights.WEATHER]
_HOME = ROOT / ".cache" / "bench" / "pipeline"
_ROWS = 40_000
_SIZES = (1, 10, 100, 2_000)
_LEAST_S = 0.3
"""CPU time of each measurement."""


def _dense() -> Any:
    """One-hot categories beside scaled numbers, the mean where one is missing, as a matrix."""
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    one_hot = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    scaled = make_pipeline(SimpleImputer(), StandardScaler())
    return ColumnTransformer([("one_hot", one_hot, _CATEGORIES), ("scaled", scaled, _NUMBERS)])


def _behind(model: Callable[[], Any]) -> Callable[[], Any]:
    def pipeline() -> Any:
        from sklearn.pipeline import make_pipeline

        return make_pipeline(_dense(), model())

    return pipeline


def _forest() -> Any:
    from sklearn.ensemble import RandomForestClassifier

    return RandomForestClassifier(100, max_depth=10, n_jobs=1, random_state=0)


def _boosting() -> Any:
    from sklearn.ensemble import GradientBoostingClassifier

    return GradientBoostingClassifier(random_state=0)


def _lightgbm() -> Any:
    from lightgbm import LGBMClassifier

    return LGBMClassifier(n_jobs=1, verbose=-1, random_state=0)


def _xgboost() -> Any:
    from xgboost import XGBClassifier

    return XGBClassifier(n_jobs=1, random_state=0)


def _catboost() -> Any:
    from catboost import CatBoostClassifier

    return CatBoostClassifier(iterations=100, verbose=False, random_seed=0, allow_writing_files=False)


def _perceptron() -> Any:
    from sklearn.neural_network import MLPClassifier

    return MLPClassifier((50,), max_iter=20, random_state=0)


def _neighbours() -> Any:
    from sklearn.neighbors import KNeighborsClassifier

    return KNeighborsClassifier()


MODELS: Mapping[str, tuple[str, Callable[[], Any] | None]] = {
    "hgb": ("histogram gradient boosting, the demo's", None),
    "lr": ("one-hot, scaled, logistic regression", None),
    "forest": ("random forest of 100 trees, 10 deep", _behind(_forest)),
    "boosting": ("gradient boosting, 100 trees", _behind(_boosting)),
    "lightgbm": ("LightGBM, 100 trees", _behind(_lightgbm)),
    "xgboost": ("XGBoost, 100 trees", _behind(_xgboost)),
    "catboost": ("CatBoost, 100 trees", _behind(_catboost)),
    "mlp": ("perceptron of 50", _behind(_perceptron)),
    "neighbours": ("5 nearest of 40,000", _behind(_neighbours)),
}
"""By name: what it is, and how it is made; None for those of `benchmarks.packages`."""


def packed(name: str) -> Path:
    """The folder of a model's package, trained and packed if it isn't there."""
    make = MODELS[name][1]
    if make is None:
        return package(name)
    folder = _HOME / name
    if not (folder / "current").is_file():
        frame: pd.DataFrame = (
            flights.load_flights().dropna(subset=[flights.TRUTH]).sample(_ROWS, random_state=0)
        )
        estimator = make().fit(frame[_CATEGORIES + _NUMBERS], frame[flights.TRUTH])
        schema = (ROOT / "schemas" / "flight.avsc").read_text()
        carry = ("flight_id", "carrier", "origin", "dest")
        pack(estimator, PackRequest(name, folder, carry=carry), schema=schema, sample=frame.head(500))
    return folder


def _opened(name: str, engine: str) -> tuple[Package, Pipeline]:
    settings = Settings()
    model: Any = replace(settings.model, uri=str(packed(name)), engine=engine)
    settings = replace(
        settings, model=model, input=replace(settings.input, framing="bare"),
        output=replace(settings.output, framing="bare"),
    )  # fmt: skip
    opened = open_configured(settings)
    settings = replace(settings, input=replace(settings.input, schema=opened.path / "features.avsc"))
    pipeline = build_pipeline(settings, opened)
    assert isinstance(pipeline, Pipeline)
    return opened, pipeline


def _values(opened: Package) -> list[bytes]:
    schema = fastavro.parse_schema(json.loads(opened.features))
    found = []
    for event in golden_of(opened).events:
        stream = io.BytesIO()
        fastavro.schemaless_writer(stream, schema, event)
        found.append(stream.getvalue())
    return found


def _cost_us(pipeline: Pipeline, values: list[bytes], n: int) -> float:
    """CPU time a record, µs."""
    some = (values * (n // len(values) + 1))[:n]
    batch = Batch("flights", [0] * n, list(range(n)), [1] * n, [b"k"] * n, some, [()] * n)
    assert all(isinstance(outcome, Prediction) for outcome in pipeline.process(batch))
    pipeline.process(batch)
    best, spent = float("inf"), 0.0
    while spent < _LEAST_S:
        began = time.process_time()
        pipeline.process(batch)
        took = time.process_time() - began
        best, spent = min(best, took), spent + took
    return best / n * 1e6


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pipeline", description=__doc__)
    parser.add_argument("--models", default=",".join(MODELS))
    parser.add_argument("--engine", choices=("auto", "sklearn"), default="auto")
    chosen = parser.parse_args()
    sizes = " | ".join(f"{size:,}" for size in _SIZES)
    print(f"| µs of CPU a record at once: | {sizes} | answered by |\n|---|{'---|' * (len(_SIZES) + 1)}")
    for name in chosen.models.split(","):
        opened, pipeline = _opened(name, chosen.engine)
        values = _values(opened)
        costs = [_cost_us(pipeline, values, size) for size in _SIZES]
        print(
            f"| {MODELS[name][0]} | {' | '.join(f'{cost:.3g}' for cost in costs)} | {opened.engine} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
