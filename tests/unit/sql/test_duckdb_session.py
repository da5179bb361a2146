"""Statements one after the other, their rows shown or kept, their errors by what is to be done."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest

import stream.sql
from stream.errors import QueryError, QueryFailed
from stream.sql.duckdb_session import Session
from stream.sql.saving import check_target, save
from tests.unit.sql.height import pack_height


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that says whether x is high; it never does for a null."""
    return pack_height(tmp_path_factory.mktemp("packages") / "height")


@pytest.fixture
def session(package: Path) -> Iterator[Session]:
    """On a connection of its own."""
    connection = duckdb.connect()
    yield Session(stream.sql.register(connection, package, listener=lambda _: None))
    connection.close()


def lines(session: Session, script: str) -> list[object]:
    """The rows of every statement of a script."""
    return [json.loads(line) for result in session.run(script) for line in session.json_lines(result)]


def test_statements_run_in_order(session: Session) -> None:
    """Statements without rows return nothing; a comment at the end does not disturb DuckDB."""
    script = "CREATE TABLE t AS SELECT 3.0 AS x; INSERT INTO t VALUES (0); FROM t;"
    script += "SELECT predict_label(t) AS l FROM t -- end"

    assert [{"x": "3.0"}, {"x": "0.0"}, {"l": "high"}, {"l": "low"}] == lines(session, script)


def test_a_cell_that_duckdb_takes_for_a_text_is_one_row(session: Session, tmp_path: Path) -> None:
    """It makes its whole column one of texts; the model reads each cell as `stream batch` does, in this query only."""
    (tmp_path / "f.csv").write_text("x\n+5\nhigh\n1e400\n 0\nNA\n")
    query = f"SELECT predict_label(f) AS l, predict_error(f).reason AS e FROM '{tmp_path}/f.csv' f"
    rows = [
        ("high", None),
        (None, "wrong_type"),
        (None, "value_out_of_range"),
        ("low", None),
        (None, "wrong_type"),
    ]

    assert [{"l": label, "e": reason} for label, reason in rows] == lines(session, query)
    texts = "SELECT predict_error(f).reason AS e FROM (SELECT '5' AS x) f"
    assert [{"e": "wrong_type"}] == lines(session, texts)


def test_two_columns_of_one_name_are_both_there(session: Session) -> None:
    """JSON can't hold a name twice: the second has a number."""
    assert [{"a": 1, "a_1": 2}] == lines(session, "SELECT 1 AS a, 2 AS a")


def test_table_shows_rows_and_counts_those_left_out(session: Session) -> None:
    """As DuckDB shows them."""
    [result] = session.run("SELECT i FROM range(100) t(i)")

    text = session.show(result, 4, 80)

    assert "100 rows" in text
    assert " 98 " in text
    assert " 50 " not in text


@pytest.mark.parametrize(
    ("script", "error", "text"),
    [
        ("SELEC 1", QueryError, "syntax error"),
        ("SELECT predict(g) FROM (SELECT 1 AS x) f", QueryError, '"g" not found'),
        ("SELECT predict(f) FROM 'nothing.parquet' f", QueryError, "No files found"),
        ("SELECT predict(f) FROM (SELECT 1 AS y) f", QueryError, "predict.f.: the rows lack 'x'"),
        ("SELECT predict(1)", QueryError, "expected a row"),
        ("SELECT x::INT FROM (VALUES ('a')) f(x)", QueryFailed, "Could not convert"),
        ("ATTACH 'no/such/folder/x.duckdb' AS y", QueryFailed, "no/such/folder"),
    ],
)
def test_error_says_whose_it_is(session: Session, script: str, error: type[Exception], text: str) -> None:
    """A query that can't be used is refused; one that can, and ends early, has failed."""
    with pytest.raises(error, match=text):
        lines(session, script)

    assert [{"a": 1}] == lines(session, "SELECT 1 AS a")


def test_constant_row_is_counted_once(session: Session) -> None:
    """DuckDB asks about constants while it plans the query, too."""
    [row] = lines(session, "SELECT predict({'x': NULL}) AS p, predict_error({'x': 'a'}).reason AS r")

    assert {"p": None, "r": "wrong_type"} == row
    assert 2 == session.registered.tally.failed


@pytest.mark.parametrize("kind", [".parquet", ".csv", ".json", ".duckdb"])
def test_rows_are_kept(session: Session, tmp_path: Path, kind: str) -> None:
    """In each kind of file; what was there before is replaced, and nothing else is left."""
    path = tmp_path / f"it's out{kind}"
    for count in (5, 3):
        [result] = session.run(f"SELECT i, predict_label({{'x': i}}) AS l FROM range({count}) t(i);")
        assert count == save(session, result, path, "p")

    with duckdb.connect(str(path) if kind == ".duckdb" else ":memory:") as other:
        source = "p" if kind == ".duckdb" else "'" + str(path).replace("'", "''") + "'"
        assert [(0, "low"), (1, "low"), (2, "high")] == other.sql(f"FROM {source}").fetchall()
    assert [path] == list(tmp_path.iterdir())


SPELLED = {
    "TIME '08:00:00.5'": "08:00:00.500000",
    "TIME_NS '08:00:00.5'": "08:00:00.500000000",
    "TIME_NS '08:00:00'": "08:00:00.000000000",
    "TIMESTAMP_S '2013-10-19 08:00:00'": "2013-10-19T08:00:00",
    "TIMESTAMP_MS '2013-10-19 08:00:00'": "2013-10-19T08:00:00.000",
    "TIMESTAMP '2013-10-19 08:00:00'": "2013-10-19T08:00:00.000000",
    "TIMESTAMP_NS '2013-10-19 08:00:00.000000001'": "2013-10-19T08:00:00.000000001",
    "TIMESTAMPTZ '2013-10-19 10:00:00+02'": "2013-10-19T08:00:00.000000Z",
    "TIMESTAMPTZ_NS '2013-10-19 08:00:00.000000001+00'": "2013-10-19T08:00:00.000000001Z",
    "TIMESTAMP '20000-01-01 00:00:00'": 568971820800000000,
    "DATE '2024-02-29'": "2024-02-29",
    "DATE '20000-01-01'": 6585322,
    "DATE '-0044-03-15'": -735525,
    "'infinity'::DATE": None,
    "1.50::DECIMAL(9, 2)": "1.50",
    "(-0.05)::DECIMAL(38, 20)": "-0.05000000000000000000",
    "'\\x00ab\\xFF'::BLOB": "\x00abÿ",
    "'nan'::DOUBLE": None,
    "'-inf'::FLOAT": None,
    "0.5::FLOAT": 0.5,
    "9223372036854775807": 9223372036854775807,
    "18446744073709551615::UBIGINT": 18446744073709551615,
    "true": True,
    "UUID '12345678-1234-5678-1234-567812345678'": "12345678-1234-5678-1234-567812345678",
    "'red'::ENUM('red')": "red",
    "'é\"'": 'é"',
    "NULL::TIMESTAMP": None,
}  # fmt: skip
"""A value, and its JSON."""

NESTED: dict[str, Callable[[object], object]] = {
    "{}": lambda value: value,
    "[{}, NULL]": lambda value: [value, None],
    "array_value({}, {})": lambda value: [value, value],
    "{{'a b': {}}}": lambda value: {"a b": value},
    "MAP {{'k': {}}}": lambda value: {"k": value},
    "[{{'l': [{}]}}]": lambda value: [{"l": [value]}],
    "union_value(u := {})": lambda value: {"u": value},
}  # fmt: skip


@pytest.mark.parametrize("shape", NESTED)
def test_values_are_spelled_as_by_every_door(session: Session, tmp_path: Path, shape: str) -> None:
    """In JSON lines, in a JSON file and in a csv, within whatever they are nested in."""
    columns = ", ".join(f'{shape.format(value, value)} AS "c{i}"' for i, value in enumerate(SPELLED))
    expected = {f"c{i}": NESTED[shape](told) for i, told in enumerate(SPELLED.values())}

    assert [expected] == lines(session, f"SELECT {columns}")
    for name in ("out.json", "out.csv"):
        [result] = session.run(f"SELECT {columns}")
        save(session, result, tmp_path / name, "p")
    assert expected == json.loads((tmp_path / "out.json").read_text())
    (row,) = csv.DictReader((tmp_path / "out.csv").read_text().splitlines())
    for column, told in expected.items():
        nested = isinstance(told, list | dict)
        if nested:
            assert told == json.loads(row[column]), column
        elif not isinstance(told, float | bool) and told is not None:
            assert str(told) == row[column], column


def test_keys_of_a_map_are_spelled_too(session: Session) -> None:
    """As the values."""
    [row] = lines(session, "SELECT MAP {TIMESTAMP '2013-10-19 08:00:00': 1.5} AS m")  # fmt: skip

    assert {"m": {"2013-10-19T08:00:00.000000": "1.5"}} == row


def test_a_csv_has_numbers_that_json_has_not(session: Session, tmp_path: Path) -> None:
    """NaN and infinity, as in the csv of `stream batch`."""
    [result] = session.run(
        "SELECT 'nan'::DOUBLE AS a, '-inf'::FLOAT AS b, NULL::STRUCT(x INT) AS c, 1.50 AS d"
    )

    save(session, result, tmp_path / "out.csv", "p")

    assert "a,b,c,d\nnan,-inf,,1.50\n" == (tmp_path / "out.csv").read_text()


def test_json_lines_have_no_nan(session: Session) -> None:
    """NaN and infinity are null, as by every door."""
    assert [{"a": None, "b": [None, 0.5]}] == lines(
        session, "SELECT 'nan'::DOUBLE AS a, ['-inf'::FLOAT, 0.5] AS b"
    )


@pytest.mark.parametrize("kind", [".parquet", ".duckdb"])
def test_query_that_fails_leaves_what_was_there(session: Session, tmp_path: Path, kind: str) -> None:
    """No half file, no half table."""
    path = tmp_path / f"out{kind}"
    [result] = session.run("SELECT 7 AS a")
    save(session, result, path, "p")
    [result] = session.run("SELECT (CASE WHEN i = 9000 THEN 'x' ELSE '1' END)::INT FROM range(10000) t(i)")

    with pytest.raises(QueryFailed):
        save(session, result, path, "p")

    with duckdb.connect(str(path) if kind == ".duckdb" else ":memory:") as other:
        assert [(7,)] == other.sql("FROM p" if kind == ".duckdb" else f"FROM '{path}'").fetchall()
    assert [path] == list(tmp_path.iterdir())


def test_target_that_can_t_be_is_refused_before_the_query_runs(tmp_path: Path) -> None:
    """An ending that nobody knows, a folder that is not there."""
    with pytest.raises(QueryError, match=r"expected a file called \.parquet"):
        check_target(tmp_path / "out.xlsx")
    with pytest.raises(QueryError, match="there is no folder"):
        check_target(tmp_path / "no" / "out.csv")
