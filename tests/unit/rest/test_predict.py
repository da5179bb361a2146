"""`POST /predict`: rows in, predictions out, and every field that does not fit."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tests.unit.rest.models import GIVEN, RAISES, door, fields_of, pack_delay


def test_object_gets_an_object(people: TestClient) -> None:
    """The prediction's fields, without Kafka's; carried ones only where they were given."""
    answer = people.post("/predict", json=GIVEN)

    assert 200 == answer.status_code
    assert {"label": "young", "score": 0.6, "model": "people@1"} == answer.json()


def test_list_gets_a_list_in_order(people: TestClient) -> None:
    """By original or Avro name, with carried fields and without, fields of nobody's ignored."""
    rows = [
        {**GIVEN, "age": 70, "id": "x", "seen": "2024-02-29T12:00:00.5+02:00", "stranger": [1]},
        {"body_mass__kg_": 1, "age": 30},
    ]

    answer = people.post("/predict", json=rows)

    assert [
        {"id": "x", "seen": "2024-02-29T10:00:00.500Z", "label": "old", "score": pytest.approx(0.3)},
        {"label": "young", "score": 0.7},
    ] == [{name: value for name, value in one.items() if name != "model"} for one in answer.json()]
    assert [] == people.post("/predict", json=[]).json()


def test_vector_and_matrix_models_answer_objects_too(line: TestClient, kinds: TestClient) -> None:
    """A regression has a value; probabilities come where they are published."""
    value = line.post("/predict", json={"a": 2, "b": 2**1.5, "c": 0}).json()
    kind = kinds.post("/predict", json={"x": [3, 0]}).json()

    assert ["value", "model"] == list(value)
    assert [2, "kinds@1"] == [kind["label"], kind["model"]]
    assert kind["score"] == max(kind["probabilities"]) == kind["probabilities"][2]


def test_every_field_that_does_not_fit_is_named(people: TestClient) -> None:
    """Missing, of another type, out of range, carried: all at once, for every row; nobody's row is scored."""
    rows = [GIVEN, {"age": "old", "city": 3, "id": 7}, 5, {**GIVEN, "body mass (kg)": None, "age": 2**63}]

    answer = people.post("/predict", json=rows)

    assert 422 == answer.status_code
    assert {
        (1, "age"), (1, "city"), (1, "id"), (1, "body mass (kg)"), (2, ""), (3, "body mass (kg)"), (3, "age"),
    } == fields_of(answer.json())  # fmt: skip
    assert "'body mass (kg)'" in answer.json()["error"]


def test_fields_of_a_single_object_have_no_row(people: TestClient) -> None:
    """There is only one."""
    answer = people.post("/predict", json={})

    assert 422 == answer.status_code
    assert {(None, "age"), (None, "body mass (kg)")} == fields_of(answer.json())


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/predict", {}),
        ("/predict", {"stranger": 1}),
        ("/predict", {"A": 1, "0": 1, "id": "x"}),
        ("/predict", [{"a": 1}, {}]),
        ("/invocations", {"dataframe_records": [{"a": 1}, {"stranger": 1}]}),
        ("/invocations", {"instances": [{}]}),
        ("/bigquery", {"calls": [[{}]], "userDefinedContext": {"on_error": "fail"}}),
        ("/bigquery", {"calls": [["{}"]], "userDefinedContext": {"on_error": "fail"}}),
    ],
)
def test_row_without_any_field_is_refused(optional: TestClient, path: str, body: object) -> None:
    """Though every field has a default: there would be an answer from nothing."""
    answer = optional.post(path, json=body)

    assert 422 == answer.status_code
    assert "expected at least one of 'a', 'b', 'c'" in answer.text


def test_row_of_nulls_is_a_row(optional: TestClient) -> None:
    """Its fields are given, and have no value."""
    assert 1300 == optional.post("/predict", json={"a": None, "b": None, "c": None}).json()["value"]
    assert 310 == optional.post("/predict", json={"a": 1}).json()["value"]


def test_value_that_the_model_can_not_hold_exactly_is_named(people: TestClient) -> None:
    """A long that float64 would round is the caller's to correct."""
    answer = people.post("/predict", json=[GIVEN, {**GIVEN, "age": 2**53 + 1}])

    assert 422 == answer.status_code
    assert {(1, "age")} == fields_of(answer.json())
    assert "value_out_of_range" == answer.json()["errors"][0]["reason"]


@pytest.mark.parametrize("column", ["dep delay", "dep_delay"])
def test_value_that_the_model_can_not_hold_is_named_by_its_original_column(
    column: str, tmp_path: Path
) -> None:
    """The caller's name of a field, as for every other fault; never the Avro name that the model's schema has."""
    with door(pack_delay(tmp_path / "delay")) as (client, _):
        answer = client.post("/predict", json=[{column: 2**60 + 1}])

    assert 422 == answer.status_code
    assert {
        "error": "'dep delay': not what delay@1 takes; see errors, and /docs for its fields",
        "errors": [
            {
                "row": 0,
                "field": "dep delay",
                "reason": "value_out_of_range",
                "message": "1152921504606846977 is not exact as float64",
            }
        ],
    } == answer.json()


def test_row_that_the_model_can_not_score_is_an_error_of_its_own(people: TestClient) -> None:
    """Its neighbours are answered; alone it is a 422."""
    rows = [GIVEN, {**GIVEN, "age": RAISES}, {**GIVEN, "city": "Nowhere"}, GIVEN]

    answers = people.post("/predict", json=rows)
    alone = people.post("/predict", json=rows[1])

    assert 200 == answers.status_code
    first, raised, infinite, last = answers.json()
    assert first == last
    assert {
        "error": {"stage": "score", "reason": "model_raised", "exception": "ArithmeticError", "message": "too old"}
    } == raised  # fmt: skip
    assert "not_finite" == infinite["error"]["reason"]
    assert 422 == alone.status_code
    assert "too old" in alone.json()["error"]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"{", "not JSON"),
        (b"", "not JSON"),
        (b'{"age": NaN}', "NaN is not JSON"),
        (b"\xff", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b'"text"', "expected an object or a list"),
        (b"1" * 5_000, "expected an object"),
    ],
)
def test_body_that_is_not_rows_is_refused(people: TestClient, body: bytes, says: str) -> None:
    """Whatever comes, the answer is a 422 that says what it is."""
    answer = people.post("/predict", content=body, headers={"content-type": "application/json"})

    assert 422 == answer.status_code
    assert says in answer.json()["error"]


def test_other_content_is_refused(people: TestClient) -> None:
    """What says that it is a form is not read as JSON; no content type at all is."""
    form = people.post("/predict", content=b"{}", headers={"content-type": "text/plain"})
    zipped = people.post("/predict", json=GIVEN, headers={"content-encoding": "gzip"})

    assert [415, 415] == [form.status_code, zipped.status_code]
    assert "application/json" in form.json()["error"]


def test_half_a_character_is_named(people: TestClient) -> None:
    """JSON can write what UTF-8 can't."""
    answer = people.post(
        "/predict",
        content=b'{"age": 1, "body mass (kg)": 1, "city": "\\ud800"}',
        headers={"content-type": "application/json"},
    )

    assert 422 == answer.status_code
    assert {(None, "city")} == fields_of(answer.json())


def test_large_request_is_answered_whole(people: TestClient) -> None:
    """Above the sizes at which parsing and writing leave the event loop."""
    rows = [{**GIVEN, "age": age % 90} for age in range(3_000)]

    answers = people.post("/predict", json=rows).json()

    assert [pytest.approx(1 - age % 90 / 100) for age in range(3_000)] == [one["score"] for one in answers]


def test_unknown_path_and_method_are_said_in_json(people: TestClient) -> None:
    """Also what Starlette itself answers is an object with `error`."""
    assert "/docs" in people.get("/nothing").json()["error"]
    assert [404, 405] == [people.get("/nothing").status_code, people.get("/predict").status_code]
    assert "POST" == people.get("/predict").headers["allow"]
