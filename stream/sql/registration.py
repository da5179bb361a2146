"""The functions of a model on a DuckDB connection."""

from __future__ import annotations

import atexit
import logging
import os
import re
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from stream.codec import Leaf, RecordSchema
from stream.errors import SettingsError, StreamError
from stream.extras import require
from stream.mlflow import place_of
from stream.scoring import answer_fields
from stream.settings import Settings
from stream.sql.gathering import Gathering
from stream.sql.outcomes import FaultCount, Listener, Outcomes, Tally
from stream.sql.spelling import Spelling
from stream.store import Package, Trust, open_package
from stream.table import ColumnReader, names_of

if TYPE_CHECKING:
    import duckdb

__all__ = ["Registered", "connect", "open_connection", "register"]

log = logging.getLogger(__name__)

_THREADS = 8
"""Threads of a connection of ours at the least: each brings 2,048 rows to a call of the model (`gathering`)."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


@dataclass(slots=True)
class Registered:
    """
    A model's functions on a connection.

    Attributes:
        connection: where they are.
        names: of the functions: `predict`, `predict_label`, …
        tally: what became of the rows so far; `clear` it before a query to count that query's.
        outcomes: answers the functions.
        leaves: the model's columns, by each name that one may have.
        answer: DuckDB's name for the type of `predict`.
        refusal: why the model could not be asked, if it could not: DuckDB's own error has its text only.
    """

    connection: duckdb.DuckDBPyConnection
    names: tuple[str, ...]
    tally: Tally
    outcomes: Outcomes
    leaves: Mapping[str, Leaf]
    answer: str
    refusal: BaseException | None = None

    def spelling(self, *, json: bool) -> Spelling:
        """How a query's rows are written in a file of texts."""
        return Spelling(json, self.answer, self.outcomes.types)

    def remove(self) -> None:
        """Take the functions off the connection. Idempotent."""
        for name in self.names[:-1]:
            self.connection.execute(f'DROP MACRO IF EXISTS "{name}"')
        if self.names:
            self.connection.remove_function(self.names[-1])
        self.names = ()


def connect(
    package: Package | Path | str, database: Path | str = ":memory:", *, trust: Trust | None = None
) -> duckdb.DuckDBPyConnection:
    """
    Open a DuckDB connection on which `predict` is a function.

    Args:
        package: a model package: its folder, or opened.
        database: DuckDB's file; default: in memory.
        trust: who may have packed it; None for anybody.
    Returns: the connection; close it when done, else it is closed when Python exits.
    Raises: PackageError when the package is refused; SettingsError when DuckDB is not installed;
        duckdb.Error when the database can't be opened.
    """
    return open_connection(package, database, trust=trust).connection


def open_connection(
    package: Package | Path | str,
    database: Path | str = ":memory:",
    *,
    trust: Trust | None = None,
    listener: Listener | None = None,
) -> Registered:
    """As `connect`, for callers that also want to know which rows had no prediction; `listener` as for `register`."""
    require("SQL", "sql", "duckdb")
    import duckdb

    opened = _opened(package, trust)
    connection = duckdb.connect(str(database))
    connection.execute(f"SET threads = {max(_THREADS, os.cpu_count() or 1)}")
    return register(connection, opened, listener=listener)


def register(
    connection: duckdb.DuckDBPyConnection,
    package: Package | Path | str,
    name: str = "predict",
    *,
    trust: Trust | None = None,
    listener: Listener | None = None,
) -> Registered:
    """
    Make a model's functions known to a connection of your own.

    `predict(f)` gives a struct of the prediction's fields, `predict_label(f)`, `predict_score(f)`,
    `predict_value(f)` … one of them, `predict_error(f)` why there is none. Several models can be registered
    side by side, each under its own name. They last as long as the connection, and are never written into its database.

    Args:
        connection: open; set `threads` to 8 or more where a pipeline on pandas is to be fast.
        package: a model package: its folder, or opened.
        name: of the functions.
        trust: who may have packed it; None for anybody.
        listener: called with reasons for which a row has no prediction, when they first come up; default: logs
            a warning.
    Returns: what was registered, with the count of rows that had no prediction.
    Raises: PackageError when the package is refused; SettingsError when the name can't be used, two of the model's
        columns differ by case only, or DuckDB is not installed.
    """
    require("SQL", "sql", "duckdb")
    if not _NAME.match(name):
        raise SettingsError(f"name {name!r}: expected letters, digits and _", hint="try 'predict'")
    opened, tally = _opened(package, trust), Tally()
    _check_case(opened)
    listening = (listener,) if listener else (_warn, log.warning)
    return _registered(connection, opened, name, Outcomes(opened, name, tally, *listening), tally)


def _registered(
    connection: duckdb.DuckDBPyConnection, package: Package, name: str, outcomes: Outcomes, tally: Tally
) -> Registered:
    from duckdb.func import FunctionNullHandling, PythonUDFType

    inner = f"{name}_outcome"
    fields = [field.name for field in answer_fields(package.manifest)]
    names = (name, *(f"{name}_{field}" for field in fields), f"{name}_error", inner)
    # parameters=None: a declared struct would refuse every table with one column more or less.
    answered = connection.from_arrow(pa.table({"outcome": pa.array([], outcomes.type)})).types[0]
    prediction = str(answered.children[0][1])
    registered = Registered(connection, names, tally, outcomes, _leaves(package), prediction)
    connection.create_function(
        inner,
        _answering(registered),
        None,
        answered,
        type=PythonUDFType.ARROW,
        null_handling=FunctionNullHandling.SPECIAL,
    )
    # Macros, so that DuckDB sees one call where a query has several of them.
    bodies = [f"{inner}(f).prediction", *(f'{inner}(f).prediction."{field}"' for field in fields),
              f"{inner}(f).error"]  # fmt: skip
    for macro, body in zip(names, bodies, strict=False):
        connection.execute(f'CREATE OR REPLACE TEMP MACRO "{macro}"(f) AS {body}')
    # A function that is still there when Python exits makes DuckDB's bindings print what they leaked.
    atexit.register(_close, weakref.ref(connection))
    return registered


def _answering(registered: Registered) -> Callable[[pa.ChunkedArray], pa.Array]:
    """What DuckDB calls with rows: the rows of several threads are one call of the model."""
    gathering = Gathering(registered.outcomes.score)

    def answer(rows: pa.ChunkedArray) -> pa.Array:
        try:
            return gathering.ask(rows.chunk(0) if rows.num_chunks == 1 else rows.combine_chunks())
        except (StreamError, KeyboardInterrupt) as refusal:
            registered.refusal = refusal
            raise

    return answer


def _leaves(package: Package) -> dict[str, Leaf]:
    """The columns that the model takes, by each name that one may have."""
    schema = RecordSchema(package.features)
    leaves = [schema.leaf(path) for path in package.manifest.needed if "." not in path]
    return {name: leaf for leaf in leaves for name in {leaf.path, leaf.feature or leaf.path}}


def _check_case(package: Package) -> None:
    """To DuckDB `ash` and `Ash` are one name; it calls the second `Ash_1`, which the model does not know."""
    manifest = package.manifest
    needed = ColumnReader(RecordSchema(package.features), manifest.needed).record
    known: dict[str, tuple[str, str]] = {}
    for field in needed.fields:
        for name in names_of(field):
            owner, other = known.setdefault(name.casefold(), (field.name, name))
            if owner != field.name:
                raise SettingsError(
                    f"{manifest.model} has columns {other!r} and {name!r}, which are one name in SQL",
                    hint="score files with `stream batch`, which tells them apart, or pack the model with other names",
                )


def _opened(package: Package | Path | str, trust: Trust | None) -> Package:
    if isinstance(package, Package):
        return package
    trust = trust or Trust()
    return open_package(place_of(package, Settings(), trust), trust=trust)


def _close(connection: weakref.ref[duckdb.DuckDBPyConnection]) -> None:
    found = connection()
    if found is not None:
        found.close()


def _warn(new: list[FaultCount]) -> None:
    for fault in new:
        log.warning("rows have no prediction: %s: %s", fault.reason, fault.message)
