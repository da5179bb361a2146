"""One query on Spark: its rows shown, as JSON, or kept, each error as the query's or the run's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from stream.errors import QueryError, QueryFailed
from stream.spark.spark_session import without_pandas
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
    Raises: QueryError when Spark can't use it.
    """

    def __init__(self, spark: SparkSession, text: str) -> None:
        self._frame: DataFrame = _guarded(lambda: spark.sql(text.strip().rstrip(";")), QueryError)

    def first(self, rows: int) -> tuple[list[dict[str, object]], bool]:
        """
        Args:
            rows: how many.
        Returns: the first rows by column, and whether there are more.
        Raises: QueryFailed when the query stopped early.
        """
        found = _guarded(self._frame.limit(rows + 1).collect, QueryFailed)
        return [row.asDict(recursive=True) for row in found[:rows]], len(found) > rows

    def json_lines(self) -> Iterator[str]:
        """Every row as a JSON object, as Spark writes them: without the fields that are null."""
        from pyspark.sql.functions import struct, to_json

        found = self._frame.select(to_json(struct("*")))
        rows = _guarded(found.toLocalIterator, QueryFailed)
        while (row := _guarded(lambda: next(rows, None), QueryFailed)) is not None:
            yield str(row[0])

    def save(self, path: Path) -> None:
        """
        Keep the rows.

        Args:
            path: with an ending of `FORMAT_OF`; becomes a folder of parts, as Spark writes them, and is replaced.
        Raises: QueryFailed when the query stopped early.
        """
        writer = self._frame.write.mode("overwrite").format(FORMAT_OF[path.suffix.lower()])
        _guarded(lambda: writer.option("header", "true").save(str(path.absolute())), QueryFailed)


def _guarded(call: Callable[[], T], kind: type[QueryError | QueryFailed]) -> T:
    from pyspark.errors import AnalysisException, PySparkException

    try:
        with without_pandas():
            return call()
    except AnalysisException as error:
        raise QueryError(_first_line(error), hint="correct the query") from error
    except PySparkException as error:
        raise kind(_first_line(error)) from error


def _first_line(error: Exception) -> str:
    """The JVM's stack comes behind it."""
    return str(error).split("JVM stacktrace")[0].strip()
