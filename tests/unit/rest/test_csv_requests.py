"""A csv with a header, without one, and one of which nobody can tell."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.unit.rest.models import fields_of


def post(client: TestClient, body: str, options: str = "") -> Any:
    """What SageMaker's clients send: `text/csv` and no more."""
    return client.post("/invocations", content=body, headers={"content-type": f"text/csv{options}"})


def answers(client: TestClient, body: str, options: str = "") -> list[Any]:
    """Value or label of each row."""
    answer = post(client, body, options)
    assert 200 == answer.status_code, answer.text
    return [one.get("value", one.get("label")) for one in answer.json()["predictions"]]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("1,2,3\n", [17]),
        ("1,2,3\n4,5,6\n-7,0.5,1e1\n", [17, 56, -59]),
        ("1,2,3\r\n\n4,5,6\r\n", [17, 56]),
        ("\n\n1,2,3", [17]),
        ("\ufeff1,2,3\n", [17]),
        ('"1","2","3"\n', [17]),
        (" 1, 2, 3\n", [17]),
        ("1,,3\n", [213]),
        ("NA,nan,3\n", [1203]),
        (",,\n", [1300]),
        ("1,1,1\n", [13]),
        ("0,1,2\n", [4]),
        ("1,2,3,x\n", [17]),
    ],
)
def test_csv_without_a_header_is_read_by_position(
    optional: TestClient, body: str, expected: list[float]
) -> None:
    """No row is lost, and none is scored from defaults."""
    assert expected == answers(optional, body)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("a,b,c\n1,2,3\n", [17]),
        ("c,a,b\r\n3,1,2\r\n", [17]),
        ('\ufeff"a","b","c"\n1,2,3', [17]),
        ("a,b,stranger\n1,2,x\n", [114]),
        (",a,b,c\n0,1,2,3\n", [17]),
        ("c\n3\n", [1203]),
        ("a,b,c\n", []),
        ("id,a,b,c\nx,1,2,3\n", [17]),
    ],
)
def test_line_that_names_a_field_is_a_header(optional: TestClient, body: str, expected: list[float]) -> None:
    """In any order, with columns of nobody's."""
    assert expected == answers(optional, body)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("x,y,z\n1,2,3\n", "csv line 1 (x, y, z) is neither a header"),
        ("A,B,C\n1,2,3\n", "neither a header"),
        ("x,y\n1,2\n", "neither a header"),
        ("1,2\n3,4\n", "nor a row of 3 cells (a, b, c)"),
        ("1,2,3,4,5\n", "nor a row"),
        ("id\nx\n", "neither a header"),
        ("a;b;c\n1;2;3\n", "separated by semicolons"),
        ("1;2;3\n", "separated by semicolons"),
        ("1,5;2,5;3,5\n", "separated by semicolons"),
        ("1\t2\t3\n", "separated by tabs"),
        ("a|b\n1|2\n", "separated by bars"),
        ("sep=;\na;b;c\n1;2;3\n", "separated by semicolons"),
        ("", "found nothing"),
        ("\n\r\n", "found nothing"),
        ("1,2,3\n4,5\n", "csv line 2: expected 3 cells (a, b, c), found 2"),
        ("1,2,3\n1,2,3,x\n", "csv line 2: expected 3 cells"),
        ("0,1,2\n1,2,3\n", "may be a header or a row: say `text/csv; header=present`"),
        ("2,0,1\n1,2,3\n", "may be a header or a row"),
    ],
)
def test_csv_that_is_neither_is_refused(optional: TestClient, body: str, says: str) -> None:
    """Never an answer from nothing."""
    answer = post(optional, body)

    assert 422 == answer.status_code, answer.text
    assert says in answer.json()["message"]


@pytest.mark.parametrize(
    ("options", "body", "expected"),
    [
        ("; header=present", "0,1,2\n1,2,3\n", [17]),
        ("; header=present", "2,1,0\n3,2,1\n", [17]),
        ("; header=absent", "0,1,2\n1,2,3\n", [4, 17]),
        (";charset=utf-8;header=absent", "1,2,3\n", [17]),
        ("; label_size=0", "1,2,3\n", [17]),
        ("; charset=US-ASCII", "1,2,3\n", [17]),
    ],
)
def test_content_type_says_whether_there_is_a_header(
    optional: TestClient, options: str, body: str, expected: list[float]
) -> None:
    """pandas' labels of columns without names are positions."""
    assert expected == answers(optional, body, options)


@pytest.mark.parametrize(
    "options", ["; header=maybe", "; delimiter=;", "; charset=latin-1", "; charset=utf-16", "; label_size=1"]
)
def test_content_type_that_is_not_understood_is_refused(optional: TestClient, options: str) -> None:
    """It would change what the body means."""
    assert 415 == post(optional, "1,2,3\n", options).status_code


def test_header_that_is_said_to_be_there_must_name_a_field(optional: TestClient) -> None:
    """The rows would be scored from defaults."""
    assert "names no field" in post(optional, "x,y,z\n1,2,3\n", "; header=present").json()["message"]
    assert "semicolons" in post(optional, "a;b\n1;2\n", "; header=present").json()["message"]


def test_first_row_with_a_wrong_cell_is_a_row(people: TestClient) -> None:
    """Every wrong cell is named, of the other rows too."""
    answer = post(people, "60.5,forty,Bath\n60.5,40,Bath\nheavy,40,Bath\n")

    assert 422 == answer.status_code
    assert {(0, "age"), (2, "body mass (kg)")} == fields_of(answer.json())


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("red,round\n", [0]),
        ("red,round\ngreen,flat\n", [0, 1]),
        ("color,shape\nred,round\n", [0]),
        ("shape,x,color\nflat,1,blue\n", [1]),
        ("color,color\nred,round\n", [1, 0]),
    ],
)
def test_model_of_texts_reads_both(texts: TestClient, body: str, expected: list[int]) -> None:
    """A header names every field, once."""
    assert expected == answers(texts, body)


@pytest.mark.parametrize("body", ["Color,SHAPE\nred,round\n", "color,x\nred,round\n", "red,shape\n"])
def test_line_that_may_be_either_is_refused(texts: TestClient, body: str) -> None:
    """Every text may be a color; the content type decides."""
    assert "may be a header or a row" in post(texts, body).json()["message"]
    assert body.count("\n") == len(answers(texts, body, "; header=absent"))


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("3\n", [3]),
        ("0\n1\n", [0, 1]),
        ("dep delay\n2\n", [2]),
        ("dep_delay\n2\n", [2]),
        ("1\n\n2\n", [1, 2]),
    ],
)
def test_model_of_one_column_reads_both(delay: TestClient, body: str, expected: list[float]) -> None:
    """A number is a row, also 0, by which pandas calls a column without a name."""
    assert pytest.approx(expected) == answers(delay, body)


def test_model_of_one_column_refuses_another_name(delay: TestClient) -> None:
    """And says what separates the cells."""
    assert "neither a header" in post(delay, "Delay\n2\n").json()["message"]
    assert "semicolons" in post(delay, "1;2\n").json()["message"]


@pytest.mark.parametrize("body", ["3,0\n-3,0\n", '"[3, 0]"\n"[-3, 0]"\n', 'x\n"[3, 0]"\n"[-3, 0]"\n'])
def test_cells_of_a_vector_are_its_items_or_a_list(kinds: TestClient, body: str) -> None:
    """Both as the array, and as the field's cell in a csv with a header."""
    assert [2, 0] == answers(kinds, body)


def test_cell_of_a_vector_that_is_not_a_number_is_named(kinds: TestClient) -> None:
    """Under its place in the field."""
    answer = post(kinds, "3,0\n3,x\n")

    assert 422 == answer.status_code
    assert {(1, "x[1]")} == fields_of(answer.json())
