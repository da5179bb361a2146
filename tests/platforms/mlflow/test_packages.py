"""Packages at a real MLflow server: pushed, asked by MLflow itself where our library is not installed, and pulled."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

import stream
from stream.errors import SettingsError
from stream.mlflow import PushRequest, client, pull_model, push_package
from stream.settings import MlflowSettings, Settings
from stream.store import Package, PackRequest, SigningKey, Trust, open_package, pack
from tests.platforms.mlflow.server import MlflowServer

pytestmark = pytest.mark.platform


def _settings(server: MlflowServer, **keys: Any) -> Settings:
    return Settings(mlflow=MlflowSettings(tracking_uri=server.url, **keys))


def _quiet(step: str) -> None:
    """Nobody is told."""


def _run(server: MlflowServer, script: str, folder: Path) -> Any:
    """What a script of MLflow's environment prints last, as JSON; it is not this library's environment."""
    python = str(server.environment / "bin/python")
    variables = {**server.variables, "PYTHONPATH": "", "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(
        [python, "-c", script], capture_output=True, text=True, cwd=folder, env=variables, check=False
    )
    assert 0 == done.returncode, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def _mixed(out: Path) -> tuple[Package, pd.DataFrame]:
    """Texts, a number that may be missing, whole numbers, dates; carries an instant. Returns: it, and rows to ask."""
    n = 60
    rows = pd.DataFrame({
        "carrier": np.array(["UA", "DL", "B6"])[np.arange(n) % 3],
        "distance km": np.linspace(100, 5000, n),
        "hour": np.arange(n) % 24,
        "at": pd.date_range("2024-01-01", periods=n, freq="h", tz="UTC").as_unit("ms"),
    })  # fmt: skip
    encode = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), ["carrier"]), remainder="passthrough"
    )
    model = make_pipeline(encode, LogisticRegression(max_iter=2000))
    taken = rows[["carrier", "distance km", "hour"]]
    model.fit(taken, (rows["hour"] > 11).astype(int))
    package = pack(model, PackRequest("mixed", out, carry=("at",)), sample=rows).package
    asked = rows.head(6).assign(carrier=pd.Series(["UA", "DL", "B6", "ZZ", None, "UA"], dtype=object))
    return package, asked


def _same(expected: pd.DataFrame, found: list[dict[str, Any]]) -> None:
    """Label and score row by row, and the reason of the row that has none."""
    for row, answer in zip(expected.to_dict("records"), found, strict=True):
        missing = pd.isna(row["label"])
        assert missing == (answer["label"] is None)
        assert missing or (row["label"], row["model"]) == (answer["label"], answer["model"])
        assert missing or abs(row["score"] - answer["score"]) < 1e-9
        assert (None if pd.isna(row["error"]) else row["error"]) == answer["error"]


_ASK = """
import json, mlflow, pandas as pd
model = mlflow.pyfunc.load_model({uri!r})
rows = pd.read_parquet("asked.parquet")
print(model.predict(rows).to_json(orient="records"))
"""

_SERVE = """
import json, mlflow, pandas as pd
from mlflow.pyfunc.scoring_server import invocations
model = mlflow.pyfunc.load_model({uri!r})
body = json.dumps({{"dataframe_records": json.load(open("asked.json"))}})
answer = invocations(body, "application/json", model, model.metadata.get_input_schema())
print(json.dumps(json.loads(answer.response)["predictions"]))
"""


def test_what_mlflow_answers_is_what_we_answer(mlflow_server: MlflowServer, tmp_path: Path) -> None:
    """In its own environment, by a frame and by its server's JSON; an unknown text and a missing one among the rows."""
    package, asked = _mixed(tmp_path / "m")
    pushed = push_package(package, PushRequest("mixed", "champion"), _settings(mlflow_server), _quiet)
    expected = stream.load(tmp_path / "m").predict(asked)
    assert 1 == expected["error"].notna().sum()
    asked.to_parquet(tmp_path / "asked.parquet")
    (tmp_path / "asked.json").write_text(asked.to_json(orient="records", date_format="iso"))

    _same(expected, _run(mlflow_server, _ASK.format(uri=pushed.uri), tmp_path))
    _same(expected, _run(mlflow_server, _SERVE.format(uri="models:/mixed@champion"), tmp_path))


def test_a_package_is_registered_once_and_comes_back(mlflow_server: MlflowServer, tmp_path: Path) -> None:
    """Byte by byte, its signature still good; the alias moves, and the run has its metrics."""
    key = SigningKey(b"\x05" * 32)
    x = pd.DataFrame({"a": np.linspace(0, 1, 30), "b": np.linspace(1, 0, 30)})
    request = PackRequest("twice", tmp_path / "m", metrics={"r2 (held out)": 0.5, "note": "x"}, signer=key)
    pack(MultiOutputRegressor(LinearRegression()).fit(x, x[["a", "b"]] * 2), request, sample=x)
    package = open_package(tmp_path / "m", trust=Trust((key.public,), True))
    settings = _settings(mlflow_server)

    first = push_package(package, PushRequest("twice"), settings, _quiet)
    second = push_package(package, PushRequest("twice", "champion"), settings, _quiet)
    third = push_package(package, PushRequest("twice", again=True), settings, _quiet)
    pulled = pull_model(
        "models:/twice@champion", tmp_path / "out", None, settings, Trust((key.public,), True)
    )

    assert [(1, True), (1, False), (2, True)] == [(one.version, one.new) for one in (first, second, third)]
    files = {path.name: path.read_bytes() for path in package.path.iterdir()}
    assert files == {path.name: path.read_bytes() for path in pulled.path.iterdir()}
    with client(settings) as server:
        data = server.api.get_run(first.run_id).data
        tags = server.api.get_model_version("twice", "1").tags
    assert {"r2 _held out_": 0.5} == data.metrics
    assert "x" == data.params["note"]
    assert {"twice@1", key.public.fingerprint} <= set(tags.values())


def test_another_models_name_is_refused_where_inputs_differ(
    mlflow_server: MlflowServer, tmp_path: Path
) -> None:
    """With the inputs; asked for, it is registered."""
    settings = _settings(mlflow_server)
    for name, columns in (("one", ["a", "b"]), ("two", ["a", "c"])):
        x = pd.DataFrame({column: np.linspace(0, 1, 30) for column in columns})
        pack(LinearRegression().fit(x, x["a"]), PackRequest(name, tmp_path / name), sample=x)
    push_package(open_package(tmp_path / "one"), PushRequest("taken"), settings, _quiet)
    other = open_package(tmp_path / "two")
    with pytest.raises(SettingsError, match="more inputs: c; fewer inputs: b"):
        push_package(other, PushRequest("taken"), settings, _quiet)
    pushed = push_package(other, PushRequest("taken", allow_difference=True), settings, _quiet)
    assert 2 == pushed.version
