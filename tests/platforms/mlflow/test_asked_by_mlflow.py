"""
A pushed package, asked by MLflow where our library is not installed: what `stream batch` answers, row by row.

The rows have doubles, texts, a category, dates and a carried instant, most with gaps; an unknown text; and one that
can't be scored.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from stream.cli import main
from stream.mlflow import Pushed, PushRequest, push_package
from stream.store import PackRequest, pack
from tests.kafka.process import Server, free_ports, is_listening
from tests.platforms.mlflow.asking import bare_variables, said_by
from tests.platforms.mlflow.registering import settings_for
from tests.platforms.mlflow.server import MlflowServer

pytestmark = [pytest.mark.platform, pytest.mark.timeout(300)]

COLUMNS = ["carrier", "cabin", "distance km", "delay", "day"]
BAD = 3
"""The row whose category is missing, which its field does not allow."""

ANSWERS = ["flight", "at", "label", "score", "model"]
SAME = 1e-9
"""Matrix libraries round differently by the size of a batch: the package's own tolerance."""

SERVE_S = 90


def _training() -> pd.DataFrame:
    n = 60
    at = pd.date_range("2024-01-01T08:00", periods=n, freq="h", tz="UTC").as_unit("ms")
    return pd.DataFrame(
        {
            "flight": [f"f{i}" for i in range(n)],
            "carrier": np.array(["UA", "DL", None, "B6"], dtype=object)[np.arange(n) % 4],
            "cabin": pd.Categorical(np.array(["eco", "business", "first"])[np.arange(n) % 3]),
            "distance km": np.linspace(100, 5000, n) + 0.25,
            "delay": np.where(np.arange(n) % 5, np.arange(n) / 7, np.nan),
            "day": pd.date_range("2024-01-01", periods=n, freq="D").as_unit("us"),
            "at": pd.Series(at).where(np.arange(n) % 4 != 1),
        }
    )


def _asked() -> pd.DataFrame:
    """As a DataFrame of MLflow's users has them: dates as instants without a zone."""
    rows = _training().head(8).astype({"cabin": object})
    rows["carrier"] = ["UA", None, "ZZ", "UA", "DL", "B6", None, "DL"]
    rows.loc[BAD, "cabin"] = None
    return rows


def _json(rows: pd.DataFrame, **how: Any) -> str:
    return str(rows.to_json(orient="records", date_format="iso", double_precision=15, **how))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for the package, and for what is asked and answered."""
    return tmp_path_factory.mktemp("asked")


@pytest.fixture(scope="module")
def pushed(mlflow_server: MlflowServer, place: Path) -> Pushed:
    """The package, registered."""
    seconds, whole = [
        FunctionTransformer(pd.DataFrame.astype, kw_args={"dtype": dtype})
        for dtype in ("datetime64[s]", "int64")
    ]
    days = make_pipeline(seconds, whole, StandardScaler())
    encode = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), ["carrier", "cabin"]),
        (SimpleImputer(), ["delay"]),
        (days, ["day"]),
        remainder=StandardScaler(),
    )
    rows = _training()
    model = make_pipeline(encode, LogisticRegression())
    model.fit(rows[COLUMNS], (np.arange(len(rows)) % 7 > 2).astype(int))
    request = PackRequest("flights", place / "flights", carry=("flight", "at"))
    package = pack(model, request, sample=rows.assign(day=rows["day"].dt.date)).package
    return push_package(package, PushRequest("asked"), settings_for(mlflow_server.url), lambda step: None)


@pytest.fixture(scope="module")
def batch(pushed: Pushed, place: Path) -> list[dict[str, Any]]:
    """
    What `stream batch` answers, as MLflow's columns have it, a number as a double: where it has written a dead row,
    there is its reason, and nothing else.
    """
    rows = _asked()
    (place / "asked.jsonl").write_text(_json(rows, lines=True))
    command = ["batch", str(place / "asked.jsonl"), "--output", str(place / "scored"), "--processes", "1"]
    with pytest.raises(SystemExit) as end:
        main([*command, "--model", str(place / "flights"), "--format", "jsonl"])
    assert 0 == end.value.code
    [run] = (place / "scored").glob("run=*")
    scored = {
        row["flight"]: row for path in run.glob("*.jsonl") if path.name[0] != "_" for row in _lines(path)
    }
    dead = {rows["flight"][row["source_row"] - 1]: row for row in _lines(run / "_dead_rows.jsonl")}
    assert [rows["flight"][BAD]] == list(dead)
    return [_answer(scored.get(flight), dead.get(flight)) for flight in rows["flight"]]


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def _answer(scored: dict[str, Any] | None, dead: dict[str, Any] | None) -> dict[str, Any]:
    if scored is not None:
        return {**{name: scored[name] for name in ANSWERS}, "error": None}
    assert dead is not None  # else the row is lost
    return {**dict.fromkeys(ANSWERS), "error": f"{dead['reason']}: {dead['message']}"}


def _same(expected: list[dict[str, Any]], found: list[dict[str, Any]]) -> None:
    """Row by row, every column; of a score the bits after `SAME` depend on how many rows are asked at once."""
    assert expected == [
        {**row, "score": want["score"]} if _near(want["score"], row["score"]) else row
        for want, row in zip(expected, found, strict=True)
    ]


def _near(expected: float | None, found: float | None) -> bool:
    return found is not None and expected is not None and abs(found - expected) <= SAME


SERVE = ("-m", "mlflow", "models", "serve", "--env-manager", "local", "--host", "127.0.0.1")


@pytest.fixture(scope="module")
def served(mlflow_server: MlflowServer, pushed: Pushed, place: Path) -> Iterator[str]:
    """MLflow's own server of the registered version. Yields: its address."""
    [port] = free_ports(1)
    variables = [f"{name}={value}" for name, value in bare_variables(mlflow_server).items()]
    command = [str(mlflow_server.environment / "bin/python"), *SERVE, "--port", str(port), "-m", pushed.uri]
    server = Server(
        "mlflow models serve", ["env", "-C", str(place), *variables, *command], place / "serve.log"
    )
    server.start(lambda: is_listening(port), SERVE_S)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.stop()


def test_mlflow_s_server_answers_as_batch_does(served: str, batch: list[dict[str, Any]]) -> None:
    """The same rows in JSON, as records and as a table."""
    rows = json.loads(_json(_asked()))
    table = {"columns": list(rows[0]), "data": [list(row.values()) for row in rows]}
    for body in ({"dataframe_records": rows}, {"dataframe_split": table}):
        answer = httpx.post(f"{served}/invocations", json=body, timeout=60)
        assert 200 == answer.status_code, answer.text
        _same(batch, answer.json()["predictions"])


ASK = """
import json, os, sys, mlflow, pandas as pd
os.environ["PYSPARK_PYTHON"] = os.environ["PYSPARK_DRIVER_PYTHON"] = sys.executable
from pyspark.sql import SparkSession
from pyspark.sql.functions import struct
uri, types = sys.argv[1:]
frame = mlflow.pyfunc.load_model(uri).predict(pd.read_parquet("asked.parquet"))
settings = {"spark.ui.enabled": "false", "spark.sql.session.timeZone": "UTC", "spark.driver.host": "127.0.0.1"}
spark = SparkSession.builder.master("local[1]").config(map=settings).getOrCreate()
rows = spark.read.json("asked.jsonl", schema=types)
udf = mlflow.pyfunc.spark_udf(spark, uri, env_manager="local")
found = rows.select(udf(struct("*")).alias("p")).select("p.*").collect()
print(json.dumps([json.loads(frame.to_json(orient="records", double_precision=15)), [row.asDict() for row in found]]))
"""

TYPES = (
    "flight string, carrier string, cabin string, `distance km` double, delay double, day date, at timestamp"
)


def test_frames_and_spark_get_what_batch_answers(
    mlflow_server: MlflowServer, pushed: Pushed, place: Path, batch: list[dict[str, Any]]
) -> None:
    """
    From `load_model`, and from `spark_udf` in Spark's own types.

    A label that is a whole number is a double in Spark, and equal; a missing text is the text None, by MLflow.
    """
    _asked().to_parquet(place / "asked.parquet")
    frame, spark = said_by(mlflow_server, ASK, place, pushed.uri, TYPES)
    assert not batch[BAD]["label"]
    _same(batch, frame)
    texts = [name for name in batch[0] if name not in ("label", "score")]
    named = [{**row, **{name: str(row[name]) for name in texts}} for row in batch]
    _same(named, spark)
