"""A remote function of BigQuery: calls in, replies out."""

from __future__ import annotations

import json

import pytest
from starlette.testclient import TestClient

from tests.unit.rest.models import GIVEN, RAISES

YOUNG = {"label": "young", "score": 0.6, "model": "people@1"}


def test_calls_get_replies_in_order(people: TestClient) -> None:
    """A JSON object, one as text, the features in the schema's order, numbers as the texts that BigQuery sends."""
    calls = [[GIVEN], [json.dumps(GIVEN)], [60.5, 40, "Bath"], ["60.5", "40", "Bath"], [60.5, RAISES, None]]

    answer = people.post(
        "/bigquery", json={"requestId": "r", "caller": "c", "sessionUser": "u", "calls": calls}
    )

    assert 200 == answer.status_code
    *sound, failed = answer.json()["replies"]
    assert [YOUNG] * 4 == sound
    assert "model_raised" == failed["error"]["reason"]


def test_array_models_take_their_array(kinds: TestClient) -> None:
    """BigQuery has no arrays for remote functions, but JSON's."""
    answer = kinds.post("/bigquery", json={"calls": [[{"x": [3, 0]}], [[-3, 0]]]})

    assert [2, 0] == [one["label"] for one in answer.json()["replies"]]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"calls": [[GIVEN], [{"age": "x"}]]}, "calls[1] age: expected long"),
        ({"calls": [[1, 2]]}, "calls[0]: expected 3 values (body mass (kg), age, city), found 2"),
        ({"calls": [["{no json"]]}, "calls[0]"),
        ({"calls": [3]}, "calls[0]: expected a list"),
        ({}, "the list calls"),
        ([], "the list calls"),
    ],
)
def test_error_is_shown_to_who_runs_the_query(people: TestClient, body: object, says: str) -> None:
    """As `errorMessage`, which BigQuery shows up to 1 KB; with a status that it does not try again."""
    answer = people.post("/bigquery", json=body)

    assert 422 == answer.status_code
    assert ["errorMessage"] == list(answer.json())
    assert says in answer.json()["errorMessage"]
    assert len(answer.json()["errorMessage"]) <= 1_000
