"""Every door that a file's rows can be scored through: their predictions, by the row's id."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.dataset as ds

import stream
import stream.sql
from stream.batch import find_inputs
from stream.settings import ModelSettings, Settings
from stream.tasks import BatchOptions, planned, run_batch
from tests.estimators.samples import ID, json_rows
from tests.unit.rest.models import door

__all__ = [
    "Answers",
    "by_id",
    "through_batch",
    "through_python",
    "through_rest",
    "through_spark",
    "through_sql",
]

Answers = Mapping[str, Mapping[str, Any]]
"""A prediction by the id that it carries."""


def by_id(rows: list[dict[str, Any]]) -> Answers:
    """Predictions under their ids; each once."""
    answers = {row[ID]: row for row in rows}
    assert len(rows) == len(answers)
    return answers


def through_batch(folder: Path, file: Path) -> Answers:
    """A run of `stream batch`."""
    settings = replace(Settings(), model=ModelSettings(uri=str(folder)))
    wish = BatchOptions(file.parent / f"{file.name}.scored", processes=1)
    plan = planned(find_inputs([str(file)]), wish, new_only=False, progress=lambda _: None)
    record, _ = run_batch(settings, plan, wish, lambda _: None)
    parts = ds.dataset(wish.output / f"run={record.run}", exclude_invalid_files=True, format="parquet")
    return by_id(parts.to_table().to_pylist())


def through_rest(folder: Path, frame: pd.DataFrame) -> Answers:
    """`POST /predict`: the rows as one list, as JSON has them."""
    rows = json_rows(frame)
    with door(folder) as (client, _):
        answer = client.post("/predict", json=rows)
    assert 200 == answer.status_code, answer.text
    return by_id(answer.json())


def through_sql(folder: Path, file: Path) -> Answers:
    """`predict(f)` in DuckDB, which reads the file itself."""
    with stream.sql.connect(folder) as connection:
        found = connection.sql(f"SELECT predict(f) FROM '{file}' f").fetchall()
    return by_id([prediction for (prediction,) in found])


def through_python(folder: Path, frame: Any) -> Answers:
    """`stream.load(...).predict(frame)`."""
    return by_id(stream.load(folder).predict(frame).to_dict("records"))


def through_spark(spark: Any, folder: Path, file: Path) -> Answers:
    """`predict(struct(*))` on the executors."""
    from stream.spark import register

    register(spark, folder)
    found = spark.sql(f"SELECT p.* FROM (SELECT predict(struct(*)) AS p FROM parquet.`{file}`)").collect()
    return by_id([row.asDict(recursive=True) for row in found])
