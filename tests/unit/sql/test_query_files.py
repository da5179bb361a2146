"""Files that a query names: what `stream batch` reads, and as it reads it."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stream.errors import QueryError
from stream.files import OUTPUT_FORMATS
from stream.sql.query_files import kept_texts, prepare_files
from stream.types import array_of, decimal_of, type_of

FRAME = pd.DataFrame({"x": [1.5, 2.5, None], "t": ["a", "NA", "b"]})


@pytest.fixture
def connection() -> duckdb.DuckDBPyConnection:
    """In memory."""
    return duckdb.connect()


def rows(connection: duckdb.DuckDBPyConnection, query: str) -> list[tuple[object, ...]]:
    """What a query answers."""
    prepare_files(connection, query)
    return connection.execute(query).fetchall()


@pytest.mark.parametrize("name", ["f.arrow", "f.feather", "stream.arrow", "it's.feather"])
def test_arrow_files_are_tables(tmp_path: Path, connection: duckdb.DuckDBPyConnection, name: str) -> None:
    """Files and streams."""
    table = pa.Table.from_pandas(FRAME)
    with (pa.ipc.new_stream if name.startswith("s") else pa.ipc.new_file)(
        tmp_path / name, table.schema
    ) as file:
        file.write_table(table)
    path = str(tmp_path / name).replace("'", "''")

    assert [(3, 4.0)] == rows(connection, f"SELECT count(*), sum(x) FROM '{path}' f")
    assert [(9,)] == rows(connection, f"SELECT count(*) FROM '{path}' a, '{path}' b")


def test_missing_numbers_of_a_csv_are_nulls_and_texts_stay(
    tmp_path: Path, connection: duckdb.DuckDBPyConnection
) -> None:
    """A column of numbers with `NA` is one of numbers; `NA` among texts is a text, and an empty cell is null."""
    (tmp_path / "f.csv").write_text("x;n;d;t;e\n1.5;NA;2013-10-19;NA;a\n<NA>;3;nan;b;\n-nan;4;N/A;c;c\n")

    found = rows(connection, f"SELECT x, n, d::VARCHAR, t, e FROM '{tmp_path}/f.csv'")

    assert [
        (1.5, None, "2013-10-19", "NA", "a"),
        (None, 3, None, "b", None),
        (None, 4, None, "c", "c"),
    ] == found
    (tmp_path / "f.csv").write_text("x\n7\n")
    assert [(7,)] == rows(connection, f"FROM '{tmp_path}/f.csv'")


def test_file_that_duckdb_does_not_read_is_refused_with_the_way(
    tmp_path: Path, connection: duckdb.DuckDBPyConnection
) -> None:
    """DuckDB's own answer asks for an extension from the network."""
    for name, way in (("f.csv.xz", "stream batch"), ("f.avro", "stream batch"), ("f.xlsx", "read_excel")):
        (tmp_path / name).write_bytes(b"")
        if name == "f.avro":
            with (tmp_path / name).open("wb") as file:
                kind = OUTPUT_FORMATS["avro"]
                kind.writer(file, pa.schema([]), '{"type": "record", "name": "E", "fields": []}').close()

        with pytest.raises(QueryError) as caught:
            prepare_files(connection, f"SELECT * FROM '{tmp_path}/{name}' f")

        assert name in caught.value.message
        assert way in str(caught.value.hint)


def test_two_columns_of_one_name_are_refused(tmp_path: Path, connection: duckdb.DuckDBPyConnection) -> None:
    """DuckDB would take the first."""
    table = pa.table([pa.array([1]), pa.array([2])], names=["x", "x"])
    pq.write_table(table, tmp_path / "f.parquet")

    with pytest.raises(QueryError, match=r"f\.parquet: two columns are called x"):
        prepare_files(connection, f"SELECT x FROM '{tmp_path}/f.parquet'")


def test_what_is_not_a_file_is_left_to_duckdb(tmp_path: Path, connection: duckdb.DuckDBPyConnection) -> None:
    """Tables, globs, literals, and files that are not there."""
    for query in (
        "SELECT 1, 'a.xlsx'",
        "FROM 'gone.arrow'",
        f"FROM '{tmp_path}/*.parquet'",
        'SELECT * FROM "t"',
    ):
        prepare_files(connection, query)

    assert [] == connection.execute("SHOW TABLES").fetchall()


KEPT = {
    "zip": type_of("string"),
    "price": decimal_of(24, 4),
    "at": type_of("long", "timestamp-nanos"),
    "day": type_of("string"),
}
TEXTS = [
    ("00501", "12345678901234567890.1234", "2013-10-19T08:00:00.123456789Z", "2024-01-01"),
    ("7", None, None, "2024-01-02"),
]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("f.csv", "zip,price,at,day\n00501,12345678901234567890.1234,2013-10-19T08:00:00.123456789Z,2024-01-01\n"
                  "7,NA,NA,2024-01-02\n"),
        ("g.csv", "zip;price;at;day\n00501;12345678901234567890.1234;2013-10-19T08:00:00.123456789Z;2024-01-01\n"
                  "7;;;2024-01-02\n"),
        ("f.jsonl", '{"zip": "00501", "price": "12345678901234567890.1234", "at": "2013-10-19T08:00:00.123456789Z", '
                    '"day": "2024-01-01"}\n{"zip": "7", "price": null, "at": null, "day": "2024-01-02"}\n'),
        ("f.json", '[{"zip": "00501", "price": "12345678901234567890.1234", "at": "2013-10-19T08:00:00.123456789Z", '
                   '"day": "2024-01-01"}, {"zip": "7", "price": null, "at": null, "day": "2024-01-02"}]'),
    ],
)  # fmt: skip
def test_texts_and_decimals_of_the_model_stay_what_is_written(
    tmp_path: Path, connection: duckdb.DuckDBPyConnection, name: str, content: str
) -> None:
    """DuckDB takes them for numbers and dates by their look: a digit would be lost."""
    (tmp_path / name).write_text(content)
    query = f"SELECT * FROM '{tmp_path}/{name}'"

    prepare_files(connection, query, KEPT)

    assert TEXTS == connection.execute(query).fetchall()


def test_a_number_of_json_where_a_text_belongs_stays_a_number(
    tmp_path: Path, connection: duckdb.DuckDBPyConnection
) -> None:
    """The model's door says that it is the wrong type."""
    (tmp_path / "f.jsonl").write_text('{"zip": 7}\n')
    query = f"SELECT zip FROM '{tmp_path}/f.jsonl'"

    prepare_files(connection, query, KEPT)

    assert [(7,)] == connection.execute(query).fetchall()


def test_kept_texts_are_those_that_have_no_type_of_their_own() -> None:
    """A list is never taken for something else."""
    types = {**KEPT, "x": type_of("double"), "n": type_of("long"), "l": array_of(type_of("string"))}

    assert KEPT == kept_texts(types)
