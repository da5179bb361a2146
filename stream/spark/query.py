"""One query on Spark: its rows shown, as JSON, or kept, each error as the query's or the run's."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from stream.errors import QueryError, QueryFailed
from stream.files import FORMATS
from stream.spark.failure import cause, deepest, spark_errors
from stream.spark.functions import answer_types, check_row, functions_of
from stream.spark.plan_rows import called_with
from stream.spark.saved_folder import check_rows, replaced
from stream.spark.shipping import Shipped
from stream.spark.spark_session import without_pandas
from stream.spark.spelled_rows import LINE, csv_columns, csv_schema, json_lines, own_names
from stream.sql import FORMAT_OF

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

__all__ = ["Query"]

T = TypeVar("T")


class Query:
    """
    A query that Spark has understood; whatever reads its rows runs it.

    Args:
        spark: the session, with the model's functions.
        text: one statement.
        shipped: the model.
        name: of its functions.

    Attributes:
        notes: a line for each of the model's columns that is not there and whose default is taken.
    Raises: QueryError when Spark can't use it, or a function is called with rows that lack the model's columns.
    """

    def __init__(self, spark: SparkSession, text: str, shipped: Shipped, name: str = "predict") -> None:
        self._spark = spark
        self._answer = answer_types(shipped, name)
        self._frame: DataFrame = _guarded(lambda: spark.sql(text.strip().rstrip(";")), QueryError)
        self.notes: list[str] = []
        for call in called_with(self._frame, functions_of(shipped, name)):
            if call.columns is not None:
                self.notes += check_row(shipped, name, call.columns)
            elif call.kind != "void":
                raise QueryError(
                    f"{call.function}(…): expected a row, found a value of type {call.kind}",
                    hint=f"give it the row: {call.function}(struct(*))",
                )
        self.notes = list(dict.fromkeys(self.notes))

    def first(self, rows: int) -> tuple[list[dict[str, object]], bool]:
        """
        Args:
            rows: how many.
        Returns: the first rows by column, as JSON has them, and whether there are more.
        Raises: QueryFailed when the query stopped early.
        """
        found = _guarded(self._json(self._frame.limit(rows + 1)).collect, QueryFailed)
        return [json.loads(row[0]) for row in found[:rows]], len(found) > rows

    def json_lines(self) -> Iterator[str]:
        """Every row as a JSON object, spelled as by every door; of two columns with one name the second is `name_1`."""
        rows = _guarded(self._json(self._frame).toLocalIterator, QueryFailed)
        while (row := _guarded(lambda: next(rows, None), QueryFailed)) is not None:
            yield str(row[0])

    def save(self, path: Path) -> None:
        """
        Keep the rows.

        Args:
            path: with an ending of `FORMAT_OF`; becomes a folder of parts, as Spark writes them. A result that is there
                is replaced when the new one is whole.
        Raises: QueryFailed when the query stopped early, or its rows are not all here; QueryError when a folder of
            another kind is there. What was there is there then.
        """
        kind = FORMAT_OF[path.suffix.lower()]
        frame, options = self._frame, {}
        if kind == "json":
            frame = self._json(frame)
        elif kind == "csv":
            frame, options = self._csv(frame), _CSV
        else:
            # Its default is a type that only Spark still writes, and which has no zone.
            self._spark.conf.set("spark.sql.parquet.outputTimestampType", "TIMESTAMP_MICROS")
        with replaced(path.absolute()) as folder:
            rows = self._write(frame, "text" if kind == "json" else kind, options, folder)
            if kind == "json":
                for part in folder.glob("part-*.txt"):
                    part.rename(part.with_suffix(".json"))
                    (folder / f".{part.name}.crc").unlink(missing_ok=True)
            if rows is not None:
                check_rows(folder, FORMATS["jsonl" if kind == "json" else kind], rows)

    def _write(self, frame: DataFrame, kind: str, options: Mapping[str, str], folder: Path) -> int | None:
        """Run the query. Returns: the number of rows that a cluster wrote; None where this machine did it alone."""
        from pyspark.sql import Observation
        from pyspark.sql.functions import count, lit

        written = None if self._spark.sparkContext._jsc.sc().isLocal() else Observation()
        if written is not None:
            frame = frame.observe(written, count(lit(1)).alias("rows"))
        writer = frame.write.format(kind).options(**options)
        _guarded(lambda: writer.save(folder.as_uri()), QueryFailed)
        return None if written is None else int(written.get["rows"])

    def _json(self, frame: DataFrame) -> DataFrame:
        from pyspark.sql.pandas.types import from_arrow_schema

        with without_pandas():
            return _named(frame).mapInArrow(partial(json_lines, self._answer), from_arrow_schema(LINE))

    def _csv(self, frame: DataFrame) -> DataFrame:
        from pyspark.sql.pandas.types import from_arrow_schema, to_arrow_schema

        schema = csv_schema(to_arrow_schema(frame.schema, timezone="UTC"))
        with without_pandas():
            cells = _named(frame).mapInArrow(partial(csv_columns, self._answer), from_arrow_schema(schema))
        return cells if len(schema) > 1 else _never_empty(cells)


def _never_empty(cells: DataFrame) -> DataFrame:
    """A null alone would be an empty line, and Spark leaves those out: it becomes `""`."""
    from pyspark.sql.functions import coalesce, col, lit

    (name,) = cells.columns
    return cells.toDF("cell").select(coalesce(col("cell").cast("string"), lit("")).alias(name))


_CSV = {
    "header": "true", "escape": '"', "ignoreLeadingWhiteSpace": "false", "ignoreTrailingWhiteSpace": "false",
}  # fmt: skip
"""As the csv of `stream batch`: Spark's own escapes a quote with a backslash, and cuts blanks off."""


def _named(frame: DataFrame) -> DataFrame:
    """With a name of its own for each column: Spark can't tell two of one name apart."""
    return frame.toDF(*own_names(frame.columns))


def _guarded(call: Callable[[], T], kind: type[QueryError | QueryFailed]) -> T:
    from pyspark.errors import AnalysisException

    try:
        with without_pandas():
            return call()
    except AnalysisException as error:
        why = f": {cause(text)}" if (text := deepest(error)) else ""
        raise QueryError(f"{_first_line(error)}{why}", hint="correct the query") from error
    except spark_errors() as error:
        raise kind(cause(str(error))) from error


def _first_line(error: Exception) -> str:
    """The JVM's stack comes behind it."""
    return str(error).split("JVM stacktrace")[0].strip()
