"""A model of a real MLflow server, scored by every door; its alias moves while records come."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from itertools import groupby
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from starlette.testclient import TestClient

import stream
from stream.app.rest_process import build_rest
from stream.mlflow import client
from stream.settings import MlflowSettings, ModelSettings, Settings
from tests.acceptance import visits
from tests.acceptance.conftest import make_setup, workers
from tests.acceptance.feed import Feed
from tests.acceptance.process import Worker, run
from tests.acceptance.reader import reading
from tests.kafka.topics import Topics
from tests.platforms.mlflow.registering import register, settings_for
from tests.platforms.mlflow.server import MlflowServer

__all__ = ["workers"]

pytestmark = pytest.mark.platform

PER_S = 400

_ROWS = [visits.visit(i) for i in range(200)]


def _move(url: str, name: str, version: int) -> None:
    with client(settings_for(url)) as server:
        server.api.set_registered_model_alias(name, "champion", str(version))


@pytest.mark.kafka
def test_alias_moves_under_load(
    mlflow_server: MlflowServer, tmp_path: Path, topics: Topics, package: Path, workers: Callable[..., Worker]
) -> None:
    """Each record has one prediction, by the version before and then by the one after; a webhook makes it quick."""
    register(mlflow_server.url, "moving", package, tmp_path, alias="champion")
    register(mlflow_server.url, "moving", package, tmp_path)
    tables = {
        "model": {"reload": "1h"},
        "mlflow": {"tracking_uri": mlflow_server.url, "cache": "cache", "webhook_secret": "hush"},
    }
    setup = make_setup(tmp_path, topics, Path("models:/moving@champion"), tables)
    worker = workers(setup).ready()
    with client(settings_for(mlflow_server.url)) as server:
        server.api.create_webhook(
            "moved",
            f"http://127.0.0.1:{worker.port}/webhooks/mlflow",
            ["model_version_alias.created"],
            secret="hush",
        )
    copy = next((tmp_path / "cache").glob("*/moving@1-*"))
    with (
        reading(setup.bootstrap, setup.output, setup.dead, copy) as outputs,
        Feed(setup.bootstrap, setup.input, PER_S) as feed,
    ):
        worker.until(lambda: worker.status()["predictions"] > PER_S, 60, "the first predictions")
        _move(mlflow_server.url, "moving", 2)
        worker.until(lambda: worker.status()["model"] == "moving@2", 60, "the alias's other version")
        seen = worker.status()["predictions"]
        worker.until(lambda: worker.status()["predictions"] > seen + PER_S, 60, "its predictions")
        sent = feed.stop()
        outputs.inputs(sent, worker)
    by_partition: dict[int, list[tuple[int, str]]] = {}
    for each in outputs.predictions:
        partition, offset = each.origin
        by_partition.setdefault(partition, []).append((offset, each.fields["model"]))

    assert sent == len(outputs.predictions) == len(outputs.count)
    for records in by_partition.values():
        assert ["moving@1", "moving@2"] == [model for model, _ in groupby(m for _, m in sorted(records))]
    assert f"models:/moving/2, packed as {_packed(package)}" in worker.text()


def _packed(package: Path) -> str:
    model = stream.load(package)
    return f"{model.name}@{model.version}"


def test_every_door_gives_the_answers_of_the_package(
    mlflow_server: MlflowServer, tmp_path: Path, package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python, REST, files and SQL: what the package itself answers, under the registry's name."""
    register(mlflow_server.url, "doors", package, tmp_path)
    register(mlflow_server.url, "doors", package, tmp_path, alias="champion")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow_server.url)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    uri = "models:/doors@champion"
    expected = [
        # Few rows are asked of the compiled graph, files and SQL of the estimator itself: docs/guarantees.md.
        each | {"model": "doors@2", "score": pytest.approx(each["score"], rel=1e-12, abs=1e-12)}
        for each in _answers(stream.load(package))
    ]

    assert expected == _answers(stream.load(uri))
    settings = Settings(model=ModelSettings(uri=uri), mlflow=MlflowSettings(tracking_uri=mlflow_server.url))
    with TestClient(build_rest(settings).app) as asked:
        assert expected == asked.post("/predict", json=_ROWS).json()
    with (tmp_path / "rows.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, _ROWS[0].keys())
        writer.writeheader()
        writer.writerows(_ROWS)
    with run(tmp_path, "batch", "batch", "rows.csv", "--output", "scored", "--model", uri) as batch:
        assert 0 == batch.end(), batch.tail()
    [part] = (tmp_path / "scored").glob("run=*/*.parquet")
    found = pq.read_table(part).to_pylist()
    assert expected == [{key: row[key] for key in expected[0]} for row in found]
    query = "SELECT p.* FROM (SELECT predict(f) AS p FROM 'rows.csv' f)"
    with run(tmp_path, "sql", "sql", query, "--model", "models:/doors/2", "--json") as sql:
        assert 0 == sql.end(), sql.tail()
    assert expected == [json.loads(line) for line in sql.output().splitlines()]


def _answers(model: stream.Model) -> list[dict[str, Any]]:
    import pandas as pd

    frame = model.predict(pd.DataFrame(_ROWS))
    return [
        {key: row[key] for key in ("id", "label", "score", "model")}
        for row in frame.to_dict(orient="records")
    ]
