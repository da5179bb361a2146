"""`stream topics`."""

from __future__ import annotations

from pathlib import Path

import click

from stream.cli.options import as_json, config_option, json_option, print_table, settings_of

__all__ = ["topics"]


@click.command()
@config_option
@click.option("--create", is_flag=True, help="Make the topics that are not there.")
@json_option
def topics(config: Path | None, create: bool, json_out: bool) -> int:
    """
    Show the topics that stream.toml needs, and make those that are not there.

    Topics are made with [input] partitions and replication; the dead-letter topic takes records 64 KiB
    larger than the input's. With a schema registry, --create also registers the prediction's schema. Exit 1
    when one is missing and --create was not given.

    \b
    Example:
      stream topics --create
    """
    from stream.app.topics import wanted_topics
    from stream.rights import rights_of
    from stream.transport.topic_admin import Cluster

    settings = settings_of(config)
    cluster = Cluster(settings.kafka, rights_of("topics --create" if create else "topics", settings))
    cluster.partitions()  # whether a broker answers at all, before anything else waits for it
    wanted = wanted_topics(settings, cluster.max_message_bytes(settings.input.topic))
    with cluster.naming_refusals():
        states = cluster.create(wanted) if create else cluster.look(wanted)
    if create and settings.output_framing == "confluent":
        # Imported only here: Arrow and the codecs take a second, and without a registry nothing needs them.
        from stream.app.topic_schemas import package_schema, prefix_of

        schema = package_schema(settings, "prediction.avsc")
        prefix = prefix_of(settings, "output", schema, register=True)
        click.echo(f"{schema.name} is registered with id {int.from_bytes(prefix[1:], 'big')}", err=True)
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
        click.echo(as_json(rows))
    else:
        print_table(rows)
    missing = [state.name for state in states if state.partitions is None]
    if missing:
        click.echo(f"missing: {', '.join(missing)}; make them with `stream topics --create`", err=True)
    return 1 if missing else 0
