"""Running what somebody typed: statement by statement, each error with what to do about it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from stream.errors import QueryError, QueryFailed
from stream.sql.registration import Registered

if TYPE_CHECKING:
    import duckdb

__all__ = ["Result", "Session"]

_WITH_ROWS = frozenset({"SELECT", "EXPLAIN", "CALL", "PRAGMA", "MULTI", "EXECUTE", "RELATION"})
"""Kinds of statements that answer with rows; the others answer that they are done."""

_BATCH_ROWS = 16_384
"""Rows that are held at a time while a result is read; eight of DuckDB's vectors."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Result:
    """
    A statement's rows, not asked for yet: whatever reads them runs the query.

    Attributes:
        query: the statement's text, without a semicolon.
        relation: DuckDB's own.
    """

    query: str
    relation: Any


class Session:
    """
    Runs statements on one connection.

    Args:
        registered: the model's functions, and the connection.
    """

    def __init__(self, registered: Registered) -> None:
        self.registered = registered
        self._connection = registered.connection

    def run(self, script: str) -> Iterator[Result]:
        """
        Run statements.

        Args:
            script: one or more, separated by semicolons.
        Returns: what answers with rows, each before the next statement runs.
        Raises: QueryError when a statement can't be used, QueryFailed when it ended before its end,
            KeyboardInterrupt; those before it have been done.
        """
        for statement in self._bound(lambda: self._connection.extract_statements(script)):
            if statement.type.name in _WITH_ROWS:
                # Binding asks the model about constants; running the query asks again.
                with self.registered.tally.paused():
                    relation = self._bound(partial(self._connection.sql, statement))
                yield Result(statement.query.strip().rstrip(";").rstrip(), relation)
            else:
                self.execute(statement)

    def execute(self, statement: duckdb.Statement | str) -> int:
        """
        Run a statement that answers with no rows.

        Args:
            statement: a text, or what DuckDB made of one.
        Returns: the number of rows that it wrote; 0 where it doesn't say.
        Raises: as `run`.
        """
        row = self._ran(lambda: self._connection.execute(statement).fetchone())
        return row[0] if row and type(row[0]) is int else 0

    def show(self, result: Result, rows: int, columns: int) -> str:
        """
        A result as a table for people.

        Args:
            result: of this session.
            rows: as many are shown at most, of the beginning and the end.
            columns: the width in characters.
        Returns: lines, with a count of rows and columns below where not all are shown.
        """
        import contextlib
        import io

        text = io.StringIO()
        with contextlib.redirect_stdout(text):
            self._ran(lambda: result.relation.show(max_rows=rows, max_width=columns))
        return text.getvalue().rstrip("\n")

    def json_lines(self, result: Result) -> Iterator[str]:
        """
        A result as JSON objects, one per row, written as DuckDB writes JSON.

        Args:
            result: of this session; of two columns with one name the second is called `name_1`.
        """
        # The first selection gives each column a name of its own; no column is called as the whole row.
        rows = result.relation.select("*").set_alias("stream_row").select("to_json(stream_row)")
        reader = self._ran(lambda: rows.to_arrow_reader(_BATCH_ROWS))
        while (batch := self._ran(lambda: next(reader, None))) is not None:
            yield from batch.column(0).to_pylist()

    def _bound(self, call: Callable[[], T]) -> T:
        """Before anything runs: whatever is wrong, it is the query."""
        import duckdb

        try:
            return call()
        except duckdb.Error as error:
            raise self._refusal() or QueryError(str(error), hint="correct the query") from error

    def _ran(self, call: Callable[[], T]) -> T:
        import duckdb

        try:
            return call()
        except (duckdb.ProgrammingError, duckdb.NotSupportedError) as error:
            raise self._refusal() or QueryError(str(error), hint="correct the query") from error
        except duckdb.Error as error:
            raise self._refusal() or QueryFailed(str(error)) from error
        except RuntimeError as error:
            # What DuckDB's bindings make of Ctrl-C while a query runs.
            if "interrupted" in str(error):
                raise KeyboardInterrupt from error
            raise

    def _refusal(self) -> BaseException | None:
        """What a function of ours raised, if it did: DuckDB's error has its text only, behind its own."""
        refusal, self.registered.refusal = self.registered.refusal, None
        return refusal
