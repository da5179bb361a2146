"""`--master` of the commands that Spark can do."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from stream.cli.batch import batch
from stream.cli.sql import sql

FLIGHTS = Path(__file__).parents[3] / "models" / "flights"


@pytest.mark.parametrize(
    ("command", "arguments"),
    [
        (sql, ["SELECT 1", "--master", "local[1]"]),
        (sql, ["--master", "local[1]", "--engine", "duckdb", "SELECT 1"]),
        (batch, ["x.csv", "--output", "out", "--master", "local[1]"]),
        (batch, ["x.csv", "--master", "local[1]", "--engine", "local", "--output", "out"]),
    ],
)
def test_master_without_spark_is_refused(command: click.Command, arguments: list[str]) -> None:
    """Whoever names a cluster is not answered by this machine in silence."""
    done = CliRunner().invoke(command, arguments)

    assert (2, True) == (done.exit_code, "--master needs --engine spark" in done.output), done.output


def test_sql_asks_the_master_that_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the option stands before the engine."""
    asked: list[str | None] = []

    def refuse(master: str | None) -> None:
        asked.append(master)
        raise InterruptedError

    monkeypatch.setattr("stream.spark.open_session", refuse)
    CliRunner().invoke(
        sql, ["--master", "local[1]", "--engine", "spark", "--model", str(FLIGHTS), "SELECT 1"]
    )

    assert ["local[1]"] == asked
