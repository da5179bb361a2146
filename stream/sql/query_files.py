"""Files that a query names, where DuckDB by itself would not read them, or not as the other doors do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from stream.errors import QueryError, SampleError
from stream.files import ArrowFormat, named_format, reading
from stream.types import MISSING

if TYPE_CHECKING:
    import duckdb

__all__ = ["prepare_files"]

_NAMED = re.compile(r"""(?:\bFROM|\bJOIN|,)\s*(?:'((?:[^']|'')+)'|"((?:[^"]|"")+)")""", re.IGNORECASE)
"""A file as a table: `FROM 'f.csv'`."""

_DUCKDB = frozenset({"parquet", "csv", "tsv", "jsonl", "json"})
"""Formats that DuckDB reads itself, by our name; compressed with gzip or zstd, too."""


def prepare_files(connection: duckdb.DuckDBPyConnection, query: str) -> None:
    """
    Make the files that a query reads known to a connection as what they are to `stream batch`.

    Args:
        connection: gets a temporary view of a file's name: of an Arrow file; of a csv with `NA` and the like in
            columns that aren't of texts, which DuckDB takes for texts. Other files are left to DuckDB.
        query: one statement.
    Raises: QueryError for a file that neither reads, with what to do; or that has two columns of one name.
    """
    for name in dict.fromkeys(_names(query)):
        path = Path(name)
        if not path.is_file():
            continue  # a table, a glob, or nothing: DuckDB says so
        try:
            found = named_format(path)
            plain, _, packed = found.name.partition(".")
            with reading(path, OSError):
                if plain not in ("csv", "tsv"):
                    found.columns(path)  # refuses two of one name, of which DuckDB would take the first
                if isinstance(found, ArrowFormat):
                    connection.register(name, found.table(path))
                    continue
        except SampleError as error:
            raise QueryError(error.message, hint=error.hint) from error
        if plain not in _DUCKDB or packed not in ("", "gz", "zst"):
            raise QueryError(
                f"{name}: is not read by DuckDB", hint="score it with `stream batch`, or convert it"
            )
        if plain in ("csv", "tsv"):
            _view_of_csv(connection, name)


def _names(query: str) -> Iterator[str]:
    for single, double in _NAMED.findall(query):
        yield single.replace("''", "'") if single else double.replace('""', '"')


def _view_of_csv(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    """A view in which the columns that are texts because of `NA` alone have their type; none where there are none."""
    text, identifier = _quoted(name, "'"), _quoted(name, '"')
    missing = ", ".join(_quoted(each, "'") for each in sorted(MISSING))
    connection.execute(f"DROP VIEW IF EXISTS temp.{identifier}")
    as_texts = _types(connection, f"read_csv({text})")
    typed = _types(connection, f"read_csv({text}, nullstr = ['', {missing}])")
    if list(as_texts) != list(typed):
        return
    changed = {
        column: kind
        for column, kind in typed.items()
        if kind != as_texts[column] and as_texts[column] == "VARCHAR"
    }
    if not changed:
        return
    casts = ", ".join(
        f"CAST(CASE WHEN {column} NOT IN ({missing}) THEN {column} END AS {kind}) AS {column}"
        for column, kind in ((_quoted(column, '"'), kind) for column, kind in changed.items())
    )
    connection.execute(f"CREATE TEMP VIEW {identifier} AS SELECT * REPLACE ({casts}) FROM read_csv({text})")


def _types(connection: duckdb.DuckDBPyConnection, source: str) -> dict[str, str]:
    return {name: kind for name, kind, *_ in connection.execute(f"DESCRIBE FROM {source}").fetchall()}


def _quoted(text: str, mark: str) -> str:
    return mark + text.replace(mark, mark * 2) + mark
