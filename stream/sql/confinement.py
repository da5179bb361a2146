"""
What somebody else's query may reach: nothing but the data files that it names.

DuckDB reads and writes any file, loads extensions from the network and looks for tables among Python's variables. All
of that is switched off before the first statement runs, and can't be switched on again. What stays open is a list of
paths; DuckDB makes no difference between reading and writing them, so statements that write files are refused here.

Source: DuckDB, "Securing DuckDB": `enable_external_access`, `allowed_paths`, `lock_configuration`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from glob import glob, has_magic
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from stream.errors import QueryError
from stream.files import format_of
from stream.sql.quoting import quoted_text

if TYPE_CHECKING:
    import duckdb

__all__ = ["HINT", "check_kinds", "confine", "kind_of"]

HINT = "name its files as tables: FROM 'flights.parquet' f; a query that you trust may do more with --allow-external"

_HARMLESS = frozenset({
    "SELECT", "INSERT", "UPDATE", "DELETE", "MERGE_INTO", "CREATE", "DROP", "ALTER", "SET", "VARIABLE_SET", "CALL",
    "PRAGMA", "TRANSACTION", "VACUUM", "ANALYZE",
})  # fmt: skip
"""Kinds of statements that work on what is in memory, once files are out of reach."""

_WRAPPING = frozenset({"EXPLAIN", "MULTI"})
"""Kinds of statements that may hold another one."""

_REACHING = frozenset(
    {"COPY", "ATTACH", "DETACH", "EXPORT", "IMPORT", "INSTALL", "LOAD", "PREPARE", "EXECUTE"}
)

_RUNS_TEXTS = frozenset({"QUERY", "JSON_EXECUTE_SERIALIZED_SQL"})
"""Functions that run a text as SQL, which may be put together of parts: what it does can't be seen."""

_TOKEN = re.compile(
    r"""--[^\n]*|/\*.*?\*/|'((?:[^']|'')*)'|"((?:[^"]|"")*)"|\$([A-Za-z_]*)\$(.*?)\$\3\$""", re.DOTALL
)
"""A comment, a text, a name in quotes, a text in dollars."""

_SETTINGS = {
    "python_enable_replacements": "false", "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false", "allow_community_extensions": "false",
    "allow_persistent_secrets": "false",
    "allowed_configs": "['threads', 'TimeZone', 'default_order', 'default_null_order']",
}  # fmt: skip
_LAST = {"enable_external_access": "false", "lock_configuration": "true"}
"""After these no setting can be changed."""


def confine(connection: duckdb.DuckDBPyConnection, script: str, more: Iterable[Path] = ()) -> None:
    """
    Close a connection to all but some files, for good.

    Args:
        connection: with everything on it that is needed.
        script: what will run; the data files that it names stay open, those that a glob finds included.
        more: further files that stay open.
    """
    paths = [*_named_files(script), *map(str, more)]
    settings = {**_SETTINGS, "allowed_paths": f"[{', '.join(map(quoted_text, paths))}]", **_LAST}
    for name, value in settings.items():
        connection.execute(f"SET {name} = {value}")


def check_kinds(statements: Sequence[duckdb.Statement]) -> None:
    """
    Args:
        statements: that will run on a confined connection.
    Raises: QueryError for one that reads or writes files by its kind, whatever files it names, or holds such a one.
    """
    for statement in statements:
        kind, query = kind_of(statement), statement.query.strip()
        words = _words(query)
        found = _hidden_in(words)
        if found is None and kind in _WRAPPING:
            found = next((word for word in words if word in _REACHING), None)
        if found is None and kind not in _HARMLESS | _WRAPPING:
            found = query.split(maxsplit=1)[0].upper()
        if found is not None:
            raise QueryError(
                f"{found} is switched off: it reaches beyond the files that a query names", hint=HINT
            )


def _hidden_in(words: Sequence[str]) -> str | None:
    """What a harmless statement hides: `WITH a AS (COPY …)`, which is a SELECT to DuckDB, or a text that is run."""
    opened, before = False, ""  # whether brackets have just been opened, and the word before them
    for word, after in pairwise((*words, "")):
        if word == "COPY" and opened and before in ("AS", "MATERIALIZED"):
            return word
        if word in _RUNS_TEXTS and after == "(":
            return f"{word.lower()}()"
        opened = word == "("
        before = before if opened else word
    return None


def _words(query: str) -> list[str]:
    """A query's words and signs as DuckDB reads them, upper case, without texts, comments and quotation marks."""
    import duckdb

    content = query.encode()
    tokens = duckdb.tokenize(query)
    ends = [*(start for start, _ in tokens[1:]), len(content)]
    return [
        content[start:end].decode(errors="replace").strip().strip('"').upper()
        for (start, kind), end in zip(tokens, ends, strict=True)
        if kind not in (duckdb.token_type.string_const, duckdb.token_type.comment)
    ]


def kind_of(statement: duckdb.Statement) -> str:
    """What DuckDB calls the kind of a statement; empty for one that its Python module has no name for."""
    try:
        return str(statement.type.name)
    except ValueError:
        return ""


def _named_files(script: str) -> Iterator[str]:
    """Data files, by their endings, whose names stand in a script; one that is not there, for DuckDB to say so."""
    for token in _TOKEN.finditer(script):
        single, double, _, dollars = token.groups()
        name = single.replace("''", "'") if single else double.replace('""', '"') if double else dollars
        if not name or "://" in name or format_of(Path(name)) is None:
            continue
        yield name
        # DuckDB looks for a folder of files, where there is no file of the name.
        pattern = name if has_magic(name) else f"{name}/**/*{Path(name).suffix}"
        yield pattern
        yield from glob(pattern, recursive=True, include_hidden=True)  # noqa: PTH207  # Path's takes no absolute one
