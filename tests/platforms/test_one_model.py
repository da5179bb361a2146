"""
One model through all of it: trained in Airflow, logged and registered in MLflow, named by an alias, and asked on Kafka,
by the image over HTTP, in Airflow's batch run and in SQL. The answers are the estimator's own.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import joblib
import numpy as np
import pandas as pd
import pytest

from tests.acceptance.process import ROOT, Setup, Worker
from tests.conftest import Kafka
from tests.image.base_image import make_base
from tests.image.buildah import Buildah
from tests.image.built import Built
from tests.kafka.process import free_ports, wait_for
from tests.kafka.topics import Topics
from tests.platforms.airflow.installation import AirflowInstallation
from tests.platforms.environments import environment
from tests.platforms.mlflow.server import MlflowServer

pytestmark = [pytest.mark.platform, pytest.mark.slow, pytest.mark.kafka, pytest.mark.timeout(1_800)]

HERE = Path(__file__).parent
URI = "models:/late@champion"
ROWS = 200
SAME = 1e-9
"""Matrix libraries round differently by the size of a batch: the package's own tolerance."""

SERVE_S = 120


def rows() -> pd.DataFrame:
    """Flights that no training has seen."""
    draw = np.random.default_rng(11)
    return pd.DataFrame(
        {
            "flight_id": [f"r{i}" for i in range(ROWS)],
            "dep_delay": draw.normal(10, 30, ROWS).round(3),
            "distance": draw.uniform(100, 3_000, ROWS).round(3),
        }
    )


@pytest.fixture(scope="module")
def mlflow() -> Iterator[MlflowServer]:
    """The registry."""
    with MlflowServer(environment("mlflow")) as server:
        yield server


@pytest.fixture(scope="module")
def airflow(mlflow: MlflowServer) -> Iterator[AirflowInstallation]:
    """Both DAGs have run: the second one because the first one had packed and registered a model."""
    variables = {
        "MLFLOW_TRACKING_URI": mlflow.url,
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "STREAM": str(ROOT / ".venv/bin/stream"),
    }
    installation = AirflowInstallation(environment("airflow"), [HERE / "one_model_dag.py"], variables)
    installation.data.mkdir(parents=True)
    shutil.copy(ROOT / "docs/examples/airflow/late_recipe.py", installation.data / "train.py")
    rows().to_csv(installation.data / "rows.csv", index=False)
    with installation:
        installation.resume_dag("one_model_score")
        installation.trigger("one_model_train", "one")
        assert "success" == installation.ended("one_model_train", "one"), installation.log(
            "one_model_train", "one", "train", 1
        )
        installation.until(lambda: installation.runs("one_model_score"), "the asset to begin the other DAG")
        [run] = installation.runs("one_model_score")
        assert "success" == installation.ended("one_model_score", run["dag_run_id"])
        yield installation


@pytest.fixture(scope="module")
def image() -> Iterator[Built]:
    """The target `serve` with MLflow's client in it, built here without a daemon."""
    missing = [tool for tool in ("buildah", "mmdebstrap", "unshare") if shutil.which(tool) is None]
    if missing or os.geteuid():
        why = f"an image can't be built here: {', '.join(missing) or 'not root'}"
        if os.environ.get("STREAM_REQUIRE_TOOLS") == "1":
            pytest.fail(why, pytrace=False)
        pytest.skip(why)
    storage = Path(tempfile.mkdtemp(prefix="image-"))
    buildah = Buildah(storage)
    tag = "localhost/prediction-stream-serve:one-model"
    try:
        make_base(buildah)
        buildah.build(ROOT, "serve", tag, ["EXTRAS=--extra mlflow"])
        yield Built(buildah.mount(tag), buildah.inspect(tag)["config"])
    finally:
        buildah.close()
        shutil.rmtree(storage)


@pytest.fixture(scope="module")
def own(airflow: AirflowInstallation) -> pd.Series:
    """What the estimator itself answers: unpickled from the package that was packed, and asked with pandas."""
    version = airflow.data / "models" / "flights" / "versions" / "1"
    estimator = joblib.load(version / "model.joblib")
    asked = rows().set_index("flight_id")
    scores = estimator.predict_proba(asked[["dep_delay", "distance"]])[:, 1]
    return pd.Series(scores, asked.index)


def stream(mlflow: MlflowServer, *arguments: str) -> str:
    """What a command prints; it must end well."""
    done = subprocess.run(
        [sys.executable, "-m", "stream", *arguments],
        capture_output=True,
        text=True,
        env={**mlflow.variables, "PYTHONPATH": str(ROOT)},
        cwd=mlflow.folder,
        check=False,
    )
    assert 0 == done.returncode, done.stderr
    return done.stdout


def held_to(own: pd.Series, found: pd.DataFrame) -> None:
    """Every row once, with the estimator's own score and label, by the registry's name and version."""
    found = found.set_index("flight_id")
    assert sorted(own.index) == sorted(found.index)
    found = found.loc[own.index]

    assert (found["score"] - own).abs().max() <= SAME
    assert ((own > 0.5) == found["label"]).all()
    assert {"late@1"} == set(found["model"])


def test_training_is_a_run_and_its_package_a_version(
    airflow: AirflowInstallation, mlflow: MlflowServer
) -> None:
    """The experiment has the training's metrics; the alias names version 1, which is the package that it made."""
    api = f"{mlflow.url}/api/2.0/mlflow"
    experiment = httpx.get(f"{api}/experiments/get-by-name", params={"experiment_name": "one-model"}).json()
    wanted = {"experiment_ids": [experiment["experiment"]["experiment_id"]]}
    [run] = httpx.post(f"{api}/runs/search", json=wanted).json()["runs"]
    named = httpx.get(f"{api}/registered-models/alias", params={"name": "late", "alias": "champion"}).json()
    returned = airflow.xcom("one_model_train", "one", "train")
    logged = {metric["key"]: metric["value"] for metric in run["data"]["metrics"]}

    assert "FINISHED" == run["info"]["status"]
    assert returned["metrics"]["accuracy"] == pytest.approx(logged["accuracy"])
    assert ("1", "flights@1") == (named["model_version"]["version"], returned["model"])


def test_airflow_s_batch_run_has_the_estimator_s_answers(
    airflow: AirflowInstallation, own: pd.Series
) -> None:
    """The asset of the new model began it."""
    held_to(own, pd.read_parquet(airflow.data / "scored"))


def test_sql_has_the_estimator_s_answers(
    airflow: AirflowInstallation, mlflow: MlflowServer, own: pd.Series, tmp_path: Path
) -> None:
    """The model by its alias, from the registry."""
    saved = tmp_path / "sql.parquet"
    query = f"SELECT unnest(predict(f)) FROM '{airflow.data}/rows.csv' f"
    stream(mlflow, "sql", "--model", URI, "--save", str(saved), query)

    held_to(own, pd.read_parquet(saved))


def test_stream_has_the_estimator_s_answers(
    airflow: AirflowInstallation,
    mlflow: MlflowServer,
    own: pd.Series,
    kafka: Kafka,
    topics: Topics,
    tmp_path: Path,
) -> None:
    """A worker whose configuration names the alias, on a real Kafka."""
    read, written, dead = [topics.create(base, partitions=2) for base in ("rows", "answers", "letters")]
    setup = Setup(tmp_path, kafka.bootstrap, topics.name("one-model"), read, written, dead, Path(URI))
    with Worker(setup, environ={"MLFLOW_TRACKING_URI": mlflow.url}) as worker:
        worker.ready()
        config = str(tmp_path / "worker.toml")
        stream(mlflow, "produce", str(airflow.data / "rows.csv"), "--config", config)
        printed = stream(
            mlflow, "watch", "--from", "earliest", "--n", str(ROWS), "--json", "--config", config
        )

    held_to(own, pd.DataFrame([json.loads(line) for line in printed.splitlines()]))


def test_image_has_the_estimator_s_answers(
    airflow: AirflowInstallation, mlflow: MlflowServer, own: pd.Series, image: Built
) -> None:
    """The image's own command, with nothing but the alias and the registry's address."""
    [port] = free_ports(1)
    variables = {
        "STREAM_MODEL__URI": URI,
        "STREAM_MLFLOW__TRACKING_URI": mlflow.url,
        "STREAM_SERVE__PORT": str(port),
    }
    with image.runs(variables=variables) as container:

        def answers() -> bool:
            assert container.is_running(), container.said()
            try:
                return httpx.get(f"http://127.0.0.1:{port}/v2/health/ready").status_code == 200
            except httpx.TransportError:
                return False

        wait_for(answers, SERVE_S, "the image to serve")
        answer = httpx.post(f"http://127.0.0.1:{port}/predict", json=rows().to_dict("records"), timeout=60)

    held_to(own, pd.DataFrame(answer.json()))
