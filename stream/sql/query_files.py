"""Files that a query names, where DuckDB by itself would not read them, or not as the other doors do."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, NamedTuple

from stream.codec import Leaf
from stream.errors import QueryError, SampleError
from stream.files import ArrowFormat, FileFormat, named_format, reading
from stream.sql.quoting import quoted_name, quoted_text
from stream.sql.typed_csv import TypedCsv
from stream.types import AvroType, List, Nested

if TYPE_CHECKING:
    import duckdb

__all__ = ["Texts", "kept_texts", "prepare_files"]

_NAMED = re.compile(r"""(?:\bFROM|\bJOIN|,)\s*(?:'((?:[^']|'')+)'|"((?:[^"]|"")+)")""", re.IGNORECASE)
"""A file as a table: `FROM 'f.csv'`."""

_DUCKDB = frozenset({"parquet", "csv", "tsv", "jsonl", "json"})
"""Formats that become tables, by our name; compressed with gzip or zstd, too."""

_GUESSED = frozenset(
    {
        "BOOLEAN",
        "INTEGER",
        "BIGINT",
        "FLOAT",
        "DOUBLE",
        "DATE",
        "TIME",
        "TIMESTAMP",
        "TIMESTAMP_MS",
        "TIMESTAMPTZ",
    }
)
"""What a text is taken for by its look, of what we call it there, without a loss."""

_JSON_OWN = frozenset({"BOOLEAN", "BIGINT", "UBIGINT", "HUGEINT", "DOUBLE"})
"""What DuckDB takes JSON's own numbers and booleans for."""

_BLOCK_BYTES = 1024 * 1024
_BLANK = b" \t\r\n"


_JSON_GLOB = re.compile(r"[*?\[].*\.(json|jsonl|ndjson)(\.gz|\.zst)?\Z")
"""Several files of JSON."""


class Texts(NamedTuple):
    """
    Columns that come to the model as texts.

    Attributes:
        cells: of csv files: they may be numbers or dates all the same, such as `+5`, or beside one that is none; and
            those of maps, unions and the like.
        documents: of JSON files, of maps, unions and the like: each text is JSON.
    """

    cells: frozenset[str] = frozenset()
    documents: frozenset[str] = frozenset()


def kept_texts(leaves: Mapping[str, Leaf]) -> dict[str, AvroType]:
    """
    Args:
        leaves: a model's columns, by name.
    Returns: the types of those whose texts would be taken for something else by their look: `007` for 7, a decimal for
        a double, a map for a struct with every key that any row has.
    """
    types = {name: leaf.type for name, leaf in leaves.items()}
    odd = {name: kind for name, kind in types.items() if kind.foreign.duckdb not in _GUESSED}
    return {name: kind for name, kind in odd.items() if not _is_plain_list(kind)}


def _is_plain_list(kind: AvroType) -> bool:
    return isinstance(kind, List) and not isinstance(kind.item, Nested)


def prepare_files(
    connection: duckdb.DuckDBPyConnection, query: str, leaves: Mapping[str, Leaf] | None = None
) -> Texts:
    """
    Make the files that a query reads known to a connection as what they are to `stream batch`.

    Args:
        connection: gets a temporary view of a file's name: of a csv or Arrow file, which are read here; of a JSON file,
            read strictly. Parquet is left to DuckDB.
        query: one statement.
        leaves: the model's columns, by each name that they have.
    Returns: columns whose texts are not values of their own.
    Raises: QueryError for a file that can't be read, with the line and what to do; or that has two columns of one name.
    """
    known = leaves or {}
    cells: set[str] = set()
    documents: set[str] = set()
    for name in dict.fromkeys(_names(query)):
        path = Path(name)
        if not path.is_file():
            if _JSON_GLOB.search(name) and any(isinstance(leaf.type, Nested) for leaf in known.values()):
                documents |= _view_of_json(connection, name, "auto", known)
            continue  # a table, another glob, or nothing: DuckDB says so
        try:
            found = _prepare(connection, name, path, named_format(path), known)
            cells, documents = cells | found.cells, documents | found.documents
        except SampleError as error:
            raise QueryError(error.message, hint=error.hint) from error
    return Texts(frozenset(cells), frozenset(documents))


def _prepare(
    connection: duckdb.DuckDBPyConnection, name: str, path: Path, kind: FileFormat, leaves: Mapping[str, Leaf]
) -> Texts:
    plain, _, packed = kind.name.partition(".")
    if plain in ("csv", "tsv"):
        table = TypedCsv(path, kind, leaves, kept_texts(leaves))
        if not len(table.schema):
            raise QueryError(f"{name}: is empty", hint="a csv begins with a line of its columns' names")
        connection.register(name, table)
        return Texts(cells=table.cells)
    if not isinstance(kind, ArrowFormat) and (plain not in _DUCKDB or packed not in ("", "gz", "zst")):
        raise QueryError(f"{name}: is not read by DuckDB", hint="score it with `stream batch`, or convert it")
    with reading(path, OSError):
        kind.columns(path)  # refuses two of one name, of which DuckDB would take the first
        if isinstance(kind, ArrowFormat):
            connection.register(name, kind.table(path))
            return Texts()
    if plain in ("json", "jsonl"):
        with reading(path, OSError):
            layout = _json_layout(kind, path)
        with _told_by_row(kind, path):
            return Texts(documents=_view_of_json(connection, name, layout, leaves))
    return Texts()


def _names(query: str) -> Iterator[str]:
    for single, double in _NAMED.findall(query):
        yield single.replace("''", "'") if single else double.replace('""', '"')


def _json_layout(kind: FileFormat, path: Path) -> str:
    """How DuckDB is told to read a file: an array, or an object per line; what ends too early is refused."""
    with kind.open(path) as file:
        first, last = _ends(file, compressed="." in kind.name)
    if first.strip(_BLANK) in (b"", b"[]"):
        raise QueryError(
            f"{path}: has no rows", hint="a table needs columns, which a JSON file has in its rows"
        )
    if first.startswith(b"\xef\xbb\xbf"):
        return "auto"  # DuckDB takes a byte order mark only where it looks for the layout itself
    if not kind.name.startswith("json.") and kind.name != "json":
        return "newline_delimited"
    if not first.lstrip(_BLANK).startswith(b"["):
        return "newline_delimited"
    if not last.rstrip(_BLANK).endswith(b"]"):
        for _ in kind.rows(path):
            pass  # says after which row
    return "array"


def _ends(file: IO[bytes], *, compressed: bool) -> tuple[bytes, bytes]:
    """The first and the last bytes of a file; a compressed one is read whole, which says whether it is."""
    first = last = file.read(_BLOCK_BYTES)
    if not compressed:
        file.seek(0, io.SEEK_END)
        file.seek(max(0, file.tell() - _BLOCK_BYTES))
        return first, file.read(_BLOCK_BYTES)
    while content := file.read(_BLOCK_BYTES):
        last = last[-_BLOCK_BYTES:] + content
    return first, last


@contextmanager
def _told_by_row(kind: FileFormat, path: Path) -> Iterator[None]:
    """What DuckDB can't read, our own reader names the row of, if it can't either."""
    import duckdb

    try:
        yield
    except duckdb.Error:
        with reading(path, OSError):
            for _ in kind.rows(path):
                pass
        raise


def _view_of_json(
    connection: duckdb.DuckDBPyConnection, name: str, layout: str, leaves: Mapping[str, Leaf]
) -> frozenset[str]:
    """
    A view in which texts and decimals are left alone; a number where none belongs stays a number. Maps and the like
    are their JSON texts, which are returned by name: DuckDB would give every map the keys of all others. So are columns
    of the model whose values are of several types, or objects where texts belong: each value is judged by itself.

    What JSON can't hold, DuckDB makes infinity of, or NaN: the query ends there.
    """
    text, identifier = quoted_text(name), quoted_name(name)
    connection.execute(f"DROP VIEW IF EXISTS temp.{identifier}")
    given = f"{text}, format = '{layout}', records = true"
    guessed, kept = _types(connection, f"read_json({given})"), kept_texts(leaves)
    nested = frozenset(
        column
        for column, kind in guessed.items()
        if isinstance(kept.get(column), Nested)
        or (kind == "JSON" and column in leaves)
        or (column in kept and _is_container(kind) and not isinstance(kept[column], List))
    )
    odd = dict.fromkeys(nested, "JSON") | {
        column: "VARCHAR"
        for column, kind in guessed.items()
        if column in kept.keys() - nested
        and kind != "VARCHAR"
        and not (kept[column].model != "number" and kind in _JSON_OWN)
    }
    if odd:
        given += f", columns = {_struct({**guessed, **odd})}"
    finite = [
        _finite(name, column) for column, kind in guessed.items() if kind == "DOUBLE" and column not in odd
    ]
    replaced = f" REPLACE ({', '.join(finite)})" if finite else ""
    connection.execute(f"CREATE TEMP VIEW {identifier} AS SELECT *{replaced} FROM read_json({given})")
    return nested


def _is_container(kind: str) -> bool:
    """Whether DuckDB took JSON's objects or lists for it."""
    return kind.startswith(("STRUCT", "MAP")) or kind.endswith("]")


def _finite(name: str, column: str) -> str:
    told = quoted_text(
        f"{name}: column {column!r} has a number that JSON or a double can't hold: correct the file"
    )
    value = quoted_name(column)
    return f"CASE WHEN {value} IS NULL OR isfinite({value}) THEN {value} ELSE error({told}) END AS {value}"


def _struct(types: Mapping[str, str]) -> str:
    return "{" + ", ".join(f"{quoted_text(name)}: {quoted_text(kind)}" for name, kind in types.items()) + "}"


def _types(connection: duckdb.DuckDBPyConnection, source: str) -> dict[str, str]:
    return {name: kind for name, kind, *_ in connection.execute(f"DESCRIBE FROM {source}").fetchall()}
