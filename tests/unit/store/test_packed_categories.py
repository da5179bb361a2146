"""Columns of categories: what the model was fitted on is what it is given, from a sample of any format."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, TargetEncoder

from stream.files import read_sample
from stream.scoring import Model, columns_of
from stream.store import PackRequest, pack

RNG = np.random.default_rng(11)
ROWS = 120
CLASSES = pd.DataFrame(
    {
        "pclass": RNG.integers(1, 4, ROWS),
        "smoker": RNG.random(ROWS) > 0.5,
        "half": RNG.integers(0, 3, ROWS) / 2,
        "age": RNG.integers(1, 80, ROWS),
    }
)
TARGET = ((CLASSES.pclass == 1) | CLASSES.smoker).astype(int).to_numpy()


def packed(estimator: Any, frame: pd.DataFrame, folder: Path, kind: str = "csv") -> Model:
    """A model packed with a sample file of the frame."""
    path = folder / f"rows.{kind}"
    match kind:
        case "csv":
            frame.to_csv(path, index=False)
        case "jsonl":
            frame.to_json(path, orient="records", lines=True)
        case _:
            frame.to_parquet(path)
    made = pack(estimator, PackRequest("m", out=folder / "package"), sample=read_sample(path))
    return made.package.model


def published(model: Model, frame: pd.DataFrame) -> list[Any]:
    """What is published for a frame's rows as events: the score, else the value."""
    table = pa.Table.from_pandas(frame, preserve_index=False)
    columns = columns_of(table.to_pylist(), model.manifest.features)
    scored = model.score(columns, len(frame))

    assert not scored.faults
    return list((scored.columns.get("score") or scored.columns["value"]).to_pylist())


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
@pytest.mark.parametrize(
    "encoder", [OneHotEncoder(handle_unknown="ignore"), OrdinalEncoder(), TargetEncoder()]
)
def test_numbers_in_an_encoder_stay_numbers(tmp_path: Path, kind: str, encoder: Any) -> None:
    """Whole numbers, booleans and fractions that are categories are not texts, whatever the sample's format."""
    coded = ColumnTransformer([("c", encoder, ["pclass", "smoker", "half"])], remainder="passthrough")
    fitted = make_pipeline(coded, LogisticRegression(max_iter=1000)).fit(CLASSES, TARGET)

    found = published(packed(fitted, CLASSES, tmp_path, kind), CLASSES)

    np.testing.assert_allclose(fitted.predict_proba(CLASSES)[:, 1], found, rtol=1e-12)
