"""The Open Inference Protocol, version 2."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.unit.rest.models import GIVEN, RAISES, door, pack_swapped

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
        (
            {"age": {"datatype": "INT64", "shape": [2], "data": [1.5, 2]}},
            "age",
            "expected INT64, found 1.5 at place 0",
        ),
        ({"age": {"datatype": "INT64", "shape": [-1], "data": []}}, "age", "sizes"),
        ({"age": {"datatype": "INT64", "shape": [2], "data": "no"}}, "age", "expected a list"),
        (
            {"city": {"datatype": "BYTES", "shape": [2], "data": ["x", {}]}},
            "city",
            "expected BYTES, found {} at place 1",
        ),
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


def one(**changes: Any) -> dict[str, Any]:
    """A row of the regression on three numbers, as the canonical request for a model of scikit-learn has it."""
    tensor = {"name": "input-0", "shape": [1, 3], "datatype": "FP32", "data": [[2, 3, 0]], **changes}
    return {"inputs": [{key: value for key, value in tensor.items() if value is not None}]}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"data": [[2, 3], [0]]}, "expected 3 values for shape [1, 3], flat or nested as it says"),
        ({"data": [2, 3, [0]]}, "found 3 values, 1 of them lists"),
        ({"data": [[[2, 3, 0]]]}, "flat or nested"),
        ({"data": [[2], [3], [0]]}, "flat or nested"),
        ({"shape": [3], "data": [[2], [3], [0]]}, "flat or nested"),
        ({"data": [2, 3]}, "found 2 values"),
        ({"data": [2, 3, 0, 1]}, "found 4 values"),
        ({"data": []}, "found 0 values"),
        ({"data": None}, "data: expected a list"),
        ({"data": {"0": 1}}, "data: expected a list"),
        ({"data": "AAAA"}, "data: expected a list"),
        ({"data": None, "parameters": {"binary_data_size": 12}}, "binary tensors are not supported"),
        ({"data": [2, "3", 0]}, "expected FP32, found '3' at place 1"),
        ({"data": [2, True, 0]}, "expected FP32, found true at place 1"),
        ({"data": [2, {}, 0]}, "expected FP32, found {} at place 1"),
        ({"data": [2, 1e39, 0]}, "expected FP32, found 1e+39"),
        ({"datatype": "FP16", "data": [2, 70_000, 0]}, "expected FP16, found 70000"),
        ({"datatype": "FP64", "data": [2, 10**400, 0]}, "expected FP64, found 1000"),
        ({"datatype": "UINT8", "data": [2, -1, 0]}, "expected UINT8, found -1 at place 1"),
        ({"datatype": "UINT8", "data": [2, 300, 0]}, "expected UINT8, found 300"),
        ({"datatype": "INT8", "data": [2, 128, 0]}, "expected INT8, found 128"),
        ({"datatype": "INT8", "data": [2, -129, 0]}, "expected INT8, found -129"),
        ({"datatype": "UINT16", "data": [2, 65_536, 0]}, "expected UINT16, found 65536"),
        ({"datatype": "INT16", "data": [2, 32_768, 0]}, "expected INT16, found 32768"),
        ({"datatype": "UINT32", "data": [2, -1.0, 0]}, "expected UINT32, found -1.0"),
        ({"datatype": "INT32", "data": [2, 2**31, 0]}, "expected INT32, found 2147483648"),
        ({"datatype": "INT64", "data": [2, 2**63, 0]}, "expected INT64, found 9223372036854775808"),
        ({"datatype": "UINT64", "data": [2, 2**64, 0]}, "expected UINT64, found 18446744073709551616"),
        ({"datatype": "INT64", "data": [2, 0.5, 0]}, "expected INT64, found 0.5"),
        ({"datatype": "INT32", "data": [2, True, 0]}, "expected INT32, found true"),
        ({"datatype": "BOOL", "data": [True, 2, False]}, "expected BOOL, found 2 at place 1"),
        (
            {"datatype": "BOOL", "data": [True, True, False]},
            "datatype: expected that of a number, found BOOL",
        ),
        ({"datatype": "BYTES", "data": ["2", 3, "0"]}, "expected BYTES, found 3 at place 1"),
        ({"datatype": "BYTES", "data": ["2", "3", "0"]}, "datatype: expected that of a number, found BYTES"),
        ({"datatype": "FP128"}, "datatype: expected one of BOOL, UINT8"),
        ({"datatype": "fp32"}, "datatype: expected one of"),
        ({"datatype": ["FP32"]}, "datatype: expected one of"),
        ({"datatype": None}, "datatype: expected one of"),
        ({"shape": None}, "shape: expected a list of sizes, found null"),
        ({"shape": [1, -3]}, "shape: expected a list of sizes"),
        ({"shape": [1, 3.0]}, "shape: expected a list of sizes"),
        ({"shape": [True, 3]}, "shape: expected a list of sizes"),
        ({"shape": 3, "data": [2, 3, 0]}, "shape: expected a list of sizes"),
        ({"shape": [1] * 40}, "shape: expected a list of sizes"),
        ({"shape": [3]}, "flat or nested"),
        ({"shape": [3], "data": [2, 3, 0]}, "shape: expected [n, 3], found [3]"),
        ({"shape": [3, 1], "data": [2, 3, 0]}, "shape: expected [n, 3], found [3, 1]"),
        ({"shape": [1, 1, 3], "data": [[[2, 3, 0]]]}, "shape: expected [n, 3], found [1, 1, 3]"),
        ({"shape": [], "data": [2]}, "shape: expected [n, 3], found []"),
        ({"parameters": []}, "parameters: expected an object"),
        ({"parameters": {"content_type": "base64"}}, "content_type: expected one of np, pd"),
        ({"name": 3}, "name: expected a text, found 3"),
    ],
)
@pytest.mark.parametrize("model", ["line", "optional"])
def test_tensor_that_is_none_is_refused(
    model: str, changes: dict[str, Any], says: str, request: pytest.FixtureRequest
) -> None:
    """Of a model of arrays as of one with columns: the same request is no tensor of either."""
    client: TestClient = request.getfixturevalue(model)

    answer = client.post(f"/v2/models/{model}/infer", json=one(**changes))

    assert 422 == answer.status_code, answer.text
    assert any(says in fault["message"] for fault in answer.json()["errors"]), answer.text


@pytest.mark.parametrize(
    ("changes", "value"),
    [
        ({}, 26),
        ({"datatype": "FP64"}, 26),
        ({"datatype": "INT64", "data": [2, 3, 0]}, 26),
        ({"datatype": "UINT8", "data": [[2.0, 255, 0]]}, 530),
        ({"datatype": "FP16", "data": [[0.5, 65_504, 0]]}, 131_013),
        ({"datatype": "INT8", "data": [-128, 127, 0]}, -1_026),
        ({"parameters": {"content_type": "np"}}, 26),
        ({"data": [[2, None, 0]]}, 220),
    ],
)
def test_matrix_of_numbers_is_read_by_position(
    optional: TestClient, changes: dict[str, Any], value: float
) -> None:
    """By a model with columns, if all of them are numbers; of any name."""
    answer = optional.post("/v2/models/optional/infer", json=one(**changes))

    assert 200 == answer.status_code, answer.text
    assert [{"name": "value", "datatype": "FP64", "shape": [1], "data": [value]}] == answer.json()["outputs"]


def test_matrix_may_have_the_carried_fields_beside_it(optional: TestClient) -> None:
    """As tensors of as many rows."""
    ids = {"name": "id", "shape": [1], "datatype": "BYTES", "data": ["x"]}
    body = one()
    whole = optional.post("/v2/models/optional/infer", json={"inputs": [ids, *body["inputs"]]})
    short = optional.post(
        "/v2/models/optional/infer",
        json={"inputs": [{**ids, "shape": [2], "data": ["x", "y"]}, *body["inputs"]]},
    )

    assert [26] == whole.json()["outputs"][0]["data"]
    assert 422 == short.status_code


@pytest.mark.parametrize("model", ["line", "optional"])
@pytest.mark.parametrize(
    "names", [["x", "y"], ["x"], ["input", "input-0"]], ids=["several", "one flat", "as of another model"]
)
def test_tensors_that_are_no_feature_are_refused(
    model: str, names: list[str], request: pytest.FixtureRequest
) -> None:
    """Though each field has a default: there would be an answer from nothing."""
    client: TestClient = request.getfixturevalue(model)
    tensors = [{"name": name, "shape": [0], "datatype": "FP64", "data": []} for name in names]

    answer = client.post(f"/v2/models/{model}/infer", json={"inputs": tensors})

    assert 422 == answer.status_code, answer.text


def test_matrix_for_other_columns_is_refused(people: TestClient) -> None:
    """What the model takes is named."""
    answer = people.post(INFER, json=one())

    assert 422 == answer.status_code
    assert "a tensor for each of body mass (kg), age, city" in answer.json()["error"]


def test_matrix_is_refused_where_two_orders_are_known(tmp_path: Path) -> None:
    """The schema's and the model's: by position would be a guess."""
    with door(pack_swapped(tmp_path / "swapped")) as (client, _):
        answer = client.post("/v2/models/swapped/infer", json=one(shape=[1, 2], data=[1, 2]))

    assert 422 == answer.status_code
    assert "one order in its schema and another in the model" in answer.json()["error"]


@pytest.mark.parametrize("second", ["age", "body mass (kg)", "body_mass__kg_"])
def test_tensor_that_is_given_twice_is_refused(people: TestClient, second: str) -> None:
    """Also under the field's other name."""
    body = tensors()
    body["inputs"].append({"name": second, "datatype": "FP64", "shape": [2], "data": [1, 2]})

    answer = people.post(INFER, json=body)

    assert 422 == answer.status_code
    assert [(second, True)] == [
        (fault["field"], fault["message"].startswith("is given twice")) for fault in answer.json()["errors"]
    ]


def test_ignored_tensor_must_be_one(people: TestClient) -> None:
    """A tensor that the model does not need is no place for what is none."""
    strange = {"datatype": "UINT8", "shape": [2], "data": [1, 300]}

    assert 422 == people.post(INFER, json=tensors(stranger=strange)).status_code
    assert 200 == people.post(INFER, json=tensors(stranger={**strange, "data": [1, 3]})).status_code


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"id": 7}, "id: expected a text"),
        ({"parameters": []}, "parameters: expected an object"),
        ({"parameters": {"content_type": "base64"}}, "content_type: expected one of np"),
    ],
)
def test_part_of_the_request_that_is_wrong_is_named(
    people: TestClient, more: dict[str, Any], says: str
) -> None:
    """Beside the tensors."""
    answer = people.post(INFER, json={**tensors(), **more})

    assert (422, True) == (answer.status_code, says in answer.json()["error"])


@pytest.mark.parametrize("body", [[], {}, {"inputs": []}, {"inputs": [3]}, {"inputs": [{"shape": [1]}]}])
def test_body_without_tensors_is_refused(people: TestClient, body: object) -> None:
    """A message, never a failure."""
    assert 422 == people.post(INFER, json=body).status_code


def test_wrong_width_of_an_array_is_named(line: TestClient) -> None:
    """Expected and found shape."""
    body = {"inputs": [{"name": "x", "datatype": "BOOL", "shape": [1, 2], "data": [True, False]}]}

    errors = line.post("/v2/models/line/infer", json=body).json()["errors"]

    assert [True, True] == ["[n, 3]" in errors[0]["message"], "BOOL" in errors[1]["message"]]


def test_row_without_an_answer_refuses_the_request(people: TestClient) -> None:
    """A tensor has no place for it."""
    answer = people.post(INFER, json=tensors(age={"datatype": "INT64", "shape": [2], "data": [40, RAISES]}))

    assert 422 == answer.status_code
    assert [(1, "model_raised")] == [(one["row"], one["reason"]) for one in answer.json()["errors"]]


def test_metadata_names_the_tensors(people: TestClient, line: TestClient, kinds: TestClient) -> None:
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
    assert {"name": "probabilities", "datatype": "FP64", "shape": [-1, 3]} in kinds.get(
        "/v2/models/kinds"
    ).json()["outputs"]


def test_server_and_health(people: TestClient) -> None:
    """As the protocol has them."""
    assert {"live": True} == people.get("/v2/health/live").json()
    assert {"ready": True} == people.get("/v2/health/ready").json()
    assert "prediction-stream" == people.get("/v2").json()["name"]
    assert {"models": ["people"]} == people.get("/v2/models").json()
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
