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
        {"dataframe_split": {"data": [[60.5, 40, "Bath"]]}},
        {"dataframe_split": {"columns": [0, 1, 2], "index": [0], "data": [[60.5, 40, "Bath"]]}},
        {"dataframe_split": {"columns": [1, 2, 0], "data": [[40, "Bath", 60.5]]}},
        {"dataframe_split": {"columns": ["0", "1", "2"], "data": [[60.5, 40, "Bath"]]}},
        {"dataframe_split": {"columns": ["x", *GIVEN], "data": [["?", *GIVEN.values()]]}},
        {"dataframe_records": [{"1": 40, "2": "Bath", "0": 60.5}]},
        {"inputs": {"0": [60.5], "1": [40], "2": ["Bath"]}},
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
        ("[1]", "application/json", 422, "[0]: expected 3 values (body mass"),
        ("7", "application/json", 422, "or a list of rows, found none of them"),
        ("this is,,,, not valid json", "application/json", 422, "not JSON"),
        ('{"dataframe_records": {"columns": [0], "data": []}}', "application/json", 422, "expected a list"),
        ('{"dataframe_split": [{"age": 1}]}', "application/json", 422, "columns and data"),
        ('{"dataframe_split": {"index": [1, 2], "data": [[1], [2], [3]]}}', "application/json", 422, "2 entries"),
        ('{"dataframe_split": {"data": [[1]]}}', "application/json", 422, "data[0]: expected 3 values (body mass"),
        ('{"dataframe_split": {"columns": 3, "data": []}}', "application/json", 422, "columns: expected a list"),
        ('{"dataframe_split": {"columns": ["x"], "data": []}}', "application/json", 422, "none of 'x' is a field"),
        ('{"dataframe_split": {"columns": [0, 1], "data": []}}', "application/json", 422, "none of '0', '1'"),
        ('{"dataframe_split": {"columns": [0, "0"], "data": []}}', "application/json", 422, "each once"),
        ('{"dataframe_split": {"columns": [true], "data": []}}', "application/json", 422, "whole numbers"),
        ('{"dataframe_split": {"columns": [["age", ""]], "data": []}}', "application/json", 422, "whole numbers"),
        ('{"dataframe_records": [{"0": 1, "1": 2}]}', "application/json", 422, "none of '0', '1' is a field"),
        ('{"inputs": {"years": [1]}}', "application/json", 422, "none of 'years' is a field"),
        ('{"inputs": {}}', "application/json", 422, "none of none is a field"),
        ("{}", "application/json; charset=utf-16", 415, "charset"),
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
    assert {"predictions": []} == people.post("/invocations", json=[]).json()


def test_probes_answer_as_mlflow_does(people: TestClient) -> None:
    """200 with an empty line; the version as text."""
    assert [(200, "\n")] * 2 == [
        (answer.status_code, answer.text) for answer in (people.get("/ping"), people.get("/health"))
    ]
    assert people.get("/version").text.count(".") >= 2


@pytest.mark.parametrize(
    "body",
    [
        {"dataframe_split": {"columns": [0, 1, 2], "index": [0, 1], "data": [[2, 3, 0], [1, 1, 1]]}},
        {"dataframe_split": {"columns": [2, 1, 0], "data": [[0, 3, 2], [1, 1, 1]]}},
        {"dataframe_split": {"data": [[2, 3, 0], [1, 1, 1]]}},
        {"dataframe_records": [{"0": 2, "1": 3, "2": 0}, {"2": 1, "1": 1, "0": 1}]},
        {"instances": [{"0": 2, "1": 3, "2": 0}, [1, 1, 1]]},
        {"inputs": {"2": [0, 1], "0": [2, 1], "1": [3, 1]}},
        {"inputs": [[2, 3, 0], [1, 1, 1]]},
    ],
)
def test_array_models_take_labels_of_columns_without_names(line: TestClient, body: dict[str, Any]) -> None:
    """As pandas writes a frame that was made of an array: 0, 1, …, as numbers and as texts."""
    expected = line.post("/predict", json=[{"a": 2, "b": 3, "c": 0}, {"a": 1, "b": 1, "c": 1}]).json()

    assert expected == line.post("/invocations", json=body).json().get("predictions")


@pytest.mark.parametrize(
    "body",
    [
        {"dataframe_split": {"columns": [0, 1], "data": [[3, 0], [-3, 0]]}},
        {"dataframe_split": {"columns": [1, 0], "data": [[0, 3], [0, -3]]}},
        {"dataframe_split": {"data": [[3, 0], [-3, 0]]}},
        {"dataframe_records": [{"0": 3, "1": 0}, {"0": -3, "1": 0}]},
    ],
)
def test_vector_models_take_labels_of_columns_without_names(kinds: TestClient, body: dict[str, Any]) -> None:
    """The labels are the places of the items."""
    answer = kinds.post("/invocations", json=body).json()

    assert [2, 0] == [one["label"] for one in answer["predictions"]]


@pytest.mark.parametrize(
    ("body", "value"),
    [
        ('{"dataframe_split": {"columns": ["a", "b", "c"], "data": [[NaN, 2, 3]]}}', 1007),
        ('{"dataframe_records": [{"a": 1, "b": NaN, "c": null}]}', 310),
        ('{"instances": [[1, 2, NaN]]}', 114),
        ('{"inputs": {"a": [NaN], "b": [1], "c": [1]}}', 1003),
    ],
)
def test_nan_of_mlflow_is_a_missing_number(optional: TestClient, body: str, value: float) -> None:
    """Its clients write a gap of pandas' as Python's writer of JSON does."""
    answer = optional.post("/invocations", content=body, headers={"content-type": "application/json"})

    assert [value] == [one["value"] for one in answer.json()["predictions"]]


@pytest.mark.parametrize("token", ["Infinity", "-Infinity"])
def test_infinity_of_mlflow_is_a_number(optional: TestClient, token: str) -> None:
    """The model sees it; an answer that is not finite is an error of its row."""
    body = f'{{"dataframe_records": [{{"a": 1, "b": 2, "c": 3}}, {{"a": {token}, "b": 2, "c": 3}}]}}'

    answer = optional.post("/invocations", content=body, headers={"content-type": "application/json"})

    first, second = answer.json()["predictions"]
    assert (17, "not_finite") == (first["value"], second["error"]["reason"])


def test_nat_of_mlflow_is_a_missing_instant(people: TestClient) -> None:
    """Its clients write a gap among times as that text; elsewhere it is a text."""
    row = {**GIVEN, "id": "NaT", "seen": "NaT"}

    answer = people.post("/invocations", json={"dataframe_records": [row]})

    [found] = answer.json()["predictions"]
    assert ("NaT", None) == (found["id"], found["seen"])
    assert 422 == people.post("/predict", json=row).status_code


def test_nan_where_nothing_may_be_missing_is_named(people: TestClient) -> None:
    """As everywhere: null is refused where the schema has none; a number may be NaN."""
    body = b'{"dataframe_records": [{"age": NaN, "city": NaN, "body mass (kg)": NaN}]}'

    answer = people.post("/invocations", content=body, headers={"content-type": "application/json"})

    assert {(0, "age")} == fields_of(answer.json())


@pytest.mark.parametrize(
    "body",
    [
        {"instances": [1, 2]},
        {"inputs": [1, [2]]},
        {"dataframe_split": {"columns": ["dep delay"], "data": [1, 2]}},
        {"dataframe_split": {"columns": [0], "data": [[1], 2]}},
        {"dataframe_split": {"data": [1, 2]}},
        {"inputs": {"dep_delay": [1, 2]}},
    ],
)
def test_row_of_one_column_may_be_its_value(delay: TestClient, body: dict[str, Any]) -> None:
    """As pandas and numpy take a list for a column."""
    answer = delay.post("/invocations", json=body)

    assert pytest.approx([1, 2]) == [one["value"] for one in answer.json().get("predictions", [])]


def test_value_is_no_row_of_several_columns(line: TestClient) -> None:
    """Nor of a vector."""
    assert 422 == line.post("/invocations", json={"instances": [1, 2, 3]}).status_code
    body = {"dataframe_split": {"columns": ["a"], "data": [{"a": 1}]}}
    assert 422 == line.post("/invocations", json=body).status_code


def test_array_models_take_instances(line: TestClient, kinds: TestClient) -> None:
    """A row is the array."""
    rows: list[list[float]] = [[2, 2**1.5, 0], [1, 1, 1]]
    objects = [{"a": a, "b": b, "c": c} for a, b, c in rows]
    flat = line.post("/invocations", json={"instances": rows}).json()["predictions"]
    vector = kinds.post("/invocations", json={"instances": [[3, 0], [-3, 0]]})

    assert 2 == len(flat)
    assert line.post("/predict", json=objects).json() == flat
    assert [2, 0] == [one["label"] for one in vector.json()["predictions"]]
