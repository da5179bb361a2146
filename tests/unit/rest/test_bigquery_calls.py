"""A remote function of BigQuery: calls in, replies out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from starlette.testclient import TestClient

from stream.store import PackRequest, pack
from tests.unit.rest.models import GIVEN, RAISES, door

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


@pytest.mark.parametrize("call", [[None], [None, None, None], [None] * 5, ["null"]])
def test_null_row_gets_null(people: TestClient, call: list[None]) -> None:
    """As a SQL function: NULL in, NULL out; its neighbours are answered."""
    answer = people.post("/bigquery", json={"calls": [[GIVEN], call, [GIVEN]]})

    assert [YOUNG, None, YOUNG] == answer.json()["replies"]


BAD = {
    "a field": ([{**GIVEN, "age": "x"}], "wrong_type", "field 'age': expected long, found 'x'"),
    "by position": ([60.5, "x", None], "wrong_type", "field 'age'"),
    "no field": ([{}], "missing_field", "field 'age'"),
    "a null field": ([60.5, None, "Bath"], "wrong_type", "field 'age': expected long, found no value"),
    "beyond the type": ([{**GIVEN, "age": 2**53 + 1}], "value_out_of_range", "is not exact as float64"),
    "the model": ([{**GIVEN, "age": RAISES}], "model_raised", "too old"),
    "NaN in a text": (['{"age": NaN}'], "malformed_row", "NaN is not JSON"),
    "no JSON": (["{no json"], "malformed_row", "a text that is not a JSON object"),
    "a text": (["hello"], "malformed_row", "a text that is not a JSON object"),
    "a deep text": (["[" * 200 + "]" * 200], "malformed_row", "nested 200 deep, at most 100"),
    "an endless text": (["[" * 2_000], "malformed_row", "2000 lists or objects begin"),
    "a key twice": (['{"age": 1, "age": 2}'], "malformed_row", "the key 'age' twice"),
    "one argument": ([5], "malformed_row", "expected 3 values (body mass (kg), age, city), found 1 values"),
    "long values": ([{**GIVEN, "age": "x" * 100, "city": ["é" * 90], "id": ["é" * 90]}], "wrong_type", "field"),
}  # fmt: skip


@pytest.mark.parametrize("kind", BAD)
def test_bad_row_does_not_end_the_query(kind: str, people: TestClient) -> None:
    """Its reply says why it has no prediction, within some hundred characters; its neighbours have theirs."""
    call, reason, says = BAD[kind]
    calls = {"calls": [[GIVEN], call, [GIVEN]]}

    first, error, last = people.post("/bigquery", json=calls).json()["replies"]

    assert [YOUNG, YOUNG] == [first, last]
    assert ["error"] == list(error)
    assert reason == error["error"]["reason"]
    assert says in error["error"]["message"]
    assert len(error["error"]["message"]) <= 301


@pytest.mark.parametrize("kind", BAD)
def test_bad_row_ends_the_query_where_that_is_asked_for(kind: str, people: TestClient) -> None:
    """By the function's own option; NULL is no error."""
    call, _, says = BAD[kind]
    body = {"calls": [[GIVEN], [None], call], "userDefinedContext": {"on_error": "fail", "team": "x"}}

    answer = people.post("/bigquery", json=body)

    assert 422 == answer.status_code
    assert "people@1 has no answer for 1 of 3 rows: calls[2]: " in answer.json()["errorMessage"]
    assert says in answer.json()["errorMessage"]


def test_message_is_of_less_than_a_kilobyte(people: TestClient) -> None:
    """In bytes, and ends with a whole character."""
    calls = [
        [{**GIVEN, "age": name}] for name in ("é" * 300, "x" + "é" * 300, "\u202e" * 300, "🦊" * 300)
    ] * 9
    body = {"calls": calls, "userDefinedContext": {"on_error": "fail"}}

    answer = people.post("/bigquery", json=body)

    size = len(answer.json()["errorMessage"].encode())
    assert 422 == answer.status_code
    assert 250 < size <= 1_000


TYPES: dict[str, tuple[Any, Any, Any]] = {
    "BYTES": ("bytes", "aGk=", "aGk="),
    "BYTES of one length": ({"type": "fixed", "name": "F", "size": 4}, "AAH/Aw==", "AAH/Aw=="),
    "BOOL": ("boolean", True, True),
    "INT64": ("long", "9007199254740993", 2**53 + 1),
    "FLOAT64": ("double", "-Infinity", None),
    "STRING": ("string", "", ""),
    "STRING that says NaN": ("string", "NaN", "NaN"),
    "NUMERIC": (
        {"type": "bytes", "logicalType": "decimal", "precision": 38, "scale": 9},
        "12345678901234567890.123456789", "12345678901234567890.123456789"),
    "BIGNUMERIC": (
        {"type": "bytes", "logicalType": "decimal", "precision": 76, "scale": 38}, "0.5", f"0.5{'0' * 37}"),
    "DATE": ({"type": "int", "logicalType": "date"}, "2017-03-06", "2017-03-06"),
    "TIME": ({"type": "long", "logicalType": "time-micros"}, "12:34:56.789", "12:34:56.789000"),
    "TIMESTAMP": (
        {"type": "long", "logicalType": "timestamp-micros"},
        "2017-03-06T12:34:56.789012Z", "2017-03-06T12:34:56.789012Z"),
    "TIMESTAMP of a second": (
        {"type": "long", "logicalType": "timestamp-millis"}, "2017-03-06T12:34:56Z", "2017-03-06T12:34:56.000Z"),
    "DATETIME": (
        {"type": "long", "logicalType": "local-timestamp-micros"},
        "2017-03-06T12:34:56.789012", "2017-03-06T12:34:56.789012"),
    "JSON": ({"type": "map", "values": "long"}, {"a": 1}, {"a": 1}),
}  # fmt: skip
"""By BigQuery's type: an Avro type for it, a value as `TO_JSON_STRING` writes it, and as it comes back."""


def test_values_are_spelled_as_bigquery_spells_them(tmp_path: Path) -> None:
    """In an object, in an object as text, and by position."""
    names = [f"c{i}" for i in range(len(TYPES))]
    fields = [{"name": name, "type": kind} for name, (kind, _, _) in zip(names, TYPES.values(), strict=True)]
    schema = {"type": "record", "name": "E", "fields": [{"name": "x", "type": "double"}, *fields]}
    model = LinearRegression().fit(pd.DataFrame({"x": [1.0, 2.0]}), [1.0, 2.0])
    pack(model, PackRequest("m", tmp_path / "m", carry=tuple(names)), schema=json.dumps(schema))
    row = {"x": "1.5"} | {name: given for name, (_, given, _) in zip(names, TYPES.values(), strict=True)}
    with door(tmp_path / "m") as (client, _):
        calls = {"calls": [[row], [json.dumps(row)], list(row.values())]}
        replies = client.post("/bigquery", json=calls).json()["replies"]
        api = client.get("/openapi.json").json()
        example = api["paths"]["/bigquery"]["post"]["requestBody"]["content"]["application/json"]["example"]
        examples = client.post("/bigquery", json=example).json()["replies"]

    assert [] == [one for one in examples if "error" in one]
    expected = {kind: back for kind, (_, _, back) in TYPES.items()}
    assert [expected] * 3 == [
        {kind: reply[name] for kind, name in zip(TYPES, names, strict=True)} for reply in replies
    ]


def test_bytes_that_are_not_base64_are_refused(tmp_path: Path) -> None:
    """Also within a nested record, and by its dotted name."""
    inner = {"type": "record", "name": "I", "fields": [{"name": "b", "type": "bytes"}]}
    fields = [{"name": "x", "type": "double"}, {"name": "at", "type": inner}]
    model = LinearRegression().fit(pd.DataFrame({"x": [1.0, 2.0]}), [1.0, 2.0])
    schema = json.dumps({"type": "record", "name": "E", "fields": fields})
    pack(model, PackRequest("m", tmp_path / "m", carry=("at.b",)), schema=schema)
    with door(tmp_path / "m") as (client, _):
        calls = [[{"x": 1, "at": {"b": value}}] for value in ("aGk=", "é", "aGk")] + [
            [{"x": 1, "at.b": "aGk="}]
        ]
        first, *wrong, last = client.post("/bigquery", json={"calls": calls}).json()["replies"]

    assert first == last
    assert "aGk=" in first.values()
    assert ["field 'at.b': expected base64"] * 2 == [one["error"]["message"].split(",")[0] for one in wrong]


def test_model_of_one_text_takes_any_text(tmp_path: Path) -> None:
    """Also one that looks like JSON, and is not a row."""
    model = make_pipeline(OneHotEncoder(handle_unknown="ignore"), LogisticRegression())
    model.fit(pd.DataFrame({"word": ["{", "null"]}), ["brace", "word"])
    schema = {"type": "record", "name": "E", "fields": [{"name": "word", "type": "string"}]}
    pack(model, PackRequest("m", tmp_path / "m"), schema=json.dumps(schema))
    calls = [["{"], ["null"], ['{"word": "{"}'], [{"word": "null"}], ['{"a": 1}'], [None]]
    with door(tmp_path / "m") as (client, _):
        *words, other, null = client.post("/bigquery", json={"calls": calls}).json()["replies"]

    assert ["brace", "word", "brace", "word"] == [one["label"] for one in words]
    assert other["score"] == pytest.approx(0.5)
    assert null is None


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        ({"calls": [[GIVEN], [1, 2]]}, 422, "calls[1]: expected 3 values (body mass (kg), age, city), found 2"),
        ({"calls": [[]]}, 422, "calls[0]: expected 3 values (body mass (kg), age, city), found 0"),
        ({"calls": [3]}, 422, "calls[0]: expected a list"),
        ({"calls": None}, 422, "the list calls"),
        ({}, 422, "the list calls"),
        ([], 422, "the list calls"),
        ({"calls": [[GIVEN]], "userDefinedContext": 5}, 422, "userDefinedContext: expected an object"),
        ({"calls": [[GIVEN]], "userDefinedContext": {"on_error": "x"}}, 422, "expected reply or fail, found 'x'"),
        ({"calls": [[GIVEN]], "userDefinedContext": {"on_error": []}}, 422, "expected reply or fail, found []"),
        ({"calls": [[None]] * 20_001}, 413, "max_batching_rows"),
    ],
)  # fmt: skip
def test_error_is_shown_to_who_runs_the_query(
    people: TestClient, body: object, status: int, says: str
) -> None:
    """What is wrong with every row: with a status that BigQuery does not try again."""
    answer = people.post("/bigquery", json=body)

    assert status == answer.status_code
    assert ["errorMessage"] == list(answer.json())
    assert says in answer.json()["errorMessage"]


def test_there_are_as_many_replies_as_calls(people: TestClient) -> None:
    """Of none, of many that are read in a thread, of NULLs alone."""
    for calls in ([], [[GIVEN], [None], [{}]] * 600, [[None]] * 3):
        assert len(calls) == len(people.post("/bigquery", json={"calls": calls}).json()["replies"])


def test_request_sent_twice_has_the_same_replies(people: TestClient) -> None:
    """As a retry: the same identifier, rows in another order within it, errors and NULLs among them."""
    calls = [[GIVEN], [None], [{}], [{**GIVEN, "age": RAISES}]]

    first = people.post("/bigquery", json={"requestId": "r", "calls": calls}).json()["replies"]
    again = people.post("/bigquery", json={"requestId": "r", "calls": calls[::-1]}).json()["replies"]

    assert first == again[::-1]


def test_texts_take_memory_that_is_counted(people_package: Path) -> None:
    """JSON within texts is not seen when the body is measured."""
    text = '{"a":[' + "{}," * 200_000 + "{}]}"
    with door(people_package, queue_bytes=20_000_000) as (client, _):
        answer = client.post("/bigquery", json={"calls": [[text]]})

    assert 413 == answer.status_code
    assert "errorMessage" in answer.json()
