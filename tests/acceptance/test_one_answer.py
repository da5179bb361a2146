"""One answer everywhere: the same thousand rows through every door, and the plain estimator beside them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.dataset as ds
import pytest

import stream
import stream.sql
from stream.batch import find_inputs
from stream.settings import (
    ModelSettings,
    Settings,
)
from stream.tasks import BatchOptions, planned, run_batch
from tests.acceptance.cases import CASES, ROWS, Case
from tests.acceptance.rig import scored
from tests.conftest import Kafka
from tests.kafka.topics import Topics
from tests.unit.rest.models import door

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

Answers = Mapping[str, Mapping[str, Any]]
"""A prediction by the id that it carries."""

REST_ROWS = 100
"""Of one request."""


@pytest.fixture(scope="module", params=CASES)
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Case:
    """A model and its thousand rows."""
    return CASES[request.param](tmp_path_factory.mktemp(request.param))


@pytest.fixture(scope="module")
def file(case: Case, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The rows as parquet."""
    path = tmp_path_factory.mktemp("rows") / "rows.parquet"
    case.write(path)
    return path


def folder_of(case: Case) -> Path:
    """The package, not the version in it."""
    return case.package.path.parent.parent.absolute()


def by_id(case: Case, rows: list[dict[str, Any]]) -> Answers:
    """Predictions under their ids; each once."""
    answers = {row[case.id]: row for row in rows}
    assert ROWS == len(rows) == len(answers)
    return answers


def plain(case: Case) -> Answers:
    """What the estimator says of the rows, without any of our code."""
    estimator: Any = case.package.model.estimator
    labels = estimator.predict(case.x())
    ids = [event[case.id] for event in case.events]
    if case.package.manifest.task == "regressor":
        return {id: {"value": float(value)} for id, value in zip(ids, labels, strict=True)}
    scores = estimator.predict_proba(case.x())
    classes = list(estimator.classes_)
    which = [1 if len(classes) == 2 else classes.index(label) for label in labels]
    return {
        id: {"label": label, "score": float(row[place])}
        for id, label, row, place in zip(ids, labels.tolist(), scores, which, strict=True)
    }


def through_sql(case: Case, file: Path) -> Answers:
    """`predict(f)` in DuckDB."""
    with stream.sql.connect(case.package) as connection:
        found = connection.sql(f"SELECT predict(f) FROM '{file}' f").fetchall()
    return by_id(case, [prediction for (prediction,) in found])


def through_batch(case: Case, file: Path) -> Answers:
    """A run of `stream batch`."""
    settings = replace(Settings(), model=ModelSettings(uri=str(folder_of(case)), open_timeout=None))
    wish = BatchOptions(file.parent / "scored", processes=1)
    plan = planned(find_inputs([str(file)]), wish, new_only=False, progress=lambda _: None)
    record, _ = run_batch(settings, plan, wish, lambda _: None)
    parts = ds.dataset(wish.output / f"run={record.run}", exclude_invalid_files=True, format="parquet")
    return by_id(case, parts.to_table().to_pylist())


def through_rest(case: Case, file: Path) -> Answers:
    """`POST /predict`, a hundred rows at a time."""
    rows: list[dict[str, Any]] = []
    with door(folder_of(case)) as (client, _):
        for start in range(0, ROWS, REST_ROWS):
            answer = client.post("/predict", json=case.events[start : start + REST_ROWS])
            assert 200 == answer.status_code, answer.text
            rows += answer.json()
    return by_id(case, rows)


def through_python(case: Case, file: Path) -> Answers:
    """`stream.load(...).predict`, of a frame as pandas reads it."""
    rows = stream.load(folder_of(case)).predict(pd.read_parquet(file))
    assert rows["error"].isna().all()
    return by_id(case, rows.to_dict("records"))  # type: ignore[arg-type]


def assert_one_answer(case: Case, answers: Answers) -> None:
    """Labels are the estimator's own, numbers within the package's tolerance."""
    expected = plain(case)
    assert expected.keys() == answers.keys()
    assert len({str(answer) for answer in expected.values()}) > 1
    tolerance = case.package.manifest.tolerance
    for id, wanted in expected.items():
        found = answers[id]
        assert case.package.manifest.model == found["model"]
        for field, value in wanted.items():
            if field == "label":
                assert (id, value) == (id, found[field])
            else:
                np.testing.assert_allclose(
                    found[field], value, rtol=0, atol=tolerance * max(1.0, abs(value)), err_msg=id
                )


@pytest.mark.parametrize("through", [through_sql, through_batch, through_rest, through_python])
def test_answers_without_kafka(case: Case, file: Path, through: Callable[[Case, Path], Answers]) -> None:
    """SQL, files, REST and Python say what the estimator says."""
    assert_one_answer(case, through(case, file))


@pytest.mark.kafka
def test_answers_on_the_stream(case: Case, kafka: Kafka, topics: Topics) -> None:
    """So does the worker, exactly once, on a real Kafka."""
    found = scored(kafka.bootstrap, topics, folder_of(case), case.events)

    assert [] == found.letters
    assert_one_answer(case, by_id(case, [dict(seen.fields) for seen in found.predictions]))


@pytest.mark.spark
def test_answers_on_spark(case: Case, file: Path, spark: Any) -> None:
    """So does `predict(struct(*))` on the executors."""
    from stream.spark import register

    register(spark, folder_of(case))
    found = spark.sql(f"SELECT p.* FROM (SELECT predict(struct(*)) AS p FROM parquet.`{file}`)").collect()

    assert_one_answer(case, by_id(case, [row.asDict(recursive=True) for row in found]))
