"""
What SageMaker's SDK and batch transform send, byte for byte, and how its deserializers read the answer.

Source: aws/sagemaker-python-sdk 2, sagemaker/base_serializers.py, base_deserializers.py.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from starlette.testclient import TestClient

from tests.unit.rest.models import GIVEN, RAISES, door

JSON, CSV, LINES, NPY = "application/json", "text/csv", "application/jsonlines", "application/x-npy"
ROWS = [[2, 3, 0], [1, 1, 1]]
"""For the model of a, b and c."""


def npy(values: Any, **options: Any) -> bytes:
    """As `NumpySerializer` makes it."""
    buffer = io.BytesIO()
    np.save(buffer, np.array(values, **options))
    return buffer.getvalue()


def head(text: str, values: bytes = b"", version: bytes = b"\x01\x00") -> bytes:
    """An array with such a head."""
    size = len(text).to_bytes(2 if version[0] == 1 else 4, "little")
    return b"\x93NUMPY" + version + size + text.encode() + values


def ask(client: TestClient, body: bytes | str, kind: str, accept: str = JSON) -> Any:
    """A request as the SDK's predictor sends it."""
    return client.post("/invocations", content=body, headers={"content-type": kind, "accept": accept})


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("2,3,0\n1,1,1", CSV),
        (pd.DataFrame(ROWS).to_csv(header=False, index=False), CSV),
        ("a,b,c\n2,3,0\n1,1,1\n", CSV),
        (json.dumps(ROWS), JSON),
        (json.dumps(np.array(ROWS, float).tolist()), JSON),
        (json.dumps({"instances": ROWS}), JSON),
        (json.dumps({"inputs": ROWS}), JSON),
        ("[2, 3, 0]\n[1, 1, 1]", LINES),
        ('{"a": 2, "b": 3, "c": 0}\n{"0": 1, "1": 1, "2": 1}\n', LINES),
        ('\r\n{"a": 2, "b": 3, "c": 0}\r\n \n[1, 1, 1]\r\n', LINES),
        ("[2, 3, 0]\n[1, 1, 1]", "application/x-ndjson"),
        (npy(ROWS), NPY),
        (npy(ROWS, dtype=">f4"), NPY),
        (npy(ROWS, dtype=np.uint8), NPY),
        (npy(ROWS, order="F"), NPY),
        (npy([["2", "3", "0"], ["1", "1.0", "1e0"]]), NPY),
        (npy(ROWS, dtype="S1"), NPY),
        (head('{"shape":(2L,3L),"fortran_order":False,"descr":"<f8"}', np.array(ROWS, "<f8").tobytes()), NPY),
        (
            head("{'descr': '<i8', 'fortran_order': False, 'shape': (2, 3), }\n", npy(ROWS)[-48:], b"\x03\0"),
            NPY,
        ),
    ],
)
@pytest.mark.parametrize("accept", [JSON, CSV, LINES])
def test_every_body_gets_every_answer(line: TestClient, body: bytes | str, kind: str, accept: str) -> None:
    """As JSONDeserializer, CSVDeserializer and JSONLinesDeserializer read it."""
    expected = [
        one["value"]
        for one in line.post("/predict", json=[dict(zip("abc", row, strict=True)) for row in ROWS]).json()
    ]

    answer = ask(line, body, kind, accept)

    assert (200, accept) == (answer.status_code, answer.headers["content-type"]), answer.text
    read: dict[str, Callable[[str], list[float]]] = {
        JSON: lambda text: [one["value"] for one in json.loads(text)["predictions"]],
        CSV: lambda text: [float(cell) for [cell] in csv.reader(text.splitlines())],
        LINES: lambda text: [json.loads(one)["value"] for one in text.rstrip().split("\n")],
    }
    assert expected == read[accept](answer.text)


@pytest.mark.parametrize("accept", [CSV, LINES])
def test_batch_transform_gets_a_line_for_each_line(people: TestClient, accept: str) -> None:
    """Whether one line comes or many, with a line's end behind the last or not; also for rows without an answer."""
    rows = [GIVEN, {**GIVEN, "age": RAISES}, {**GIVEN, "city": "Nowhere"}, {**GIVEN, "age": 70}]
    lines = [json.dumps(row) for row in rows]
    cells = [f"{row['body mass (kg)']},{row['age']},{row['city']}" for row in rows]

    for sent, kind in [(lines, LINES), (cells, CSV)]:
        many = ask(people, "\n".join(sent), kind, accept)
        ended = ask(people, "\n".join(sent) + "\n", kind, accept)
        single = [ask(people, one, kind, accept) for one in sent]

        assert [200] * 6 == [one.status_code for one in (many, ended, *single)]
        assert 4 == many.text.count("\n")
        assert many.text == ended.text == "".join(one.text for one in single)


def test_row_without_an_answer_is_told_apart(people: TestClient, line: TestClient) -> None:
    """In csv its cells are empty, so that the columns stay; in JSON Lines it says why."""
    rows = [[60.5, 40, "Bath"], [60.5, RAISES, "Bath"]]

    cells = ask(people, json.dumps(rows), JSON, CSV).text
    objects = [json.loads(one) for one in ask(people, json.dumps(rows), JSON, LINES).text.splitlines()]

    assert "young,0.6\n,\n" == cells
    assert ("young", "model_raised") == (objects[0]["label"], objects[1]["error"]["reason"])


def test_csv_has_a_column_for_each_answer(kinds: TestClient, people: TestClient) -> None:
    """No names, as SageMaker's own containers have it, unless they are asked for; a list's items side by side."""
    body = json.dumps([[3, 0], [-3, 0]])

    bare = ask(kinds, body, JSON, CSV).text
    named = ask(kinds, body, JSON, "text/csv; header=present")
    whole = ask(people, json.dumps([{**GIVEN, "id": "x"}]), JSON, CSV).text

    assert "text/csv" == named.headers["content-type"]
    frame = pd.read_csv(io.StringIO(named.text))  # PandasDeserializer
    assert ["label", "score", "probabilities_0", "probabilities_1", "probabilities_2"] == list(frame.columns)
    assert [2, 0] == frame.label.tolist()
    assert f"label,score,probabilities_0,probabilities_1,probabilities_2\n{bare}" == named.text
    assert (2, 5) == np.genfromtxt(io.StringIO(bare), delimiter=",").shape  # NumpyDeserializer
    assert "young,0.6\n" == whole


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", JSON),
        ("*/*", JSON),
        ("*", JSON),
        ("text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2", JSON),
        ("text/csv, application/json", JSON),
        ("text/*", CSV),
        ("TEXT/CSV", CSV),
        ("text/csv;q=0.9, application/json;q=0.8", CSV),
        ("application/json;q=0, */*", CSV),
        ("application/json;q=0, text/csv;q=0, */*;q=0.1", LINES),
        ("application/json;q=0.1, application/jsonlines", LINES),
        ("application/x-ndjson", "application/x-ndjson"),
        ("text/csv; charset=utf-8", CSV),
        ("text/csv; header=absent, */*;q=0.5", CSV),
        ("text/csv; header=maybe, */*;q=0.5", JSON),
        ("image/png, application/json; indent=2", JSON),
    ],
)
def test_client_gets_what_it_prefers(line: TestClient, accept: str, expected: str) -> None:
    """By quality, then by how specific it is; no preference is JSON."""
    answer = ask(line, json.dumps(ROWS), JSON, accept)

    assert (200, expected) == (answer.status_code, answer.headers["content-type"])


@pytest.mark.parametrize(
    "accept",
    [
        NPY,
        "image/png",
        "application/json;q=0",
        "*/*;q=0",
        "text/csv;q=2",
        "text/csv;q=x",
        "text/csv;header=no",
        ",",
        "text",
    ],
)
def test_answer_that_is_not_written_here_is_406(line: TestClient, accept: str) -> None:
    """The refusal itself is JSON, and lists the formats."""
    answer = ask(line, json.dumps(ROWS), JSON, accept)

    assert (406, JSON) == (answer.status_code, answer.headers["content-type"])
    assert "application/json, text/csv" in answer.json()["message"]


def test_media_types_without_end_are_406(line: TestClient) -> None:
    """They are counted before they are compared."""
    answer = ask(line, json.dumps(ROWS), JSON, ",".join([JSON] * 101))

    assert (406, "accept: expected at most 100 media types") == (answer.status_code, answer.json()["message"])


def test_arrays_of_vectors_are_read_as_csv_is(kinds: TestClient) -> None:
    """Numbers, or texts that stand for them."""
    bodies = [npy([[3, 0], [-3, 0]]), npy([["3", "0"], ["-3.0", "0"]])]
    answers = [ask(kinds, "3,0\n-3,0", CSV), *(ask(kinds, body, NPY) for body in bodies)]

    assert [200] * 3 == [one.status_code for one in answers]
    assert answers[0].json() == answers[1].json() == answers[2].json()


def test_texts_numbers_and_gaps_of_arrays_are_read_as_elsewhere(
    people: TestClient, delay: TestClient, optional: TestClient
) -> None:
    """Texts stand for numbers, as in a csv; NaN and an empty text are missing; a column may be a list of its values."""
    texts = ask(people, npy([["60.5", "40", "Bath"], ["60.5", "70", ""]]), NPY).json()["predictions"]
    lacking = ask(people, npy([["60.5", "", "Bath"]]), NPY).json()["errors"]
    single = ask(delay, npy([1.0, 2.0]), NPY).json()["predictions"]
    column = ask(delay, npy([[1], [2]]), NPY).json()["predictions"]
    gaps = ask(optional, npy([[1, np.nan, 3]]), NPY).json()["predictions"]

    assert ["young", "old"] == [one["label"] for one in texts]
    assert ["age"] == [one["field"] for one in lacking]
    assert pytest.approx([1, 2]) == [one["value"] for one in single]
    assert single == column
    assert [213] == [one["value"] for one in gaps]


F8 = "{'descr': '<f8', 'fortran_order': False, 'shape': (%s), }"


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        (b"", 422, "not an array"),
        (b"\x93NUMPY", 422, "not an array"),
        (b"\x93NUMPY\x04\x00\x10\x00", 422, "version 1.0 to 3.0"),
        (b"PK\x03\x04", 422, "not an array"),
        (b"\x93NUMPY\x01\x00\xff\xff{", 422, "65535 bytes of head"),
        (b"\x93NUMPY\x02\x00\xff\xff\xff\xff{", 422, "4294967295 bytes of head"),
        (npy(ROWS, dtype=object), 422, "objects, which are pickled"),
        (npy(ROWS, dtype=complex), 422, "found <c16"),
        (npy(ROWS, dtype="M8[s]"), 422, "found <M8[s]"),
        (npy([(1, 2)], dtype="i4,i4"), 422, "plain array"),
        (npy(ROWS)[:-1], 422, "expected 48 bytes"),
        (npy(ROWS) + b"\0", 422, "expected 48 bytes"),
        (head(F8 % "2, 3"), 422, "found 0"),
        (head(F8 % ("9" * 500 + ", 3")), 422, "expected 23999"),
        (head(F8 % "0, 100000000"), 413, "max_columns"),
        (head(F8 % "100000000, 0"), 413, "queue_rows"),
        (head(F8 % "-1, 3"), 422, "plain array"),
        (head(F8 % ""), 422, "expected shape"),
        (head(F8 % ","), 422, "expected shape"),
        (head(F8 % "1 2, 3"), 422, "expected shape"),
        (head("{'descr': '<U9999999', 'fortran_order': False, 'shape': (9, 3)}"), 422, "expected 1079999"),
        (head("{'descr': '|S0', 'fortran_order': False, 'shape': (9, 3)}"), 422, "found |S0"),
        (head("{'descr': __import__('os').system('true')}"), 422, "plain array"),
        (head("(" * 900), 422, "plain array"),
        (npy(5.0), 422, "expected shape"),
        (npy([2.0, 3.0, 0.0]), 422, "expected shape (rows, columns), found (3,)"),
        (npy([ROWS]), 422, "expected shape (rows, columns), found (1, 2, 3)"),
        (npy([[1.0, 2.0]]), 422, "rows of 3 values (a, b, c), found 2"),
        (npy(np.zeros((0, 2))), 422, "rows of 3 values (a, b, c), found 2"),
        (npy([["a", "b", "c"]]), 422, "not what line@1 takes"),
        (npy([[b"\xff", b"1", b"1"]]), 422, "UTF-8"),
        (npy(np.zeros((20_001, 3))), 413, "queue_rows"),
        (npy(np.zeros((1, 10_001), bool)), 413, "max_columns"),
    ],
)  # fmt: skip
def test_what_is_no_array_of_rows_is_refused(line: TestClient, body: bytes, status: int, says: str) -> None:
    """Before anything is made of its values: nothing in it is evaluated or unpickled."""
    answer = ask(line, body, NPY)

    assert status == answer.status_code, answer.text
    assert says in answer.json()["message"]


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        ("", 422, "a row in each line, found nothing"),
        ("\n \n", 422, "a row in each line, found nothing"),
        ("[1, 2, 3]\n{", 422, "line 2 is not JSON"),
        ("[1, 2, 3] [1, 2, 3]", 422, "line 1 is not JSON"),
        ("[1, 2, 3],\n[1, 2, 3]", 422, "line 1 is not JSON"),
        ('{"a": 1,\n"b": 2, "c": 3}', 422, "line 1 is not JSON"),
        ("[1, 2]", 422, "line 1: expected 3 values"),
        ("3", 422, "line 1: expected 3 values"),
        ('{"x": 1}', 422, "not what line@1 takes"),
        ("\xff", 422, "line@1"),
        ("[" * 900 + "]" * 900, 422, "nested 900 deep"),
        ("[" * 2_000 + "]" * 2_000, 413, "nested 2000 deep"),
        ("1" * 20_000, 422, "10000 digits"),
        ("[1,2,3]\n" * 20_001, 413, "20001 rows"),
        ("\n" * 20_001, 413, "20001 rows"),
        ("{" + ",".join(f'"{i}":1' for i in range(10_001)) + "}", 413, "max_columns"),
        ("[" + "{}," * 200_000 + "{}]", 413, "objects and lists are too many"),
    ],
)  # fmt: skip
def test_what_is_no_line_of_json_is_refused(line: TestClient, body: str, status: int, says: str) -> None:
    """It names the line; too much is counted before it is parsed."""
    answer = ask(line, body.encode("latin-1"), LINES)

    assert status == answer.status_code, answer.text
    assert says in answer.json()["message"] or "line 1 is not JSON" in answer.json()["message"]


def test_rows_that_do_not_fit_are_numbered_whatever_the_body(people: TestClient) -> None:
    """The request is refused as a whole, and names each."""
    answer = ask(people, json.dumps(GIVEN) + '\n{"age": "x"}', LINES, CSV)

    assert 422 == answer.status_code
    assert {1} == {one["row"] for one in answer.json()["errors"]}


def test_execution_parameters_are_our_own_limits(people_package: Path) -> None:
    """Many lines where a payload of them is not more than a request may have; else one."""
    found = []
    for limits in (
        {"queue_rows": 20_000},
        {"queue_rows": 10_000_000, "queue_bytes": 2**30},
        {"max_body": 1_000},
    ):
        with door(people_package, **limits) as (client, _):
            found.append(client.get("/execution-parameters").json())

    few, many, tiny = found
    assert {"MaxConcurrentTransforms": 16, "BatchStrategy": "SINGLE_RECORD", "MaxPayloadInMB": 6} == few
    assert {"MaxConcurrentTransforms": 2, "BatchStrategy": "MULTI_RECORD", "MaxPayloadInMB": 1} == many
    assert ("SINGLE_RECORD", 1) == (tiny["BatchStrategy"], tiny["MaxPayloadInMB"])
