"""`stream topics`."""

from __future__ import annotations

from pathlib import Path

import click

from stream.cli.options import config_option, json_option, settings_of
from stream.cli.terminal import as_json, print_data, print_table, say

__all__ = ["topics"]


@click.command()
@config_option
@click.option("--create", is_flag=True, help="Create the missing topics.")
@json_option
def topics(config: Path | None, create: bool, json_out: bool) -> int:
    """
    Show the topics that stream.toml needs, and create the missing ones.

    Topics are created with [input] partitions and replication; the dead-letter topic accepts records 64 KiB
    larger than the input topic's. With a schema registry, --create also registers the prediction's schema. Exit 1
    if a topic is missing and --create was not given.

    \b
    Example:
      stream topics --create
    """
    from stream.tasks import register_prediction, set_up_topics

    settings = settings_of(config)
    states = set_up_topics(settings, create=create)
    if create and (registered := register_prediction(settings)):
        name, number = registered
        say(f"{name} is registered with id {number}")
    rows = [
        {
            "topic": state.name,
            "role": state.role,
            "partitions": state.partitions if state.partitions is not None else "-",
            "state": "created" if state.created else "missing" if state.partitions is None else "there",
        }
        for state in states
    ]
    if json_out:
        print_data(as_json(rows))
    else:
        print_table(rows)
    missing = [state.name for state in states if state.partitions is None]
    if missing:
        say(f"missing: {', '.join(missing)}; create them with `stream topics --create`")
    return 1 if missing else 0
