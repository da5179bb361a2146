"""`stream watch`."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from stream.cli.options import config_option, json_option, settings_of
from stream.cli.terminal import as_json, data_stream, print_data, say, short

__all__ = ["watch"]


@click.command()
@config_option
@click.option("--topic", help="Topic to read (default: [output] topic).")
@click.option("--n", "n", type=click.IntRange(min=1), help="Stop after N records (default: never).")
@click.option(
    "--from", "start", type=click.Choice(["earliest", "latest"]), default="latest", show_default=True
)
@json_option
def watch(
    config: Path | None,
    topic: str | None,
    n: int | None,
    start: Literal["earliest", "latest"],
    json_out: bool,
) -> None:
    """
    Show predictions as they arrive: rows on a terminal, JSON lines elsewhere or with --json.

    With --topic it shows the input topic or the dead-letter topic of the configuration too, the latter with
    the headers that say why. It joins no group and commits nothing.

    \b
    Example:
      stream watch --from earliest --n 10
    """
    from stream.tasks import watch_topic

    rows = watch_topic(settings_of(config), topic, start)
    table = data_stream().isatty() and not json_out
    try:
        for number, row in enumerate(rows, start=1):
            print_data(_line(row) if table else as_json(row))
            if number == n:
                break
    except KeyboardInterrupt:
        say("")


def _line(row: dict[str, object]) -> str:
    """A row for people: `name=value` of what is not null."""
    return "  ".join(f"{_word(name)}={_word(value)}" for name, value in row.items() if value is not None)


def _word(value: object) -> str:
    """Quoted where it could be taken for several: a key may hold `x  label=1`."""
    text = short(value)
    return '"' + text.replace('"', '\\"') + '"' if any(mark in text for mark in ' ="') else text
