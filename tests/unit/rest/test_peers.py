"""
What clients of other servers send, as those servers' own tests have it, and what they look for in the answer.

Source: mlflow/mlflow, tests/pyfunc/test_scoring_server.py · SeldonIO/MLServer, tests/rest/test_endpoints.py,
runtimes/sklearn/tests, runtimes/mlflow/tests · kserve/kserve, python/kserve/test/test_server.py, test/e2e/data.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from starlette.testclient import TestClient

from stream.store import PackRequest, pack
from tests.unit.rest.models import door

X: npt.NDArray[np.float64] = load_iris().data
Y: npt.NDArray[np.int64] = load_iris().target
NAMES = ["sepal length (cm)", "sepal width (cm)", "petal length (cm)", "petal width (cm)"]
ROWS = [[6.8, 2.8, 4.8, 1.4], [6.0, 3.4, 4.5, 1.6]]
"""KServe's and MLServer's two flowers."""
FLAT = [value for row in ROWS for value in row]

JSON = "application/json"


@pytest.fixture(scope="module")
def model() -> KNeighborsClassifier:
    """MLflow's: two columns without names."""
    return KNeighborsClassifier().fit(X[:, :2], Y)


@pytest.fixture(scope="module")
def scoring(model: KNeighborsClassifier, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A client of the service with MLflow's model."""
    folder = tmp_path_factory.mktemp("peers") / "knn"
    pack(model, PackRequest("knn", folder), sample=pd.DataFrame(X[:20, :2], columns=["f0", "f1"]))
    with door(folder) as (client, _):
        yield client


@pytest.fixture(scope="module", params=["array", "frame"])
def iris(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A client of the service with the model of all V2 examples, fitted on an array, and on a frame."""
    frame = pd.DataFrame(X, columns=NAMES)
    fitted = LogisticRegression(max_iter=1_000).fit(X if request.param == "array" else frame, Y)
    folder = tmp_path_factory.mktemp("peers") / "iris"
    pack(fitted, PackRequest("iris", folder, probabilities=True), sample=frame[:20])
    with door(folder) as (client, _):
        yield client


def labels(answer: Any) -> list[int]:
    """The labels that `/invocations` gives."""
    assert 200 == answer.status_code, answer.text
    return [one["label"] for one in answer.json()["predictions"]]


@pytest.mark.parametrize("kind", [JSON, f"{JSON}; charset=UTF-8", f"{JSON};charset=utf-8"])
@pytest.mark.parametrize("orient", ["records", "split"])
def test_frame_without_names_is_scored_as_the_estimator_does(
    scoring: TestClient, model: KNeighborsClassifier, orient: Any, kind: str
) -> None:
    """`pd.DataFrame(array).to_dict(orient=…)`, whose labels become "0" and "1" as keys of JSON."""
    rows = X[::7, :2]
    body = json.dumps({f"dataframe_{orient}": pd.DataFrame(rows).to_dict(orient=orient)})

    answer = scoring.post("/invocations", content=body, headers={"content-type": kind})

    assert model.predict(rows).tolist() == labels(answer)


@pytest.mark.parametrize("shape", ["instances", "inputs"])
def test_array_is_scored_as_the_estimator_does(
    scoring: TestClient, model: KNeighborsClassifier, shape: str
) -> None:
    """As TensorFlow Serving has it."""
    rows = X[::7, :2]

    assert model.predict(rows).tolist() == labels(scoring.post("/invocations", json={shape: rows.tolist()}))


@pytest.mark.parametrize("header", [True, False])
def test_csv_of_pandas_is_scored_as_the_estimator_does(
    scoring: TestClient, model: KNeighborsClassifier, header: bool
) -> None:
    """With names and without."""
    rows = X[::7, :2]
    body = pd.DataFrame(rows, columns=["f0", "f1"]).to_csv(index=False, header=header)

    answer = scoring.post("/invocations", content=body, headers={"content-type": "text/csv"})

    assert model.predict(rows).tolist() == labels(answer)


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        ("this is,,,, not valid json", JSON, 422),
        ("1", JSON, 422),
        ('"1"', JSON, 422),
        ("[1]", JSON, 422),
        ('{"not": "a serialized dataframe"}', JSON, 422),
        ('{"dataframe_records": [], "dataframe_split": {"data": []}}', JSON, 422),
        ('{"dataframe_records": {"index": [0], "columns": [0, 1], "data": [[5.1, 3.5]]}}', JSON, 422),
        ('{"dataframe_split": [{"0": 5.1, "1": 3.5}]}', JSON, 422),
        ('{"dataframe_split": {"index": [1, 2], "data": [[1], [2], [3]]}}', JSON, 422),
        ('{"dataframe_split": {"index": [0, 1], "columns": [0], "data": [[0], [1]]}}', JSON, 422),
        ("", "text/csv", 422),
        ("{}", "not_a_supported_content_type", 415),
        ("{}", "application/pdf", 415),
        ("{}", f"{JSON}; charset=latin-1", 415),
    ],
)
def test_what_mlflow_refuses_is_refused(scoring: TestClient, body: str, kind: str, status: int) -> None:
    """Its 400 is a 422 here; its clients look for 200, `error_code` and `message`."""
    answer = scoring.post("/invocations", content=body, headers={"content-type": kind})

    assert (status, "BAD_REQUEST") == (answer.status_code, answer.json()["error_code"])
    assert answer.json()["message"]


def test_params_that_the_model_does_not_have_are_ignored(scoring: TestClient) -> None:
    """As MLflow ignores those that no signature names."""
    body = {"dataframe_split": {"columns": [0, 1], "data": [[5.1, 3.5]]}, "params": {"invalid_param": "x"}}

    assert [0] == labels(scoring.post("/invocations", json=body))


@pytest.mark.parametrize(
    "request_",
    [
        {"inputs": [{"name": "input-0", "shape": [2, 4], "datatype": "FP32", "data": ROWS}]},
        {"inputs": [{"name": "input-0", "shape": [2, 4], "datatype": "FP64", "data": FLAT}]},
        {
            "inputs": [{"name": "input-0", "shape": [2, 4], "datatype": "FP32", "data": ROWS}],
            "parameters": {"binary_data_output": True},
        },
        {
            "id": None,
            "parameters": None,
            "outputs": None,
            "inputs": [
                {"name": "x", "shape": [2, 4], "datatype": "FP32", "parameters": None, "data": ROWS},
            ],
        },
        {
            "model_name": "iris",
            "parameters": {"content_type": "np", "test-bool": True, "test-float": 1.3},
            "inputs": [
                {
                    "name": "input-0",
                    "shape": [2, 4],
                    "datatype": "FP64",
                    "data": FLAT,
                    "parameters": {"test-str": "dummy", "test-int": 100},
                }
            ],
        },
        {
            "parameters": {"content_type": "pd"},
            "inputs": [
                {"name": name, "shape": [2, 1], "datatype": "FP64", "data": [row[i] for row in ROWS]}
                for i, name in enumerate(NAMES)
            ],
        },
    ],
)
def test_flowers_of_kserve_and_mlserver_get_the_estimators_answer(
    iris: TestClient, request_: dict[str, Any]
) -> None:
    """One matrix, flat or nested, or a tensor for each column, with all that may stand beside."""
    answer = iris.post("/v2/models/iris/infer", content=json.dumps(request_))

    assert 200 == answer.status_code, answer.text
    assert JSON == answer.headers["content-type"]
    fitted = LogisticRegression(max_iter=1_000).fit(X, Y)
    label, score, probabilities = answer.json()["outputs"]
    assert fitted.predict(ROWS).tolist() == label["data"]
    assert pytest.approx(fitted.predict_proba(ROWS).max(axis=1)) == score["data"]
    assert [2, 3] == probabilities["shape"]
    assert pytest.approx(fitted.predict_proba(ROWS).ravel()) == probabilities["data"]


def test_id_is_echoed_and_outputs_are_chosen(iris: TestClient) -> None:
    """As both have it."""
    body = {"id": "123", "outputs": [{"name": "label", "parameters": {"content_type": "np"}}]}
    tensor = {"name": "input-0", "shape": [2, 4], "datatype": "FP32", "data": ROWS}

    answer = iris.post("/v2/models/iris/infer", json={**body, "inputs": [tensor]}).json()

    assert ("123", ["label"]) == (answer["id"], [one["name"] for one in answer["outputs"]])


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"outputs": [{"name": "something_else"}]}, 422),
        ({"inputs": [{"name": "input-0", "shape": [3], "datatype": "INT33", "data": [1, 2, 3]}]}, 422),
        ({"inputs": [{"name": "input-0", "shape": [3], "datatype": "INT32", "data": [1, 2, 3]}]}, 422),
        (
            {
                "inputs": [
                    {"name": "input-0", "shape": [2, 4], "datatype": "FP32", "data": ROWS},
                    {"name": "input-1", "shape": [2], "datatype": "FP32", "data": [0, 1]},
                ]
            },
            422,
        ),
        (
            {
                "inputs": [
                    {"sepal_length_(cm)": [5.1], "sepal_width_(cm)": [3.5]},
                ]
            },
            422,
        ),
        ({"inputs": [[{"sepal_length_(cm)": 5.1}]]}, 422),
    ],
)
def test_what_mlserver_refuses_is_refused(iris: TestClient, change: dict[str, Any], status: int) -> None:
    """Another output, an unknown datatype, one row that is no matrix, two matrices, KServe's own shapes."""
    tensor = {"name": "input-0", "shape": [2, 4], "datatype": "FP32", "data": ROWS}

    answer = iris.post("/v2/models/iris/infer", json={"inputs": [tensor], **change})

    assert status == answer.status_code, answer.text
    assert isinstance(answer.json()["error"], str)


@pytest.mark.parametrize(
    "path", ["/v2/models/my-model/versions/v0/infer", "/v2/models/iris/versions/v0/infer"]
)
def test_unknown_model_is_not_found(iris: TestClient, path: str) -> None:
    """With the name in `error`."""
    answer = iris.post(path, json={"inputs": []})

    assert (404, True) == (answer.status_code, "model" in answer.json()["error"])
