"""The Open Inference Protocol, version 2."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.unit.rest.models import GIVEN, RAISES

INFER = "/v2/models/people/infer"


def tensors(**changes: Any) -> dict[str, Any]:
    """Two people as tensors, with these changes by name; None leaves one out."""
    given: dict[str, Any] = {
        "body mass (kg)": {"datatype": "FP64", "shape": [2], "data": [60.5, 70]},
        "age": {"datatype": "INT64", "shape": [2, 1], "data": [[40], [70]]},
        "city": {"datatype": "BYTES", "shape": [2], "data": ["Bath", None]},
    }
    given |= {
        name.replace("_", " ") if name == "body_mass" else name: tensor for name, tensor in changes.items()
    }
    return {"inputs": [{"name": name, **tensor} for name, tensor in given.items() if tensor is not None]}


def test_tensors_per_feature_get_tensors(people: TestClient) -> None:
    """Flat or nested data, the answer's fields as outputs."""
    answer = people.post(INFER, json={"id": "7", **tensors()})

    assert 200 == answer.status_code
    assert {
        "model_name": "people",
        "model_version": "1",
        "id": "7",
        "outputs": [
            {"name": "label", "datatype": "BYTES", "shape": [2], "data": ["young", "old"]},
            {"name": "score", "datatype": "FP64", "shape": [2], "data": [0.6, pytest.approx(0.3)]},
        ],
    } == answer.json()


def test_outputs_that_are_asked_for_come(people: TestClient) -> None:
    """Those and no others; an unknown one is named."""
    wanted = people.post(INFER, json={**tensors(), "outputs": [{"name": "score"}]})
    unknown = people.post(INFER, json={**tensors(), "outputs": [{"name": "score"}, {"name": "x"}]})

    assert ["score"] == [one["name"] for one in wanted.json()["outputs"]]
    assert 422 == unknown.status_code
    assert ["outputs[1]"] == [one["field"] for one in unknown.json()["errors"]]


def test_array_models_take_one_tensor(line: TestClient, kinds: TestClient) -> None:
    """Of any name; matrix and vector alike, matrices by their columns' names too."""
    matrix = {"inputs": [{"name": "x", "datatype": "FP32", "shape": [2, 3], "data": [2, 3, 0, 1, 1, 1]}]}
    columns = [
        {"name": name, "datatype": "FP64", "shape": [2], "data": data}
        for name, data in (("a", [2, 1]), ("b", [3, 1]), ("c", [0, 1]))
    ]
    vector = {"inputs": [{"name": "x", "datatype": "FP64", "shape": [1, 2], "data": [[3, 0]]}]}

    value = line.post("/v2/models/line/versions/1/infer", json=matrix).json()["outputs"]
    kind = kinds.post("/v2/models/kinds/infer", json=vector).json()["outputs"]

    assert [("value", "FP64", [2])] == [(one["name"], one["datatype"], one["shape"]) for one in value]
    assert value == line.post("/v2/models/line/infer", json={"inputs": columns}).json()["outputs"]
    assert [("label", "INT32", [1]), ("score", "FP64", [1]), ("probabilities", "FP64", [1, 3])] == [
        (one["name"], one["datatype"], one["shape"]) for one in kind
    ]
    assert [2] == kind[0]["data"]


@pytest.mark.parametrize(
    ("changes", "field", "says"),
    [
        ({"age": None}, "age", "no such column"),
        ({"age": {"datatype": "INT64", "shape": [2], "data": [1]}}, "age", "expected 2 values"),
        ({"age": {"datatype": "INT64", "shape": [1], "data": [1]}}, "age", "has 1 rows"),
        ({"age": {"datatype": "INT64", "shape": [2, 2], "data": [1, 2, 3, 4]}}, "age", "[n, 1]"),
        ({"age": {"datatype": "BYTES", "shape": [2], "data": ["1", "2"]}}, "age", "INT64"),
        ({"age": {"datatype": "INT64", "shape": [2], "data": [1.5, 2]}}, "age", "expected long"),
        ({"age": {"datatype": "INT64", "shape": [-1], "data": []}}, "age", "sizes"),
        ({"age": {"datatype": "INT64", "shape": [2], "data": "no"}}, "age", "expected a list"),
        ({"city": {"datatype": "BYTES", "shape": [2], "data": [["x"], {}]}}, "city", "expected string"),
    ],
)
def test_tensor_that_does_not_fit_is_named(
    people: TestClient, changes: dict[str, Any], field: str, says: str
) -> None:
    """With what was expected of it."""
    answer = people.post(INFER, json=tensors(**changes))

    assert 422 == answer.status_code
    assert isinstance(answer.json()["error"], str)
    assert any(field == one["field"] and says in one["message"] for one in answer.json()["errors"]), (
        answer.text
    )


@pytest.mark.parametrize("body", [[], {}, {"inputs": []}, {"inputs": [3]}, {"inputs": [{"shape": [1]}]}])
def test_body_without_tensors_is_refused(people: TestClient, body: object) -> None:
    """A message, never a failure."""
    assert 422 == people.post(INFER, json=body).status_code


def test_wrong_width_of_an_array_is_named(line: TestClient) -> None:
    """Expected and found shape."""
    body = {"inputs": [{"name": "x", "datatype": "BOOL", "shape": [1, 2], "data": [1, 2]}]}

    errors = line.post("/v2/models/line/infer", json=body).json()["errors"]

    assert [True, True] == ["[n, 3]" in errors[0]["message"], "BOOL" in errors[1]["message"]]


def test_row_without_an_answer_refuses_the_request(people: TestClient) -> None:
    """A tensor has no place for it."""
    answer = people.post(INFER, json=tensors(age={"datatype": "INT64", "shape": [2], "data": [40, RAISES]}))

    assert 422 == answer.status_code
    assert [(1, "model_raised")] == [(one["row"], one["reason"]) for one in answer.json()["errors"]]


def test_metadata_names_the_tensors(people: TestClient, line: TestClient) -> None:
    """As infer takes and answers them."""
    about = people.get("/v2/models/people").json()
    array = line.get("/v2/models/line/versions/1").json()

    assert ["people", ["1"]] == [about["name"], about["versions"]]
    assert [("body mass (kg)", "FP64"), ("age", "INT64"), ("city", "BYTES")] == [
        (one["name"], one["datatype"]) for one in about["inputs"]
    ]
    assert [("label", "BYTES"), ("score", "FP64")] == [
        (one["name"], one["datatype"]) for one in about["outputs"]
    ]
    assert [{"name": "input", "datatype": "FP64", "shape": [-1, 3]}] == array["inputs"]


def test_server_and_health(people: TestClient) -> None:
    """As the protocol has them."""
    assert {"live": True} == people.get("/v2/health/live").json()
    assert {"ready": True} == people.get("/v2/health/ready").json()
    assert "prediction-stream" == people.get("/v2").json()["name"]
    assert {"name": "people", "ready": True} == people.get("/v2/models/people/versions/1/ready").json()


def test_other_models_and_versions_are_not_here(people: TestClient) -> None:
    """404 that names what is."""
    for path in ("/v2/models/other", "/v2/models/people/versions/2", "/v2/models/other/ready"):
        answer = people.get(path)
        assert 404 == answer.status_code
        assert "people" in answer.json()["error"]
    assert 404 == people.post("/v2/models/people/versions/9/infer", json=tensors()).status_code


def test_binary_tensors_are_refused(people: TestClient) -> None:
    """The extension is not read, and says so."""
    answer = people.post(INFER, json=GIVEN, headers={"Inference-Header-Content-Length": "10"})

    assert 415 == answer.status_code
