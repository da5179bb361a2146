"""`stream sql --engine spark`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest
from sklearn.ensemble import HistGradientBoostingRegressor

import stream
from stream.errors import QueryError, QueryFailed
from stream.files import FORMATS
from stream.spark import Query, register, register_shipped, ship
from stream.spark.saved_folder import check_rows

pytestmark = [pytest.mark.spark, pytest.mark.timeout(600)]

VALUES = """SELECT TIMESTAMP '2013-10-19 10:00:00+02:00' AS z, TIMESTAMP_NTZ '2013-10-19 08:00:00' AS a, 1.50BD AS d,
X'00FF' AS x, DATE '2024-02-29' AS e, CAST('nan' AS DOUBLE) AS n, array(1.5BD, NULL) AS l,
map('k', DATE '2024-02-29') AS m, named_struct('q', 1, 'z', CAST(NULL AS INT)) AS s, ' a "b",\\nc ' AS t,
 CAST(NULL AS STRING) AS o, 1 AS y, 2 AS y"""
SPELLED = {
    "z": "2013-10-19T08:00:00.000000Z", "a": "2013-10-19T08:00:00.000000", "d": "1.50", "x": "\x00ÿ", "e": "2024-02-29",
    "n": None, "l": ["1.5", None], "m": {"k": "2024-02-29"}, "s": {"q": 1, "z": None}, "t": ' a "b",\nc ', "o": None,
    "y": 1, "y_1": 2,
}  # fmt: skip


def test_command_asks_in_spark_sql(
    package: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`stream sql --engine spark` prints rows, keeps them, and refuses a query that Spark can't use."""
    from stream.cli import main

    monkeypatch.setenv("PYSPARK_PYTHON", sys.executable)
    (tmp_path / "v.jsonl").write_text(
        '{"id": 1, "channel": "mail", "pages": 30, "seconds": 9.5}\n{"id": 2, "channel": null, "pages": 1}\n'
    )
    rows = f"json.`{tmp_path / 'v.jsonl'}`"
    given = ["sql", "--engine", "spark", "--master", "local[2]", "--model", str(package)]

    def code_of(*arguments: str) -> object:
        with pytest.raises(SystemExit) as ended:
            main([*given, *arguments])
        return ended.value.code

    assert 0 == code_of(
        "--json",
        f"SELECT id, predict(struct(*)).label AS label, predict_error(struct(*)).reason AS reason FROM {rows}",
    )
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [
        {"id": 1, "label": "buys", "reason": None},
        {"id": 2, "label": None, "reason": "wrong_type"},
    ] == found
    assert 0 == code_of(
        "--save", str(tmp_path / "o.parquet"), f"SELECT p.* FROM (SELECT predict(struct(*)) AS p FROM {rows})"
    )
    assert ["buys", None] == pq.read_table(tmp_path / "o.parquet")["label"].to_pylist()
    assert 2 == code_of(f"SELECT predict(nothing) FROM {rows}")
    assert "nothing" in capsys.readouterr().err
    assert 2 == code_of(f"SELECT predict(struct(id, channel)) FROM {rows}")
    assert "predict(struct(*)): the rows lack 'pages', which visits@1 needs" in capsys.readouterr().err


@pytest.fixture
def ask(spark: Any, package: Path) -> Callable[[str], Query]:
    """A query on a session with the model's functions, and a view of rows without `pages`."""
    shipped = ship(package)
    register_shipped(spark, shipped)
    spark.createDataFrame([(1, "mail")], "id long, channel string").createOrReplaceTempView("short")
    return lambda text: Query(spark, text, shipped)


def test_rows_are_spelled_as_by_every_door(ask: Callable[[str], Query], tmp_path: Path) -> None:
    """As JSON lines, in the table for people, in json and csv that are kept; parquet has instants with their zone."""
    query = ask(VALUES)

    assert [SPELLED] == [json.loads(line) for line in query.json_lines()]
    assert ([SPELLED], False) == query.first(1)
    for name in ("o.json", "o.csv"):
        query.save(tmp_path / name)
        query.save(tmp_path / name)
    (part,) = (tmp_path / "o.json").glob("part-*")
    assert ".json" == part.suffix
    assert SPELLED == json.loads(part.read_text())
    (part,) = (tmp_path / "o.csv").glob("part-*.csv")
    assert (
        "z,a,d,x,e,n,l,m,s,t,o,y,y_1\n2013-10-19T08:00:00.000000Z,2013-10-19T08:00:00.000000,1.50,\x00ÿ,2024-02-29,nan,"
        '"[""1.5"", null]","{""k"": ""2024-02-29""}","{""q"": 1, ""z"": null}"," a ""b"",\nc ",,1,2\n'
    ) == part.read_text()
    ask("SELECT TIMESTAMP '2013-10-19 08:00:00Z' AS z").save(tmp_path / "o.parquet")
    assert "timestamp[us, tz=UTC]" == str(pq.read_table(tmp_path / "o.parquet").schema.field("z").type)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT predict(struct(*)) FROM short",
        "SELECT id FROM short WHERE predict_label(struct(*)) = 'buys'",
        "SELECT (SELECT max(predict_score(struct(*))) FROM short)",
        "WITH s AS (SELECT predict(struct(*)) AS p FROM short) SELECT p.label FROM s",
        "SELECT 1 WHERE EXISTS (SELECT predict(struct(*)) FROM short)",
        "SELECT id FROM short WHERE 'buys' IN (SELECT predict_label(struct(*)) FROM short)",
        "SELECT count(*) FROM short a JOIN short b ON predict_label(struct(a.id, a.channel)) = b.channel",
        "SELECT id FROM short ORDER BY predict_score(struct(id, channel))",
        "SELECT predict(struct(*)) FROM short UNION ALL SELECT NULL",
        "SELECT * FROM short a, LATERAL (SELECT predict(struct(a.id, a.channel)) AS p)",
    ],
)
def test_rows_that_lack_a_column_are_refused_before_anything_runs(
    ask: Callable[[str], Query], text: str
) -> None:
    """Wherever in the query the function is called."""
    with pytest.raises(
        QueryError, match="the rows lack 'pages', which visits@1 needs; they have 'id', 'channel'"
    ) as caught:
        ask(text)

    assert "AS `pages`" in str(caught.value.hint)


def test_rows_without_any_column_of_the_model_are_refused(spark: Any, tmp_path: Path) -> None:
    """Where each has a default: in a query that is looked at first, and in one that isn't; one column will do."""
    frame = pd.DataFrame({"a": [1.0, None, 3.0, 4.0], "b": [None, 1.0, 2.0, 3.0]})
    fitted = HistGradientBoostingRegressor().fit(frame, [1.0, 2.0, 3.0, 4.0])
    stream.pack(fitted, name="small", sample=frame, out=tmp_path / "small")
    shipped = ship(tmp_path / "small")
    register_shipped(spark, shipped, "small")
    lacking = "the rows lack 'a', 'b', one of which small@1 needs; they have 'A'"

    with pytest.raises(QueryError, match=lacking):
        Query(spark, "SELECT small(struct(1D AS A))", shipped, "small")
    with pytest.raises(Exception, match=lacking):
        spark.sql("SELECT small(struct(1D AS A))").collect()
    [row] = spark.sql("SELECT small_value(struct(CAST(1 AS DOUBLE) AS b)) AS v").collect()

    assert 2.5 == row["v"]


def test_what_is_not_a_row_is_refused(ask: Callable[[str], Query]) -> None:
    """A column, or nothing; a null has no answer."""
    with pytest.raises(QueryError, match="expected a row, found a value of type long"):
        ask("SELECT predict(id) FROM short")
    assert [{"p": None}] == [json.loads(line) for line in ask("SELECT predict(NULL) AS p").json_lines()]


def test_a_column_with_a_default_is_noted(ask: Callable[[str], Query]) -> None:
    """As in DuckDB: a misspelt column must not silently become null."""
    query = ask("SELECT predict(struct(id, channel, 1L AS pages, 2.5D AS secnds)) FROM short")

    (note,) = query.notes
    assert "no column 'seconds': its default null is taken in every row; did you mean 'secnds'?" in note


def test_function_refuses_such_rows_where_the_plan_is_not_known(spark: Any, package: Path) -> None:
    """In Python, where a query runs without being looked at."""
    register(spark, package)
    frame = spark.createDataFrame([(1, "mail")], "id long, channel string")
    frame.createOrReplaceTempView("short")

    with pytest.raises(Exception, match="the rows lack 'pages'"):
        spark.sql("SELECT predict(struct(*)) FROM short").collect()


def test_a_saved_result_stays_until_the_next_is_whole(ask: Callable[[str], Query], tmp_path: Path) -> None:
    """A query that fails leaves it; one may read what it replaces; none of its rows is a result, too."""
    path = tmp_path / "o.parquet"
    ask("SELECT 1 AS a").save(path)

    with pytest.raises(QueryFailed, match="no luck"):
        ask("SELECT raise_error('no luck') AS a FROM range(3)").save(path)
    assert [1] == pq.read_table(path)["a"].to_pylist()
    ask(f"SELECT a + 1 AS a FROM parquet.`{path}`").save(path)
    assert [2] == pq.read_table(path)["a"].to_pylist()
    ask("SELECT a FROM (SELECT 1 AS a) WHERE a > 1").save(path)
    assert [] == pq.read_table(path)["a"].to_pylist()
    assert ["o.parquet"] == [each.name for each in tmp_path.iterdir()]


@pytest.mark.parametrize("kind", ["parquet", "csv", "jsonl"])
@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ("SELECT id AS a FROM range(500)", 500),
        ("SELECT 1 AS a WHERE false", 0),
        ("SELECT CAST(NULL AS STRING) AS a FROM range(3)", 3),
        ("SELECT ' x\\ny\"' AS a, '' AS b FROM range(3)", 3),
    ],
    ids=["many", "none", "null", "quoted"],
)
def test_saved_rows_are_counted_as_they_were_written(
    ask: Callable[[str], Query], tmp_path: Path, kind: str, query: str, rows: int
) -> None:
    """As on a cluster, where they might lie elsewhere."""
    path = tmp_path / f"o.{kind}"
    ask(query).save(path)

    check_rows(path, FORMATS[kind], rows)


def test_a_model_in_a_streaming_query_is_left_to_spark(spark: Any, package: Path, tmp_path: Path) -> None:
    """It is a function like any other; nothing of the worker's promises comes with it."""
    register(spark, package)
    (tmp_path / "in").mkdir()
    row = {"id": 1, "channel": "mail", "pages": 30, "seconds": 9.5}
    (tmp_path / "in" / "v.json").write_text(json.dumps(row))
    read = spark.readStream.schema("id long, channel string, pages long, seconds double")
    read.json(str(tmp_path / "in")).createOrReplaceTempView("visits_stream")
    answers = spark.sql("SELECT predict(struct(*)).label AS label FROM visits_stream")

    query = answers.writeStream.format("memory").queryName("answers").trigger(availableNow=True).start()
    query.awaitTermination(120)

    assert ["buys"] == [row["label"] for row in spark.table("answers").collect()]


def test_a_saved_folder_is_replaced_by_the_command(
    package: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By Spark; DuckDB writes files, and says so."""
    from stream.cli import main

    monkeypatch.setenv("PYSPARK_PYTHON", sys.executable)
    given = ["sql", "--model", str(package), "--save", str(tmp_path / "o.parquet")]
    spark = ["--engine", "spark", "--master", "local[2]"]
    for engine, code in ((spark, 0), (spark, 0), (["--engine", "duckdb"], 2)):
        with pytest.raises(SystemExit) as ended:
            main([*given, *engine, "SELECT 1 AS a"])
        assert code == ended.value.code

    assert "o.parquet: is a folder" in capsys.readouterr().err
