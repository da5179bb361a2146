"""`stream produce`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from stream.cli.options import RATE, config_option, delimiter_option, settings_of
from stream.cli.terminal import progress_bar, say

__all__ = ["produce"]


@click.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@config_option
@click.option("--topic", help="Topic to write (default: [input] topic).")
@click.option("--rate", type=RATE, help="Events per second (default: no limit).")
@click.option("--key", metavar="FIELD", help="Field whose text becomes the record's key (default: no key).")
@click.option(
    "--register", is_flag=True, help="Register the events' schema if the registry does not know it."
)
@click.option("--limit", type=click.IntRange(min=1), help="Send only the first N rows.")
@delimiter_option
def produce(  # noqa: PLR0913  # one argument per option of the command
    file: Path,
    config: Path | None,
    topic: str | None,
    rate: float | None,
    key: str | None,
    limit: int | None,
    register: bool,
    delimiter: str | None,
) -> None:
    """
    Send a data file's rows as Avro events to the input topic.

    FILE is csv, parquet, avro, JSON or Arrow (docs/batch.md). Its rows are written with [input] schema (default:
    the model package's features.avsc) in [input] framing. A file without a column that the
    events need, or without any that the model reads, is refused before anything is sent. A row that does not fit the
    schema ends the command, which names the file, row and column; the rows before it have been sent.

    \b
    Example:
      stream produce flights.csv --key flight_id --rate 1000
    """
    from stream.tasks import RowFile, check_file, send_file

    settings = settings_of(config)
    if topic is not None:
        settings = replace(settings, input=replace(settings.input, topic=topic))
    rows = RowFile(file, delimiter)
    for note in check_file(rows, settings):
        say(note)
    with progress_bar(f"events from {file.name}", limit) as progress:
        sent = send_file(
            rows,
            settings,
            key,
            rate=rate,
            limit=limit,
            register=register,
            progress=progress,
        )
    say(f"{sent} events sent to {settings.input.topic}")
