"""A query's rows in a file: whole, or not at all."""

from __future__ import annotations

from pathlib import Path

from stream.durable import hidden_name, renamed
from stream.errors import QueryError
from stream.sql.duckdb_session import Result, Session
from stream.sql.quoting import quoted_name, quoted_text
from stream.sql.spelling import spelled_columns

__all__ = ["FORMAT_OF", "check_target", "save", "written_files"]

FORMAT_OF = {".parquet": "parquet", ".csv": "csv", ".json": "json", ".jsonl": "json", ".ndjson": "json"}
"""A file's format as DuckDB and Spark call it, by its ending; a JSON file has one object per line."""

_OPTIONS = {"parquet": ", COMPRESSION zstd", "csv": ", HEADER", "json": ""}
"""What DuckDB is told beside the format."""

_DATABASES = (".duckdb", ".db")
_LOGS = (".wal", ".wal.checkpoint", ".wal.recovery")
"""What DuckDB adds to a database's name for the files beside it."""

_ALIAS = "stream_saved"


def check_target(path: Path) -> None:
    """
    Check before a query runs whether its rows can be saved.

    Args:
        path: where.
    Raises: QueryError for an unknown suffix, a folder, or one that does not exist.
    """
    known = (*FORMAT_OF, *_DATABASES)
    if path.suffix.lower() not in known:
        raise QueryError(
            f"--save {path}: expected a file called {', '.join(known)}", hint="name it out.parquet"
        )
    if path.is_dir():
        raise QueryError(
            f"--save {path}: is a folder", hint="name a file; --engine spark writes folders of parts"
        )
    if not path.parent.is_dir():
        raise QueryError(f"--save {path}: there is no folder {path.parent}", hint="make the folder first")


def written_files(path: Path) -> tuple[Path, ...]:
    """
    Args:
        path: as for `save`.
    Returns: the files that are written there; the first is what `save` is told to write.
    """
    if path.suffix.lower() in FORMAT_OF:
        return (hidden_name(path),)
    return (path, *(path.with_name(path.name + each) for each in _LOGS))


def save(session: Session, result: Result, path: Path, table: str, beside: Path | None = None) -> int:
    """
    Run a query and keep its rows.

    Args:
        session: of the result.
        result: its query is run.
        path: a file with an ending of `FORMAT_OF`, which is replaced; or a DuckDB database, in which `table` is.
        table: of the database; replaced when it is there.
        beside: the first of `written_files`, where a confined session was given them.
    Returns: the number of rows.
    Raises: as `Session.run`; the file or table is as it was then.
    """
    if (kind := FORMAT_OF.get(path.suffix.lower())) is not None:
        query = result.query if kind == "parquet" else _spelled(session, result, json=kind == "json")
        with renamed(path, beside) as part:
            options = f"FORMAT {kind}, USE_TMP_FILE false{_OPTIONS[kind]}"
            copy = f"COPY ({query}\n) TO {quoted_text(str(part))} ({options})"
            return session.execute(copy)
    session.execute(f"ATTACH {quoted_text(str(path))} AS {_ALIAS}")
    try:
        return session.execute(
            f"CREATE OR REPLACE TABLE {_ALIAS}.main.{quoted_name(table)} AS ({result.query}\n)"
        )
    finally:
        session.execute(f"DETACH {_ALIAS}")


def _spelled(session: Session, result: Result, *, json: bool) -> str:
    """The query, spelled; its columns are called by number, since two may have one name."""
    own = result.relation
    columns = {f"c{i}": one for i, one in enumerate(zip(own.columns, own.types, strict=True))}
    chosen = spelled_columns(columns, session.registered.spelling(json=json))
    if chosen is None:
        return result.query
    return f"SELECT {chosen} FROM ({result.query}\n) AS q({', '.join(columns)})"
