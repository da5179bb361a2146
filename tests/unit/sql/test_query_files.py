"""Files that a query names: what `stream batch` reads, and as it reads it."""

from __future__ import annotations

import datetime as dt
import gzip
import json
import lzma
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import stream.sql
from stream.codec import Leaf
from stream.errors import QueryError, QueryFailed
from stream.files import OUTPUT_FORMATS, read_rows
from stream.sql import Session
from stream.sql.query_files import kept_texts, prepare_files
from stream.types import array_of, decimal_of, type_of
from tests.unit.sql.height import pack_height


def zstd(content: bytes) -> bytes:
    """Compressed."""
    found: bytes = pa.compress(content, "zstd", asbytes=True)
    return found


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that says whether x is high."""
    return pack_height(tmp_path_factory.mktemp("packages") / "height")


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
    for name, way in (("f.json.xz", "stream batch"), ("f.avro", "stream batch"), ("f.xlsx", "read_excel")):
        (tmp_path / name).write_bytes(b"")
        if name == "f.avro":
            with (tmp_path / name).open("wb") as file:
                kind = OUTPUT_FORMATS["avro"]
                kind.writer(file, pa.schema([]), '{"type": "record", "name": "E", "fields": []}').close()

        with pytest.raises(QueryError) as caught:
            prepare_files(connection, f"SELECT * FROM '{tmp_path}/{name}' f")

        assert name in caught.value.message
        assert way in str(caught.value.hint)


DAMAGED = {
    "short.csv": (b"x,t\n1,a\n2\n3,c\n", r"short\.csv:3: expected 2 cells as in the header, found 1"),
    "long.csv": (b"x,t\n1,a\n2,b,c\n", r"long\.csv:3: expected 2 cells as in the header, found 3"),
    "late.csv": (b"x,t\n" + b"1,a\n" * 30_000 + b"2\n", r"late\.csv:30002: expected 2 cells"),
    "open.csv": (b'x,t\n1,"a\n2,b\n', r"open\.csv:3: is not csv: unexpected end of data"),
    "quote.csv": (b'x,t\n1,"a"b\n2,c\n', r"quote\.csv:2: is not csv"),
    "latin.csv": (b"x,t\n1,caf\xe9\n", r"latin\.csv:2: a cell is not UTF-8"),
    "twice.csv": (b"x,x\n1,2\n", "twice.csv: two columns are called x"),
    "utf16.csv": ("x,t\n1,a\n".encode("utf-16"), "utf16.csv: is UTF-16"),
    "parquet.csv": (b"PAR1...", "parquet.csv: is a parquet file"),
    "none.csv": (b"", "none.csv: is empty"),
    "two.csv": (b"a;b|c\n1;2|3\n", "two.csv:1: its rows may be separated by"),
    "cut.csv.gz": (gzip.compress(b"x,t\n" + b"1,abc\n" * 20_000)[:-30], "cut.csv.gz: can't be read: it is not a whole"),
    "sum.csv.gz": (gzip.compress(b"x,t\n1,a\n")[:-8] + b"12345678", "sum.csv.gz: can't be read: it is not a whole"),
    "cut.csv.zst": (zstd(b"x,t\n" + b"".join(b"%d,%d\n" % (i, i * i) for i in range(90_000)))[:200_000],
                    "it is not a whole zstd"),
    "cut.jsonl.gz": (gzip.compress(b'{"x": 1}\n' * 20_000)[:-30], "cut.jsonl.gz: can't be read: it is not a whole"),
    "cut.jsonl.zst": (zstd(b"".join(b'{"x": %d}\n' % (i * i) for i in range(90_000)))[:200_000],
                      "it is not a whole zstd"),
    "cut.json": (b'[{"x": 1}, {"x": 2},', "cut.json: row 3 is not JSON"),
    "cut2.json": (b'[{"x": 1}, {"x": 2}', r"cut2\.json: expected '\]' after row 2"),
    "cut3.json": (b'[{"x": 1}, {"x": 2', r"cut3\.json: row 2 is not JSON"),
    "shut.json": (b'[{"x": 1}]]', "shut.json"),
    "after.json": (b'[{"x": 1}] {"x": 2}', "after.json"),
    "both.json": (b'[{"x": 1}, 5]', "both.json"),
    "columns.json": (b'{"x": {"0": 1, "1": 2}}', "columns.json: holds a table by columns"),
    "none.jsonl": (b"", "none.jsonl: has no rows"),
    "none.json": (b" [] ", "none.json: has no rows"),
    "cut.jsonl": (b'{"x": 1}\n{"x": 2', "cut.jsonl"),
    "bad.jsonl": (b'{"x": 1}\nnothing\n', "bad.jsonl"),
    "line.jsonl": (b'{"x": 1} {"x": 2}\n', "line.jsonl"),
    "array.jsonl": (b'[{"x": 1}]', "array.jsonl"),
    "large.jsonl": (b'{"x": 1e400}\n', "large.jsonl: column 'x' has a number"),
    "nan.jsonl": (b'{"x": NaN}\n{"x": 0.5}\n', "nan.jsonl: column 'x' has a number"),
    "twice.jsonl": (b'{"x": 1}\n{"x": 1, "x": 2}\n', "twice.jsonl.*line 2.*duplicate key"),
    "twice.json": (b'[{"x": 1}, {"x": 1, "x": 2}]', "twice.json.*record/value 2.*duplicate key"),
    "latin.jsonl": (b'{"x": "caf\xe9"}\n', "latin.jsonl"),
    "cut.parquet": (b"PAR1abc", "cut.parquet"),
    "cut.arrow": (b"ARROW1abc", "cut.arrow"),
}  # fmt: skip


@pytest.mark.parametrize("name", DAMAGED)
def test_damaged_file_is_refused_by_name(tmp_path: Path, package: Path, name: str) -> None:
    """As `stream batch` says it: never other rows than are written there."""
    content, told = DAMAGED[name]
    (tmp_path / name).write_bytes(content)
    session = Session(stream.sql.register(duckdb.connect(), package, listener=lambda _: None))

    with pytest.raises((QueryError, QueryFailed), match=told) as caught:
        asked(session, f"SELECT * FROM '{tmp_path}/{name}' f")

    assert caught.value.hint or isinstance(caught.value, QueryFailed)


def asked(session: Session, query: str) -> list[str]:
    """A query's rows as JSON."""
    return [line for result in session.run(query) for line in session.json_lines(result)]


EIGHT = dt.datetime(2013, 10, 19, 8, tzinfo=dt.UTC)
SOUND = {
    "header.csv": (b"x,t\n", []),
    "semicolon.csv": (b"x;t\n1,5;a\n2,5;b\n", [("1,5", "a"), ("2,5", "b")]),
    "bar.csv": (b"x|t\n1|a\n", [(1, "a")]),
    "tab.tsv": (b"x\tt\n1\ta\n", [(1, "a")]),
    "said.csv": (b"\xef\xbb\xbfsep=;\r\nx;t\r\n1;a\r\n", [(1, "a")]),
    "return.csv": (b"x,t\r1,a\r", [(1, "a")]),
    "blank.csv": (b"x\n1\n\n3\n", [(1,), (3,)]),
    "hash.csv": (b"x,t\n#1,a\n2,b\n", [("#1", "a"), ("2", "b")]),
    "quoted.csv": (b'"x\ny","t"\n"1",""\n"2","a ""b"", c\nd"\n', [(1, None), (2, 'a "b", c\nd')]),
    "inner.csv": (b'x,t\n1,a"b\n', [(1, 'a"b')]),
    "index.csv": (b",t\n0,a\n", [(0, "a")]),
    "hex.csv": (b"x\n0x10\n", [("0x10",)]),
    "padded.csv": (b"x\n007\n", [("007",)]),
    "large.csv": (b"x\n1e400\n", [("1e400",)]),
    "long.csv": (b"x,y\n9007199254740993,9007199254740993\n0.5,1\n",
                 [("9007199254740993", 9007199254740993), ("0.5", 1)]),
    "usa.csv": (b"x\n10/19/2013\n", [("10/19/2013",)]),
    "true.csv": (b"x,t\ntrue,t\nFALSE,f\n", [(True, "t"), (False, "f")]),
    "late.csv": (b"x\n" + b"1\n" * 30_000 + b"NA\n", [(1,)] * 30_000 + [(None,)]),
    "never.csv": (b"x\n" + b"1\n" * 30_000 + b"zz\n", [("1",)] * 30_000 + [("zz",)]),
    "times.csv": (b"a,b,c,d\n2013-10-19,2013-10-19T08:00:00,2013-10-19 10:00+02:00,08:00:00.5\n", [
        (dt.date(2013, 10, 19), EIGHT.replace(tzinfo=None), EIGHT,
         dt.time(8, 0, 0, 500_000))]),
    "nanos.csv": (b"x\n2013-10-19T08:00:00.123456789Z\n", [("2013-10-19T08:00:00.123456789Z",)]),
    "f.csv.xz": (lzma.compress(b"x\n1\n"), [(1,)]),
    "one.json": (b'{"x": 1}', [(1,)]),
    "lines.json": (b'{"x": 1}\n\n{"x": 2}\n', [(1,), (2,)]),
    "mark.jsonl": (b'\xef\xbb\xbf{"x": 1}\n', [(1,)]),
    "list.json": (b' [ {"x": 0.5},\n{"x": null}]\n', [(0.5,), (None,)]),
}  # fmt: skip


@pytest.mark.parametrize("name", SOUND)
def test_file_has_the_rows_that_batch_reads(
    tmp_path: Path, connection: duckdb.DuckDBPyConnection, name: str
) -> None:
    """Nothing is guessed of a cell that could be something else."""
    content, expected = SOUND[name]
    (tmp_path / name).write_bytes(content)
    query = f"SELECT * FROM '{tmp_path}/{name}'"

    found = rows(connection, query)

    assert expected == found
    assert len(list(read_rows(tmp_path / name))) == len(found)
    assert expected == connection.execute(query).fetchall()


def test_csv_is_read_as_often_as_a_query_names_it(
    tmp_path: Path, connection: duckdb.DuckDBPyConnection
) -> None:
    """Joined with itself, in a subquery, and by a view that outlives the statement."""
    (tmp_path / "f.csv").write_text("x,t\n1,a\n2,b\n")
    path = f"'{tmp_path}/f.csv'"

    assert [(2, 2)] == rows(
        connection, f"SELECT count(*), (SELECT max(x) FROM {path}) FROM {path} a JOIN {path} b USING (x)"
    )
    assert [(1,)] == rows(connection, f"SELECT x FROM {path} WHERE t = 'a' LIMIT 1")


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
LEAVES = {name: Leaf(name, kind, True, None, None) for name, kind in KEPT.items()}
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

    prepare_files(connection, query, LEAVES)

    assert TEXTS == connection.execute(query).fetchall()


def test_a_number_of_json_where_a_text_belongs_stays_a_number(
    tmp_path: Path, connection: duckdb.DuckDBPyConnection
) -> None:
    """The model's door says that it is the wrong type."""
    (tmp_path / "f.jsonl").write_text('{"zip": 7}\n')
    query = f"SELECT zip FROM '{tmp_path}/f.jsonl'"

    prepare_files(connection, query, LEAVES)

    assert [(7,)] == connection.execute(query).fetchall()


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ('"a"', "7"),
        ('"a"', "true"),
        ('"7"', '{"a": 1}'),
        ('{"a": 1}', '{"a": 2}'),
        ("[1]", "[2]"),
        ('"a"', '["b"]'),
    ],
)
@pytest.mark.parametrize("name", ["f.jsonl", "f.json"])
def test_values_of_json_of_several_types_where_texts_belong_are_judged_one_by_one(
    tmp_path: Path, connection: duckdb.DuckDBPyConnection, name: str, first: str, second: str
) -> None:
    """DuckDB by itself makes one type of them: texts, among which a number would be a text."""
    lines = [f'{{"zip": {value}}}' for value in (first, second)]
    (tmp_path / name).write_text("\n".join(lines) if name == "f.jsonl" else f"[{','.join(lines)}]")

    found = prepare_files(connection, f"SELECT zip FROM '{tmp_path}/{name}'", LEAVES)

    assert {"zip"} == found.documents


@pytest.mark.parametrize("odd", ['"x"', '"2"', "true", '{"a": 1}', "[2]"])
def test_a_value_of_json_that_is_no_number_is_one_row(tmp_path: Path, package: Path, odd: str) -> None:
    """Its neighbours, in a column that DuckDB has no type for, are numbers all the same."""
    (tmp_path / "f.jsonl").write_text(f'{{"x": 3.5}}\n{{"x": {odd}}}\n{{"x": 1}}\n')
    session = Session(stream.sql.register(duckdb.connect(), package, listener=lambda _: None))

    found = asked(session, f"SELECT predict_label(f) AS label FROM '{tmp_path}/f.jsonl' f")

    assert ["high", None, "low"] == [json.loads(line)["label"] for line in found]


def test_kept_texts_are_those_that_have_no_type_of_their_own() -> None:
    """A list is never taken for something else."""
    others = {"x": type_of("double"), "n": type_of("long"), "l": array_of(type_of("string"))}

    assert KEPT == kept_texts(
        {**LEAVES, **{n: Leaf(n, kind, True, None, None) for n, kind in others.items()}}
    )
