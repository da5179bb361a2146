"""What JSON leaves open, decided once for every endpoint that takes it."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

DOORS = {
    "/predict": "%s",
    "/invocations": '{"dataframe_records": [%s]}',
    "/bigquery": '{"userDefinedContext": {"on_error": "fail"}, "calls": [[%s]]}',
}
"""By endpoint, a request of one row."""

TENSORS = (
    '{"inputs": [{"name": "age", "shape": [1], "datatype": "INT64", "data": [40]},'
    ' {"name": "body mass (kg)", "shape": [1], "datatype": "FP64", "data": [%s]}]}'
)

PATHS = {**dict.fromkeys(DOORS), "/v2/models/people/infer": None}


def ask(client: TestClient, path: str, mass: str) -> tuple[int, str]:
    """The status and the answer to a row with such a text as its number."""
    body = (
        TENSORS % mass if path.startswith("/v2") else DOORS[path] % f'{{"age": 40, "body mass (kg)": {mass}}}'
    )
    answer = client.post(path, content=body.encode(), headers={"content-type": "application/json"})
    return answer.status_code, answer.text


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("number", ["1e400", "-1E400", "1" * 400, "1" * 400 + ".5", f"1e{'9' * 30}"])
def test_number_beyond_float64_is_refused(people: TestClient, path: str, number: str) -> None:
    """Never infinity in silence; its field is named."""
    status, text = ask(people, path, number)

    assert 422 == status
    assert "body mass (kg)" in text
    assert ("data: expected FP64" if path.startswith("/v2") else "out of range") in text


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("number", ["1e-400", "-0", "-0.0", "0e999", "1.0000000000000000000001"])
def test_number_that_is_rounded_is_a_number(people: TestClient, path: str, number: str) -> None:
    """As everywhere: to the nearest that float64 has."""
    assert 200 == ask(people, path, number)[0]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("mass", ['1, "x": {"a": 1, "a": 2}', '1, "body mass (kg)": 2', '1, "age": 40'])
def test_key_that_comes_twice_is_refused(people: TestClient, path: str, mass: str) -> None:
    """Also where nobody needs it: a body is read as a whole."""
    tensors = f'{{"inputs": [{{"name": "age", "data": [{mass.partition(",")[0]}], "name": "age"}}]}}'
    body = tensors if path.startswith("/v2") else DOORS[path] % f'{{"age": 40, "body mass (kg)": {mass}}}'

    answer = people.post(path, content=body, headers={"content-type": "application/json"})

    assert 422 == answer.status_code
    assert "an object has the key '" in answer.text
    assert "' twice" in answer.text


@pytest.mark.parametrize("path", PATHS)
def test_utf8_is_read_with_a_byte_order_mark_and_no_other_encoding_is(people: TestClient, path: str) -> None:
    """RFC 8259: a mark may be ignored, and all else is UTF-8."""
    body = TENSORS % "1" if path.startswith("/v2") else DOORS[path] % '{"age": 40, "body mass (kg)": 1}'
    headers = {"content-type": "application/json"}

    marked = people.post(path, content=body.encode("utf-8-sig"), headers=headers)
    others = [
        people.post(path, content=body.encode(other), headers=headers)
        for other in ("utf-16", "utf-16-le", "utf-16-be", "utf-32")
    ]

    assert 200 == marked.status_code
    assert [422] * 4 == [answer.status_code for answer in others]
    assert all("the body is not JSON" in answer.text for answer in others)
