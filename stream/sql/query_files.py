"""Files that a query names, where DuckDB by itself would not read them, or not as the other doors do."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from stream.errors import QueryError, SampleError
from stream.files import ArrowFormat, named_format, reading
from stream.sql.quoting import quoted_name, quoted_text
from stream.types import MISSING, AvroType

if TYPE_CHECKING:
    import duckdb

__all__ = ["kept_texts", "prepare_files"]

_NAMED = re.compile(r"""(?:\bFROM|\bJOIN|,)\s*(?:'((?:[^']|'')+)'|"((?:[^"]|"")+)")""", re.IGNORECASE)
"""A file as a table: `FROM 'f.csv'`."""

_DUCKDB = frozenset({"parquet", "csv", "tsv", "jsonl", "json"})
"""Formats that DuckDB reads itself, by our name; compressed with gzip or zstd, too."""


_GUESSED = frozenset(
    {"BOOLEAN", "INTEGER", "BIGINT", "FLOAT", "DOUBLE", "DATE", "TIME", "TIMESTAMP", "TIMESTAMP_MS"}
)
"""What DuckDB takes a text for by its look, of what we call it there, without a loss."""

_JSON_OWN = frozenset({"BOOLEAN", "BIGINT", "UBIGINT", "HUGEINT", "DOUBLE"})
"""What DuckDB takes JSON's own numbers and booleans for."""


def kept_texts(types: Mapping[str, AvroType]) -> dict[str, AvroType]:
    """
    Args:
        types: of a model's columns, by name.
    Returns: those whose texts DuckDB would take for something else by their look: `007` for 7, a decimal for a double.
    """
    plain = {name: kind for name, kind in types.items() if not kind.foreign.duckdb.endswith("[]")}
    return {name: kind for name, kind in plain.items() if kind.foreign.duckdb not in _GUESSED}


def prepare_files(
    connection: duckdb.DuckDBPyConnection, query: str, texts: Mapping[str, AvroType] | None = None
) -> frozenset[str]:
    """
    Make the files that a query reads known to a connection as what they are to `stream batch`.

    Args:
        connection: gets a temporary view of a file's name: of an Arrow file; of a csv with `NA` and the like in
            columns that aren't of texts, which DuckDB takes for texts; of a csv or JSON file with columns of `texts`,
            which it takes for something else. Other files are left to DuckDB.
        query: one statement.
        texts: as `kept_texts` gives them.
    Returns: columns of csv files that DuckDB takes for texts, and that are none of `texts`: their cells may be numbers
        or dates all the same, such as `+5`, or beside one that is none.
    Raises: QueryError for a file that neither reads, with what to do; or that has two columns of one name.
    """
    cells: set[str] = set()
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
            cells |= _view_of_csv(connection, name, texts or {})
        elif plain in ("json", "jsonl"):
            _view_of_json(connection, name, texts or {})
    return frozenset(cells)


def _names(query: str) -> Iterator[str]:
    for single, double in _NAMED.findall(query):
        yield single.replace("''", "'") if single else double.replace('""', '"')


def _view_of_csv(connection: duckdb.DuckDBPyConnection, name: str, texts: Mapping[str, AvroType]) -> set[str]:
    """A view in which the columns that are texts because of `NA` alone have their type, and texts are left alone."""
    text, identifier = quoted_text(name), quoted_name(name)
    connection.execute(f"DROP VIEW IF EXISTS temp.{identifier}")
    guessed = _types(connection, f"read_csv({text})")
    kept = {column: texts[column] for column in guessed if column in texts}
    casts = [_value(column) for column, kind in kept.items() if kind.has_missing]
    changed: dict[str, str] = {}
    typed = _types(connection, f"read_csv({text}, nullstr = ['', {_MISSING}])")
    if list(guessed) == list(typed):
        changed = {
            column: kind
            for column, kind in typed.items()
            if column not in kept and kind != guessed[column] and guessed[column] == "VARCHAR"
        }
    casts += [_value(column, kind) for column, kind in changed.items()]
    odd = {column: "VARCHAR" for column in kept if guessed[column] != "VARCHAR"}
    if casts or odd:
        replaced = f" REPLACE ({', '.join(casts)})" if casts else ""
        types = f", types = {_struct(odd)}" if odd else ""
        connection.execute(
            f"CREATE TEMP VIEW {identifier} AS SELECT *{replaced} FROM read_csv({text}{types})"
        )
    return {column for column, kind in guessed.items() if kind == "VARCHAR"} - {*kept, *changed}


def _view_of_json(connection: duckdb.DuckDBPyConnection, name: str, texts: Mapping[str, AvroType]) -> None:
    """A view in which texts and decimals are left alone; a number where a text belongs stays a number."""
    text, identifier = quoted_text(name), quoted_name(name)
    connection.execute(f"DROP VIEW IF EXISTS temp.{identifier}")
    guessed = _types(connection, f"read_json({text})")
    odd = {
        column: "VARCHAR"
        for column, kind in guessed.items()
        if column in texts and kind != "VARCHAR" and not (texts[column].model == "text" and kind in _JSON_OWN)
    }
    if odd:
        connection.execute(
            f"CREATE TEMP VIEW {identifier} AS FROM read_json({text}, columns = {_struct({**guessed, **odd})})"
        )


_MISSING = ", ".join("'" + each.replace("'", "''") + "'" for each in sorted(MISSING))


def _value(column: str, kind: str = "VARCHAR") -> str:
    """A column of texts in its type, in which `NA` and the like are null."""
    column = quoted_name(column)
    return f"CAST(CASE WHEN {column} NOT IN ({_MISSING}) THEN {column} END AS {kind}) AS {column}"


def _struct(types: Mapping[str, str]) -> str:
    return "{" + ", ".join(f"{quoted_text(name)}: {quoted_text(kind)}" for name, kind in types.items()) + "}"


def _types(connection: duckdb.DuckDBPyConnection, source: str) -> dict[str, str]:
    return {name: kind for name, kind, *_ in connection.execute(f"DESCRIBE FROM {source}").fetchall()}
