"""`stream sql`."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from stream.cli.options import config_option, json_flag, master_option, model_option, model_settings
from stream.cli.terminal import data_stream, print_data, print_line, print_table, say, stdout_kept
from stream.shown import json_shown

if TYPE_CHECKING:
    from stream.settings import Settings
    from stream.sql import Result, Session, Tally

__all__ = ["sql"]

WIDTH = 120
"""Characters of a table's line when stdout is not a terminal."""


@click.command()
@click.argument("query", required=False)
@click.option("--save", type=click.Path(path_type=Path), metavar="FILE",
              help="Keep the rows of the last statement: .parquet, .csv, .json, .duckdb.")  # fmt: skip
@click.option("--table", default="predictions", show_default=True, help="The table in a .duckdb file.")
@click.option(
    "--engine", type=click.Choice(["duckdb", "spark"]), default="duckdb", show_default=True,
    is_eager=True, help="Who runs the query.",
)  # fmt: skip
@master_option
@model_option
@click.option(
    "--allow-external", is_flag=True,
    help="Let the query reach any file, address and extension that DuckDB can, and write files.",
)  # fmt: skip
@click.option("--rows", type=click.IntRange(min=2), default=40, show_default=True, help="Rows to print.")
@config_option
@json_flag
def sql(  # noqa: PLR0913  # one argument per option of the command
    query: str | None,
    save: Path | None,
    table: str,
    engine: str,
    master: str | None,
    model: Path | None,
    allow_external: bool,
    rows: int,
    config: Path | None,
    json_out: bool,
) -> int:
    """
    Query in SQL: predict(f) is a function of DuckDB.

    predict(f) returns a struct of the prediction's fields; predict_label(f), predict_score(f), predict_value(f)
    … return one of them; predict_error(f) says why there is no prediction. f is the name of a table in
    the query: a file (parquet, csv, json), a table of an attached database, a subquery. A row without a
    prediction has a null; if there are any, their number is printed at the end and the exit code is 1.

    A query reads the data files that it names, and nothing else: --allow-external lets one that you trust do more.

    Without QUERY, statements are read from standard input; on a terminal there is a prompt with a history.

    \b
    Example:
      stream sql "SELECT *, predict(f) FROM 'flights.parquet' f"
    """
    if query is None and engine != "spark" and sys.stdin.isatty():
        return _conversation(model_settings(config, model), save, rows, json_out=json_out)
    with stdout_kept():  # not at a prompt, which edits its line there
        settings, script = model_settings(config, model), sys.stdin.read() if query is None else query
        if engine == "spark":
            return _run_on_spark(settings, master, script, save, rows, json_out=json_out)
        return _run_on_duckdb(
            settings, script, None if save is None else (save, table), rows,
            json_out=json_out, allow_external=allow_external,
        )  # fmt: skip


def _conversation(settings: Settings, save: Path | None, rows: int, *, json_out: bool) -> int:
    """Whoever types it may do what they can do anyway."""
    from stream.cli.prompt import converse
    from stream.resources import open_configured
    from stream.sql import Session, check_target, open_connection

    if save is not None:
        check_target(save)
    registered = open_connection(open_configured(settings, engine="sklearn"), listener=lambda _: None)
    try:
        session = Session(registered)
        return converse(session, lambda result: _print(session, result, rows, json_out), say_faults)
    finally:
        registered.connection.close()


def _run_on_duckdb(
    settings: Settings,
    script: str,
    saved: tuple[Path, str] | None,
    rows: int,
    *,
    json_out: bool,
    allow_external: bool,
) -> int:
    from stream.resources import open_configured
    from stream.sql import Session, check_target, open_connection, written_files

    if saved is not None:
        check_target(saved[0])
    registered = open_connection(open_configured(settings), listener=lambda _: None)
    try:
        files = () if saved is None else written_files(saved[0])
        session = Session(registered, None if allow_external else files)
        keep = None if saved is None else partial(_keep, *saved, files[0])
        return _run(session, script, keep, rows, json_out=json_out)
    finally:
        registered.connection.close()


def _run(
    session: Session,
    script: str,
    keep: Callable[[Session, Result], None] | None,
    rows: int,
    *,
    json_out: bool,
) -> int:
    from stream.errors import QueryError

    last: Result | None = None
    for result in session.run(script):
        if last is not None:
            _print(session, last, rows, json_out)
        last = result
    if last is None and keep is not None:
        raise QueryError("--save: the query returns no rows", hint="end it with a SELECT")
    if last is not None and keep is not None:
        keep(session, last)
    elif last is not None:
        _print(session, last, rows, json_out)
    return say_faults(session.registered.tally)


def _keep(save: Path, table: str, beside: Path, session: Session, result: Result) -> None:
    from stream.sql import save as keep

    count = keep(session, result, save, table, beside)
    say(f"{count:,} rows written to {save}")


def _print(session: Session, result: Result, rows: int, json_out: bool) -> None:
    if json_out:
        for line in session.json_lines(result):
            print_data(json_shown(line))
        return
    width = shutil.get_terminal_size((WIDTH, 24)).columns if data_stream().isatty() else WIDTH
    for line in session.show(result, rows, width).split("\n"):
        print_line(line)


def say_faults(tally: Tally) -> int:
    """Print on stderr which columns were absent, how many rows had no prediction and why. Returns: the exit code."""
    for line in tally.absent:
        say(line)
    if not tally.failed:
        return 0
    say(f"{tally.failed:,} of {tally.rows:,} rows asked about have no prediction (null):")
    for fault in tally.faults.values():
        say(f"  {fault.count:,} × {fault.reason} ({fault.stage}), first: {fault.message}")
    say("  predict_error(f) says it row by row")
    return 1


def _run_on_spark(  # what the command was given
    settings: Settings, master: str | None, text: str, save: Path | None, rows: int, *, json_out: bool
) -> int:
    from stream.errors import QueryError
    from stream.resources import package_folder, trust_of
    from stream.spark import Query, open_session, register_shipped, ship
    from stream.sql import FORMAT_OF

    if save is not None and save.suffix.lower() not in FORMAT_OF:
        raise QueryError(
            f"--save {save}: Spark writes {', '.join(FORMAT_OF)}",
            hint="name it out.parquet, or use --engine duckdb",
        )
    shipped = ship(package_folder(settings), trust_of(settings.model))
    spark = open_session(master)
    try:
        register_shipped(spark, shipped)
        query = Query(spark, text, shipped)
        for note in query.notes:
            say(note)
        if save is not None:
            query.save(save)
            say(f"written to {save}")
        elif json_out:
            for line in query.json_lines():
                print_data(json_shown(line))
        else:
            found, more = query.first(rows)
            print_table(found)
            if more:
                say(f"the first {rows} rows; --json or --save for all")
    finally:
        spark.stop()
    return 0
