"""
KServe's V1 protocol, and Vertex AI's paths: the facts of KServe's own server tests.

Source: kserve/kserve, python/kserve/test/test_server.py (TestV1Endpoints), test/e2e/data.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from stream.app.rest_process import build_rest
from stream.rest import vertex_endpoints
from tests.kafka.process import wait_for
from tests.unit.rest.models import GIVEN, LET, NEVER, RAISES, door, settings_for

JSON = {"content-type": "application/json"}
HEALTH, PREDICT = "/v1/models/5/versions/6", "/v1/models/5/versions/6:predict"


@pytest.fixture(scope="module")
def vertex(line_package: Path) -> Iterator[TestClient]:
    """A client of the regression where Vertex AI runs it."""
    rest = build_rest(settings_for(line_package), more=vertex_endpoints(HEALTH, PREDICT))
    with TestClient(rest.app, raise_server_exceptions=False) as client:
        yield client


def test_model_is_listed_and_ready(line: TestClient) -> None:
    """To the byte."""
    assert [b'{"models":["line"]}', b'{"name":"line","ready":true}'] == [
        line.get("/v1/models").content,
        line.get("/v1/models/line").content,
    ]


def test_model_has_the_name_that_the_configuration_gives_it(line_package: Path) -> None:
    """In every path and in tensors' answers; a prediction says which package it is of, as always."""
    tensor = {"name": "x", "shape": [1, 3], "datatype": "INT64", "data": [2, 3, 0]}
    with door(line_package, name="late.line") as (client, _):
        first = client.post("/v1/models/late.line:predict", json={"instances": [[2, 3, 0]]}).json()
        second = client.post("/v2/models/late.line/versions/1/infer", json={"inputs": [tensor]}).json()
        listed = [client.get(f"/{version}/models").json()["models"] for version in ("v1", "v2")]
        gone = [client.get(f"/{version}/models/line").status_code for version in ("v1", "v2")]
        paths = client.get("/openapi.json").json()["paths"]

    assert ("line@1", "late.line") == (first["predictions"][0]["model"], second["model_name"])
    assert [["late.line"], ["late.line"]] == listed
    assert [404, 404] == gone
    assert {"/v1/models/late.line:predict", "/v2/models/late.line/infer"} < paths.keys()


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/v1/models/InvalidModel"), ("POST", "/v1/models/InvalidModel:predict")],
)
def test_unknown_model_is_not_found(line: TestClient, method: str, path: str) -> None:
    """In KServe's words."""
    answer = line.request(method, path, content=b'{"instances":[[1,2,3]]}', headers=JSON)

    assert (404, {"error": "Model with name InvalidModel does not exist."}) == (
        answer.status_code,
        answer.json(),
    )


def test_name_of_an_unknown_model_is_shown_escaped(line: TestClient) -> None:
    """Whatever it holds."""
    assert r"name a\x1b[2J\n" in line.get("/v1/models/a%1b[2J%0a").json()["error"]


@pytest.mark.parametrize(
    "instances",
    [
        [[2, 3, 0], [1, 1, 1]],
        [{"a": 2, "b": 3, "c": 0}, {"a": 1.0, "b": 1.0, "c": 1.0}],
        [{"0": 2, "1": 3, "2": 0}, [1, 1, 1]],
    ],
)
@pytest.mark.parametrize(
    "beside", [{}, {"parameters": {"x": 1}}, {"parameters": None, "signature_name": "s"}]
)
def test_instances_get_predictions(line: TestClient, instances: list[Any], beside: dict[str, Any]) -> None:
    """By position or by name; parameters are ignored, as by a model that has none."""
    expected = line.post("/predict", json=[{"a": 2, "b": 3, "c": 0}, {"a": 1, "b": 1, "c": 1}]).json()

    answer = line.post("/v1/models/line:predict", json={"instances": instances, **beside})

    assert (200, "application/json") == (answer.status_code, answer.headers["content-type"])
    assert {"predictions": expected} == answer.json()


def test_vertex_sends_whole_numbers_as_floats(people: TestClient) -> None:
    """Its requests pass through protobuf, which has no others."""
    answer = people.post(
        "/v1/models/people:predict", json={"instances": [{**GIVEN, "age": 40.0}, [60.5, 40.0, None]]}
    )

    assert ["young", "young"] == [one["label"] for one in answer.json()["predictions"]]


def test_row_that_can_not_be_scored_does_not_fail_the_others(people: TestClient) -> None:
    """Its place holds the error; no rows get no predictions."""
    answer = people.post("/v1/models/people:predict", json={"instances": [GIVEN, {**GIVEN, "age": RAISES}]})

    first, second = answer.json()["predictions"]
    assert ("young", "model_raised") == (first["label"], second["error"]["reason"])
    assert {"predictions": []} == people.post("/v1/models/people:predict", json={"instances": []}).json()


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        ("{", 422, "not JSON"),
        ("[[1,2,3]]", 422, "the list instances"),
        ("{}", 422, "the list instances"),
        ('{"instances": {"a": 1}}', 422, "the list instances"),
        ('{"instances": null}', 422, "the list instances"),
        ('{"inputs": [[1,2,3]]}', 422, "the list instances"),
        ('{"instances": [[1,2,3]], "inputs": [[4,5,6]]}', 422, "inputs beside"),
        ('{"instances": [[1,2]]}', 422, "instances[0]: expected 3 values"),
        ('{"instances": [1,2,3]}', 422, "instances[0]: expected 3 values"),
        ('{"instances": [{"a": [1], "b": [1], "c": [1]}]}', 422, "not what line@1 takes"),
        ('{"instances": [[NaN,2,3]]}', 422, "not JSON"),
        ('{"instances": [' + "[]," * 20_001 + "[]]}", 413, "queue_rows"),
        ('{"instances": ' + "[" * 5_000 + "]" * 5_000 + "}", 413, "deep"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/v1/models/line:predict", PREDICT])
def test_what_is_not_a_request_is_refused(
    vertex: TestClient, path: str, body: str, status: int, says: str
) -> None:
    """With `error`, as KServe's clients look for it."""
    answer = vertex.post(path, content=body, headers=JSON)

    assert status == answer.status_code, answer.text
    assert says in answer.json()["error"]


def test_another_method_is_told_what_each_path_allows(line: TestClient) -> None:
    """One path holds any name, and so the other."""
    paths = ("/v1/models", "/v1/models/line", "/v1/models/line:predict")

    assert ["GET, HEAD", "GET, HEAD", "POST"] == [
        ", ".join(sorted(line.options(path).headers["allow"].split(", "))) for path in paths
    ]
    assert (405, "POST") == ((got := line.get(paths[-1])).status_code, got.headers["allow"])


def test_predict_is_vertexs_where_it_asks_there(line_package: Path) -> None:
    """Its examples do; a bare row, as `/predict` takes it elsewhere, is refused by name."""
    rest = build_rest(settings_for(line_package), more=vertex_endpoints("/health", "/predict"))
    with TestClient(rest.app, raise_server_exceptions=False) as client:
        asked = client.post("/predict", json={"instances": [[2, 3, 0]]})
        elsewhere = client.post("/v1/models/line:predict", json={"instances": [[2, 3, 0]]})
        bare = client.post("/predict", json={"a": 2, "b": 3, "c": 0})

    assert (200, elsewhere.json()) == (asked.status_code, asked.json())
    assert 422 == bare.status_code
    assert "instances" in bare.text


def test_vertex_asks_at_its_own_paths(vertex: TestClient) -> None:
    """Beside all others; also where they look like a path of another model's."""
    health, answer = (
        vertex.get(HEALTH),
        vertex.post(PREDICT, json={"instances": [[2, 3, 0]], "parameters": {}}),
    )

    assert [200, 200, 200] == [
        health.status_code,
        answer.status_code,
        vertex.get("/v1/models/line").status_code,
    ]
    assert vertex.post("/predict", json=[{"a": 2, "b": 3, "c": 0}]).json() == answer.json()["predictions"]


def test_stuck_model_is_not_ready(people_package: Path) -> None:
    """503 in KServe's words, while a batch does not come back."""
    with door(people_package, timeout=0.05) as (client, rest):
        LET.clear()
        try:
            client.post("/v1/models/people:predict", json={"instances": [{**GIVEN, "age": NEVER}]})
            wait_for(lambda: rest.service.batcher.stuck, 10, "the model to be stuck")
            answer = client.get("/v1/models/people")
        finally:
            LET.set()

    assert (503, {"error": "Model with name people is not ready."}) == (answer.status_code, answer.json())


def test_token_guards_predictions_and_not_the_health_check(line_package: Path) -> None:
    """As elsewhere."""
    rest = build_rest(settings_for(line_package, token="s"), more=vertex_endpoints(HEALTH, PREDICT))
    with TestClient(rest.app) as client:
        found = [client.get(HEALTH), client.post(PREDICT, json={}), client.get("/v1/models")]

    assert [200, 401, 401] == [one.status_code for one in found]


def test_document_has_the_v1_endpoints(line: TestClient) -> None:
    """With the model's name."""
    paths = json.loads(line.get("/openapi.json").content)["paths"]

    assert {"/v1/models", "/v1/models/line", "/v1/models/line:predict", "/execution-parameters"} <= set(paths)
    assert "406" in paths["/invocations"]["post"]["responses"]
    assert "406" not in paths["/v1/models/line:predict"]["post"]["responses"]
