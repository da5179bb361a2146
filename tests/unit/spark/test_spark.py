"""A model on a local Spark: the answers of the local engine, in the same folders; and functions in SQL."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.dataset as ds
import pytest

from stream.batch import RunRecord, find_inputs
from stream.settings import ModelSettings, Settings
from stream.store import open_package
from stream.table import TableScorer
from stream.tasks import BatchOptions, planned, run_batch
from tests.acceptance import visits

pytestmark = [pytest.mark.spark, pytest.mark.timeout(600)]


def rows(n: int) -> list[dict[str, Any]]:
    """Visits, some of which can't be scored."""
    made = [visits.visit(i) for i in range(n)]
    made[3]["pages"] = 2**31
    made[5]["channel"] = None
    return made


def scored(
    package: Path, given: Path, wish: BatchOptions
) -> tuple[RunRecord, list[dict[str, Any]], list[str]]:
    """The record, the predictions and the dead rows of a run."""
    settings = replace(Settings(), model=ModelSettings(uri=str(package)))
    plan = planned(find_inputs([str(given)]), wish, new_only=False, progress=lambda _: None)
    record, _ = run_batch(settings, plan, wish, lambda _: None)
    folder = wish.output / f"run={record.run}"
    table = ds.dataset(folder, exclude_invalid_files=False).to_table()
    return record, table.to_pylist(), (folder / "_dead_rows.jsonl").read_text().splitlines()


def test_functions_answer_as_a_table_does(spark: Any, package: Path) -> None:
    """A struct, one field of it, and why there is none; a null row has neither."""
    from stream.spark import register

    names = register(spark, package)
    given = rows(50)
    frame = spark.createDataFrame(given, "id long, channel string, pages long, seconds double")
    frame.createOrReplaceTempView("visits")

    found = spark.sql(
        "SELECT predict(struct(*)) p, predict_score(struct(*)) s, predict_error(struct(*)) e FROM visits"
    ).collect()
    none = spark.sql(
        "SELECT predict(IF(id = 0, NULL, struct(*))) p FROM visits ORDER BY id LIMIT 2"
    ).collect()

    opened = open_package(package)
    expected = TableScorer(opened.model, opened.features).score_rows(given)
    answers = expected.aligned().to_pylist()
    assert {"predict", "predict_label", "predict_score", "predict_error"} == set(names)
    assert [i for i in range(50) if found[i]["p"] is not None] == list(expected.rows)
    assert [answers[i] for i in expected.rows] == [found[i]["p"].asDict() for i in expected.rows]
    assert [answers[i]["score"] for i in expected.rows] == [found[i]["s"] for i in expected.rows]
    assert {i: fault.reason for i, fault in sorted(expected.faults.items())} == {
        i: row["e"]["reason"] for i, row in enumerate(found) if row["e"] is not None
    }
    assert [True, False] == [row["p"] is None for row in none]


def test_row_without_a_carried_field_has_an_answer(spark: Any, package: Path) -> None:
    """The field is null; what is not a row at all has neither an answer nor an error."""
    from stream.spark import register

    register(spark, package)
    given = [
        {name: value for name, value in row.items() if name != "id"} for row in map(visits.visit, range(3))
    ]
    spark.createDataFrame(given, "channel string, pages long, seconds double").createOrReplaceTempView("some")

    found = spark.sql(
        "SELECT predict(struct(*)) p, predict(NULL) n, predict_error(NULL) e FROM some"
    ).collect()

    opened = open_package(package)
    expected = (
        TableScorer(opened.model, opened.features, carry=False).score_rows(given).predictions.to_pylist()
    )
    assert [{"id": None, **row} for row in expected] == [row["p"].asDict() for row in found]
    assert [(None, None)] * 3 == [(row["n"], row["e"]) for row in found]


def test_both_engines_write_the_same(tmp_path: Path, package: Path) -> None:
    """Predictions, dead rows and record, but for the engine's name, the run's and the times."""
    with (tmp_path / "v.jsonl").open("w") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows(200))

    local = scored(package, tmp_path / "v.jsonl", BatchOptions(tmp_path / "a"))
    cluster = scored(
        package, tmp_path / "v.jsonl", BatchOptions(tmp_path / "b", engine="spark", master="local[2]")
    )

    assert local[1:] == cluster[1:]
    same = [replace(each[0], run="", started="", finished="", engine="") for each in (local, cluster)]
    assert same[0] == same[1]
    assert ("local", "spark") == (local[0].engine, cluster[0].engine)
