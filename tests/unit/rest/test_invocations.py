"""MLflow's scoring server and SageMaker's containers: what their clients send, and what they get."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.unit.rest.models import GIVEN, RAISES, fields_of

CSV = {"content-type": "text/csv"}
YOUNG = {"label": "young", "score": 0.6, "model": "people@1"}


@pytest.mark.parametrize(
    "body",
    [
        {"dataframe_records": [GIVEN]},
        {"dataframe_split": {"columns": list(GIVEN), "data": [list(GIVEN.values())], "index": [0]}},
        {"instances": [GIVEN]},
        {"instances": [[60.5, 40, "Bath"]]},
        {"instances": [["x", "2024-02-29T12:00", 60.5, 40, "Bath"]]},
        {"inputs": {name: [value] for name, value in GIVEN.items()}},
        {"inputs": GIVEN},
        {"inputs": [GIVEN]},
        {"dataframe_records": [GIVEN], "params": {"ignored": 1}},
    ],
)
def test_every_shape_of_mlflow_gets_predictions(people: TestClient, body: dict[str, Any]) -> None:
    """Records, split, instances by name or by the schema's order, columns."""
    answer = people.post("/invocations", json=body)

    assert 200 == answer.status_code
    [found] = answer.json()["predictions"]
    assert found == {**found, **YOUNG}


def test_csv_gets_predictions(people: TestClient) -> None:
    """With a header by names, without one by the schema's order; an empty cell is null."""
    named = people.post(
        "/invocations", content="city,age,body mass (kg),x\nBath,40,60.5,1\n,70,1e1,2\n", headers=CSV
    )
    bare = people.post(
        "/invocations",
        content="60.5,40,Bath\r\n10,70,\r\n",
        headers={"content-type": "text/csv; charset=utf-8; header=absent"},
    )

    assert [200, 200] == [named.status_code, bare.status_code]
    assert [YOUNG, {"label": "old", "score": pytest.approx(0.3), "model": "people@1"}] == named.json()[
        "predictions"
    ]
    assert named.json() == bare.json()


def test_csv_without_header_may_have_the_carried_fields(people: TestClient) -> None:
    """As `instances` may; another number of cells is refused, in the callers' names."""
    kind = {"content-type": "text/csv; header=absent"}

    whole = people.post("/invocations", content="x,2024-02-29T12:00,60.5,40,Bath\n", headers=kind)
    short = people.post("/invocations", content="60.5,40\n", headers=kind)

    assert 200 == whole.status_code
    [found] = whole.json()["predictions"]
    assert found == {**found, **YOUNG, "id": "x"}
    assert "expected 3 cells (body mass (kg), age, city), found 2" in short.json()["message"]


def test_wrong_fields_are_named_as_in_predict(people: TestClient) -> None:
    """With MLflow's error code and message beside."""
    answer = people.post("/invocations", content="city,age\nBath,forty\nYork,30\n", headers=CSV)

    assert 422 == answer.status_code
    assert {(0, "body mass (kg)"), (0, "age"), (1, "body mass (kg)")} == fields_of(answer.json())
    assert ["BAD_REQUEST", answer.json()["error"]] == [answer.json()["error_code"], answer.json()["message"]]


def test_row_that_can_not_be_scored_does_not_fail_the_others(people: TestClient) -> None:
    """Its place holds the error."""
    body = {"dataframe_records": [GIVEN, {**GIVEN, "age": RAISES}]}

    first, second = people.post("/invocations", json=body).json()["predictions"]

    assert [YOUNG, "model_raised"] == [first, second["error"]["reason"]]


@pytest.mark.parametrize(
    ("content", "kind", "status", "says"),
    [
        ('{"rows": []}', "application/json", 422, "found none of them"),
        ('{"instances": [], "inputs": []}', "application/json", 422, "instances and inputs"),
        ("[]", "application/json", 422, "found none of them"),
        ('{"dataframe_split": []}', "application/json", 422, "columns and data"),
        ('{"dataframe_split": {"columns": ["age"], "data": [[1, 2]]}}', "application/json", 422, "data[0]"),
        ('{"dataframe_split": {"columns": ["a", "a"], "data": []}}', "application/json", 422, "each once"),
        ('{"inputs": {"age": [1], "city": []}}', "application/json", 422, "equal length"),
        ('{"instances": [[1]]}', "application/json", 422, "instances[0]: expected 3 values (body mass"),
        ('{"dataframe_records": 3}', "application/json", 422, "expected a list"),
        ("age,age\n1,2\n", "text/csv", 422, "age twice"),
        ("age,city\n1\n", "text/csv", 422, "line 2: expected 2 cells"),
        ('age\n"1', "text/csv", 422, "not a csv file"),
        ("a", "application/x-parquet", 415, "text/csv"),
    ],
)  # fmt: skip
def test_what_is_not_a_request_is_refused(
    people: TestClient, content: str, kind: str, status: int, says: str
) -> None:
    """The message says what was expected and what was found."""
    answer = people.post("/invocations", content=content, headers={"content-type": kind})

    assert status == answer.status_code
    assert says in answer.json()["message"]


def test_no_rows_get_no_predictions(people: TestClient) -> None:
    """An empty frame is a frame."""
    assert {"predictions": []} == people.post("/invocations", json={"dataframe_records": []}).json()
    assert {"predictions": []} == people.post("/invocations", content="age,city\n", headers=CSV).json()


def test_probes_answer_as_mlflow_does(people: TestClient) -> None:
    """200 with an empty line; the version as text."""
    assert [(200, "\n")] * 2 == [
        (answer.status_code, answer.text) for answer in (people.get("/ping"), people.get("/health"))
    ]
    assert people.get("/version").text.count(".") >= 2


def test_array_models_take_instances(line: TestClient, kinds: TestClient) -> None:
    """A row is the array."""
    rows: list[list[float]] = [[2, 2**1.5, 0], [1, 1, 1]]
    objects = [{"a": a, "b": b, "c": c} for a, b, c in rows]
    flat = line.post("/invocations", json={"instances": rows}).json()["predictions"]
    vector = kinds.post("/invocations", json={"instances": [[3, 0], [-3, 0]]})

    assert 2 == len(flat)
    assert line.post("/predict", json=objects).json() == flat
    assert [2, 0] == [one["label"] for one in vector.json()["predictions"]]
