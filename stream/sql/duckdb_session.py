"""Running what somebody typed, statement by statement, each error with what to do about it."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from stream.errors import QueryError, QueryFailed
from stream.sql.confinement import HINT, check_kinds, confine, kind_of
from stream.sql.query_files import prepare_files
from stream.sql.quoting import quoted_name
from stream.sql.registration import Registered
from stream.sql.spelling import spelled_columns

if TYPE_CHECKING:
    import duckdb

__all__ = ["Result", "Session"]

_WITH_ROWS = frozenset({"SELECT", "EXPLAIN", "CALL", "PRAGMA", "MULTI", "EXECUTE", "RELATION"})
"""Kinds of statements that answer with rows; the others answer that they are done."""

_BATCH_ROWS = 16_384
"""Rows that are held at a time while a result is read; eight of DuckDB's vectors."""


@dataclass(frozen=True, slots=True)
class Result:
    """
    A statement's rows, not read yet: whatever reads them runs the query.

    Attributes:
        query: the statement's text, without a semicolon.
        relation: DuckDB's own.
    """

    query: str
    relation: duckdb.DuckDBPyRelation


class Session:
    """
    Runs statements on one connection.

    Args:
        registered: the model's functions, and the connection.
        confined: files that its queries may reach beside those that the first script names; None for whatever DuckDB
            can reach. A confined session runs one script.
    """

    def __init__(self, registered: Registered, confined: Iterable[Path] | None = None) -> None:
        self.registered = registered
        self._connection = registered.connection
        self._confined = confined

    def run(self, script: str) -> Iterator[Result]:
        """
        Run statements.

        Args:
            script: one or more, separated by semicolons.
        Returns: what answers with rows, each before the next statement runs.
        Raises: QueryError when a statement can't be used, QueryFailed when it stopped early, KeyboardInterrupt;
            the statements before it have been run.
        """
        with self._told(running=False):
            statements = self._connection.extract_statements(script)
        if self._confined is not None:
            check_kinds(statements)
            with self._told(running=False):
                confine(self._connection, script, self._confined)
        for statement in statements:
            if kind_of(statement) in _WITH_ROWS:
                # Binding asks the model about constants; running the query asks again.
                with self._told(running=False), self.registered.tally.paused():
                    self._prepare(statement.query)
                    relation = self._connection.sql(statement)
                yield Result(statement.query.strip().rstrip(";").rstrip(), relation)
            else:
                with self._told(running=False):
                    self._prepare(statement.query)
                self.execute(statement)

    def _prepare(self, query: str) -> None:
        """Make the files that a statement reads what they are to the other doors."""
        texts = prepare_files(self._connection, query, self.registered.leaves)
        self.registered.outcomes.read_cells(texts.cells, texts.documents)

    def execute(self, statement: duckdb.Statement | str) -> int:
        """
        Run a statement that answers with no rows.

        Args:
            statement: a text, or what DuckDB made of one.
        Returns: the number of rows that it wrote; 0 where it doesn't say.
        Raises: as `run`.
        """
        with self._told():
            row = self._connection.execute(statement).fetchone()
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
        text = io.StringIO()
        with redirect_stdout(text), self._told():
            result.relation.show(max_rows=rows, max_width=columns)
        return text.getvalue().rstrip("\n")

    def json_lines(self, result: Result) -> Iterator[str]:
        """
        A result as JSON objects, one per row: values spelled as by every door, what it has no type for as DuckDB does.

        Args:
            result: of this session; of two columns with one name the second is called `name_1`.
        """
        # The first selection gives each column a name of its own; no column is called as the whole row.
        rows = result.relation.select("*")
        own = {quoted_name(name): (name, kind) for name, kind in zip(rows.columns, rows.types, strict=True)}
        if (chosen := spelled_columns(own, self.registered.spelling(json=True))) is not None:
            with self.registered.tally.paused():  # as in `run`
                rows = rows.select(chosen)
        rows = rows.set_alias("stream_row").select("to_json(stream_row)")
        with self._told():
            reader = rows.to_arrow_reader(_BATCH_ROWS)
        while True:
            with self._told():
                batch = next(reader, None)
            if batch is None:
                return
            yield from batch.column(0).to_pylist()

    @contextmanager
    def _told(self, *, running: bool = True) -> Iterator[None]:
        """DuckDB's errors as ours: before anything runs it is the query, whatever is wrong."""
        import duckdb

        try:
            yield
        except duckdb.Error as error:
            refusal, self.registered.refusal = self.registered.refusal, None
            if refusal is not None:  # what a function of ours raised: DuckDB's error has its text only
                raise refusal from error
            said, _, below = str(error).partition("\n")  # below: the statement's line, and where in it
            if isinstance(error, duckdb.PermissionException) and self._confined is not None:
                raise QueryError(said, hint=HINT, quoted=below) from error
            if running and not isinstance(error, duckdb.ProgrammingError | duckdb.NotSupportedError):
                raise QueryFailed(said, quoted=below) from error
            raise QueryError(said, hint="correct the query", quoted=below) from error
        except RuntimeError as error:
            # What DuckDB's bindings make of Ctrl-C while a query runs.
            if "interrupted" in str(error):
                raise KeyboardInterrupt from error
            raise
