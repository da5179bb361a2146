"""`stream sql --engine spark`."""

from __future__ import annotations

from pathlib import Path

import click

from stream.cli.options import print_table
from stream.settings import Settings

__all__ = ["run_on_spark"]


def run_on_spark(settings: Settings, text: str, save: Path | None, rows: int, *, json_out: bool) -> int:
    """
    Run one statement on Spark.

    Args:
        settings: say which model, and whom it is trusted from.
        text: the statement.
        save: a folder for the rows; None to print them.
        rows: of a table.
        json_out: print JSON lines instead of a table.
    Returns: the exit code.
    Raises: Refused, QueryFailed.
    """
    from stream.errors import QueryError
    from stream.resources import trust_of
    from stream.spark import Query, open_session, register
    from stream.sql import FORMAT_OF

    if save is not None and save.suffix.lower() not in FORMAT_OF:
        raise QueryError(
            f"--save {save}: Spark writes {', '.join(FORMAT_OF)}",
            hint="name it out.parquet, or use --engine duckdb",
        )
    spark = open_session()
    try:
        register(spark, settings.path(settings.model.uri), trust=trust_of(settings.model))
        query = Query(spark, text)
        if save is not None:
            query.save(save)
            click.echo(f"written to {save}", err=True)
        elif json_out:
            for line in query.json_lines():
                click.echo(line)
        else:
            found, more = query.first(rows)
            print_table(found)
            if more:
                click.echo(f"the first {rows} rows; --json or --save for all", err=True)
    finally:
        spark.stop()
    return 0
