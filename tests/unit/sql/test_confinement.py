"""Somebody else's query: it reads the data files that it names, and reaches nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import stream.sql
from stream.errors import QueryError, QueryFailed, StreamError
from stream.sql import Session, save, written_files
from tests.unit.sql.height import pack_height

SECRET = "the-secret"
Ask = Callable[..., list[object]]


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that says whether x is high."""
    return pack_height(tmp_path_factory.mktemp("packages") / "height")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder: data files, and secrets of several kinds."""
    monkeypatch.chdir(tmp_path)
    rows = pa.table({"x": [1.0, 3.0]})
    (tmp_path / "d").mkdir()
    for name in ("f.parquet", "d/a.parquet", "d/b.parquet", "it's.parquet"):
        pq.write_table(rows, tmp_path / name)
    (tmp_path / "f.csv").write_text("x\n1\n3\n")
    (tmp_path / "f.jsonl").write_text('{"x": 1}\n')
    secret = pa.table({"key": [SECRET]})
    pq.write_table(secret, tmp_path / "other.parquet")
    for name in ("secret.csv", "secret.txt", "key"):
        (tmp_path / name).write_text(f"key\n{SECRET}\n")
    with duckdb.connect(str(tmp_path / "secret.duckdb")) as other:
        other.execute(f"CREATE TABLE s AS SELECT '{SECRET}' AS key")
    monkeypatch.setenv("SECRET_KEY", SECRET)
    return tmp_path


@pytest.fixture
def ask(package: Path) -> Iterator[Ask]:
    """Runs a script in a confined session; the rows of all its statements."""
    connections = []

    def ask(script: str, confined: tuple[Path, ...] | None = ()) -> list[object]:
        registered = stream.sql.open_connection(package, listener=lambda _: None)
        connections.append(registered.connection)
        session = Session(registered, confined)
        return [json.loads(line) for result in session.run(script) for line in session.json_lines(result)]

    yield ask
    for connection in connections:
        connection.close()


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("SELECT predict_label(f) AS l FROM 'f.parquet' f", [{"l": "low"}, {"l": "high"}]),
        ("-- it's a comment\nSELECT count(*) AS n FROM 'f.parquet' /* don't */", [{"n": 2}]),
        ("SELECT count(*) AS n FROM './d/*.parquet'", [{"n": 4}]),
        ("SELECT count(*) AS n FROM 'd/**/*.parquet'", [{"n": 4}]),
        ("SELECT count(*) AS n FROM read_parquet(['d/a.parquet', 'f.parquet'])", [{"n": 4}]),
        ("SELECT x FROM read_csv('f.csv', nullstr = 'NA') WHERE x > 1", [{"x": 3}]),
        ('SELECT count(*) AS n FROM "f.csv" a, \'f.jsonl\' b', [{"n": 2}]),
        ("SELECT count(*) AS n FROM 'it''s.parquet'", [{"n": 2}]),
        ("SELECT count(*) AS n FROM read_parquet($$f.parquet$$)", [{"n": 2}]),
        ("CREATE TABLE t AS FROM 'f.parquet'; UPDATE t SET x = 5; SELECT max(x) AS n FROM t", [{"n": 5.0}]),
        ("CREATE MACRO twice(a) AS a * 2; SET VARIABLE v = 2; SELECT twice(getvariable('v')) AS n", [{"n": 4}]),
        ("SET threads = 2; SET TimeZone = 'UTC'; SELECT 1 AS n", [{"n": 1}]),
        ("PIVOT (SELECT 1 AS a, 'b' AS c) ON c USING sum(a)", [{"b": 1}]),
        ("SUMMARIZE SELECT 1 AS n", None),
        ("EXPLAIN SELECT 'COPY' AS n FROM 'f.parquet'", None),
        ("WITH a AS (SELECT 1 AS copy, 2 AS load, 'COPY' AS query) SELECT (copy), (load), query FROM a",
         [{"copy": 1, "load": 2, "query": "COPY"}]),
    ],
)  # fmt: skip
def test_query_reads_the_data_files_that_it_names(
    folder: Path, ask: Ask, script: str, expected: list[object] | None
) -> None:
    """By name, by a glob, within the functions that read such files; and works on tables in memory."""
    found = ask(script)

    assert expected is None or expected == found


ATTACKS = [
    "FROM read_text('key')", "FROM read_blob('secret.txt')", "FROM read_csv('key')", "FROM read_csv('secret.txt')",
    "FROM read_text('/etc/passwd')", "FROM glob('*')", "FROM glob('/etc/*')", "FROM sniff_csv('key')",
    "FROM read_parquet('oth' || 'er.parquet')", "FROM query('FROM ' || chr(39) || 'other' || '.parquet' || chr(39))",
    "FROM query_table('other' || '.parquet')", "FROM parquet_metadata('other' || '.parquet')",
    "SET VARIABLE v = 'other' || '.parquet'; FROM read_parquet(getvariable('v'))",
    "CREATE MACRO m(p) AS TABLE FROM read_parquet(p || '.parquet'); FROM m('other')",
    "SELECT getenv('SECRET_KEY')", "FROM rows", "FROM secret", "FROM registered", "FROM os.environ",
    "ATTACH 'secret.duckdb' AS s; FROM s.s", "ATTACH 'new.duckdb' AS n", "USE secret",
    "COPY (SELECT 7 AS x) TO 'f.parquet'", "COPY (SELECT 7 AS x) TO 'f.parquet' (USE_TMP_FILE false)",
    "COPY (SELECT 7 AS x) TO 'new.csv'",
    "COPY (PIVOT (SELECT 1 AS a, 'b' AS c) ON c) TO 'f.parquet' (USE_TMP_FILE false)",
    "EXPLAIN ANALYZE COPY (SELECT 7 AS x) TO 'f.parquet' (USE_TMP_FILE false)",
    "EXPLAIN (ANALYZE, FORMAT json) /* */ COPY (SELECT 7 AS x) TO 'f.parquet' (USE_TMP_FILE false)",
    "PREPARE p AS COPY (SELECT 7 AS x) TO 'f.parquet' (USE_TMP_FILE false); EXECUTE p",
    "SELECT 1; COPY (SELECT 7 AS x) TO 'f.parquet' (USE_TMP_FILE false)",
    "EXPORT DATABASE 'new'", "IMPORT DATABASE 'new'", "INSTALL httpfs", "LOAD httpfs", "LOAD 'f.parquet'",
    "FORCE INSTALL spatial FROM community", "UPDATE EXTENSIONS", "CREATE PERSISTENT SECRET s (TYPE s3)",
    "FROM 'https://example.com/f.csv'", "FROM 's3://bucket/f.parquet'", "FROM read_parquet('http://127.0.0.1:9/f.parquet')",
    "SET enable_external_access = true", "RESET enable_external_access", "SET allowed_paths = ['key']",
    "SET allowed_directories = ['/']", "SET lock_configuration = false", "RESET lock_configuration",
    "PRAGMA enable_external_access = true", "SET python_enable_replacements = true",
    "SET GLOBAL allow_unsigned_extensions = true",
    "SET temp_directory = '/'", "SET secret_directory = '.'", "PRAGMA profiling_output = 'new'",
    "CALL enable_logging('QueryLog', storage = 'file', storage_config = {'path': 'new'})", "SET log_query_path = 'new'",
    "PRAGMA database_size; ATTACH ':memory:' AS m", "FROM arrow_scan(1, 2, 3)", "FROM read_csv('/dev/stdin')",
    "WITH a AS (COPY (SELECT 7 AS x) TO 'new.csv') FROM a",
    "WITH a(n) AS NOT MATERIALIZED ( /* /* */ ' */ COPY (SELECT 7 AS x) TO 'f.csv' (USE_TMP_FILE false)) FROM a --'",
    "CREATE TABLE t AS WITH a AS (COPY (SELECT 7 AS x) TO 'new.csv') FROM a",
    "EXPLAIN ANALYZE WITH a AS (COPY (SELECT 7 AS x) TO 'new.csv') FROM a",
    "EXPLAIN ANALYZE /* /* */ ' */ COPY (SELECT 7 AS x) TO 'f.parquet' (USE_TMP_FILE false) --'",
    *(each.format("WITH a AS (CO' || 'PY (SELECT 7 AS x) TO ''new.csv'') FROM a") for each in (
        "FROM json_execute_serialized_sql(json_serialize_sql('{}'))",
        "PRAGMA json_execute_serialized_sql(json_serialize_sql('{}'))",
        "PIVOT (SELECT 1 AS a) ON a IN (FROM \"JSON_execute_serialized_sql\" (json_serialize_sql('{}')))",
    )),
    "FROM system.main.query('FROM json_execute_seri' || 'alized_sql(json_serialize_sql(''SELECT 1''))')",
    "COPY t FROM 'secret.csv'", "CREATE TABLE t (k VARCHAR); COPY t FROM 'secret.csv'; FROM t", "CHECKPOINT secret",
]  # fmt: skip
"""Each is refused, whatever of it comes before."""


@pytest.mark.parametrize("script", ATTACKS)
def test_nothing_else_is_within_reach(folder: Path, ask: Ask, script: str) -> None:
    """No other file is read, none is written, and no setting that would allow it changed."""
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    with pytest.raises((QueryError, QueryFailed)) as caught:
        ask(f"SELECT * FROM 'f.parquet'; {script}")

    assert SECRET not in str(caught.value)
    assert before == {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_refusal_names_the_way(folder: Path, ask: Ask) -> None:
    """What was refused, how a file is named, and the option for those who trust a query."""
    for script, what in (
        ("FROM read_text('key')", '"key"'),
        ("COPY (SELECT 1) TO 'a.csv'", "COPY is switched off"),
    ):
        with pytest.raises(QueryError, match=what) as caught:
            ask(script)

        assert "--allow-external" in str(caught.value.hint)


def test_missing_file_is_said_to_be_missing(folder: Path, ask: Ask) -> None:
    """It is not a matter of rights."""
    for name in ("gone.parquet", "gone/*.csv", "gone.json"):
        with pytest.raises(StreamError, match="No files found"):
            ask(f"FROM '{name}'")


def test_a_trusted_query_reaches_what_duckdb_reaches(folder: Path, ask: Ask) -> None:
    """Only where it is asked for."""
    assert [{"content": f"key\n{SECRET}\n"}] == ask("SELECT content FROM read_text('key')", None)
    ask("COPY (SELECT 7 AS x) TO 'new.csv'", None)
    assert (folder / "new.csv").exists()


@pytest.mark.parametrize("name", ["o.parquet", "o.csv", "o.json", "o.duckdb"])
def test_rows_of_a_confined_query_are_kept(folder: Path, package: Path, name: str) -> None:
    """Twice: what was there is replaced; nothing else is left beside it."""
    before = {path.name for path in folder.iterdir()}
    for _ in range(2):
        files = written_files(folder / name)
        session = Session(stream.sql.open_connection(package, listener=lambda _: None), files)
        [result] = session.run("SELECT * FROM 'f.parquet'")

        assert 2 == save(session, result, folder / name, "p", files[0])

        session.registered.connection.close()
    assert before | {name} == {path.name for path in folder.iterdir()}
