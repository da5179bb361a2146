"""One real Airflow for the tests of this folder, with every DAG run that they look at begun together."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.platforms.airflow.installation import ROOT, AirflowInstallation
from tests.platforms.environments import environment

HERE = Path(__file__).parent
EXAMPLE = ROOT / "docs/examples/airflow"
DAYS = [f"2026-11-{day}" for day in (20, 21, 22)]
ROWS = 100
PROBES = (
    "killed-after",
    "killed-before",
    "killed_train",
    "failing",
    "mapped",
    "stopped",
    "held",
    "taken",
    "nothing",
    "secret",
)
SECRET = "pa/ss-word-of-a-connection"


@pytest.fixture(scope="session")
def airflow_environment() -> Path:
    """The environment of Airflow."""
    return environment("airflow")


@pytest.fixture(scope="session")
def airflow(airflow_environment: Path) -> Iterator[AirflowInstallation]:
    """A running Airflow with the example's DAGs and the probes; all have been begun."""
    stream = ROOT / ".venv/bin/stream"
    variables = {
        "WRAPPER": str(HERE / "wrapper.py"),
        "STREAM": str(stream),
        "AIRFLOW_CONN_TRACKING": f"http://someone:{quote(SECRET, safe='')}@127.0.0.1:9",
    }
    dags = [EXAMPLE / "flights.py", HERE / "probe_dags.py"]
    installation = AirflowInstallation(airflow_environment, dags, variables)
    data = installation.data
    (data / "days").mkdir(parents=True)
    shutil.copy(EXAMPLE / "late_recipe.py", data / "train.py")
    for day in DAYS:
        lines = [f"{day}-{i},{i - 20},{100 + 20 * i}" for i in range(ROWS)]
        (data / "days" / f"{day}.csv").write_text("\n".join(["flight_id,dep_delay,distance", *lines]) + "\n")
    train = [str(stream), "train", str(data / "train.py"), "--out", str(data / "probe_model"), "--no-card"]
    with subprocess.Popen(train, stdout=subprocess.DEVNULL) as training, installation:  # it starts meanwhile
        assert 0 == training.wait(120)
        for probe in PROBES:
            installation.trigger(f"probe_{probe}", "one")
        for dag in ("flights_rescore", "flights_train"):
            installation.resume_dag(dag)
        yield installation
