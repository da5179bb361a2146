"""`stream export`: what it offers is the table of targets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from stream.cli.options import PackagePlace, config_option, json_option, model_settings
from stream.cli.terminal import as_json, print_data, say
from stream.export import EXPORTERS, filled, left_open

__all__ = ["export"]

_TARGETS = "\n\n".join(f"{name}: {exporter.help}" for name, exporter in EXPORTERS.items())

_HELP = f"""
Write the files that another system needs for a model's predictions.

PACKAGE is a package's folder, or a URI of MLflow (default: [model] uri). The paths of what is written are
printed.

{_TARGETS}

\b
Example:
  stream export --to bigquery --dataset shop.flights models/flights
"""


def _target_options(command: Any) -> Any:
    """Each option of the targets, with the names of those that take it."""
    takers: dict[str, list[str]] = {}
    options = {}
    for exporter in EXPORTERS.values():
        for option in exporter.options:
            takers.setdefault(option.name, []).append(exporter.name)
            options[option.name] = option
    for name, option in reversed(options.items()):
        text = f"{', '.join(takers[name])}: {option.help} (such as {option.like})."
        command = click.option(option.flag, help=text)(command)
    return command


@click.command(help=_HELP)
@click.argument("package", required=False, type=PackagePlace())
@click.option("--to", "target", required=True, type=click.Choice(list(EXPORTERS)), help="The other system.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
              help="The folder for the files (default: NAME-VERSION-TARGET).")  # fmt: skip
@_target_options
@config_option
@json_option
def export(
    package: Path | None,
    target: str,
    out: Path | None,
    config: Path | None,
    json_out: bool,
    **options: str | None,
) -> None:
    """Write a target's files; its options come as they were typed."""
    from stream.resources import open_configured

    exporter = EXPORTERS[target]
    given = {name: value for name, value in options.items() if value is not None}
    values = filled(exporter, given)
    settings = model_settings(config, package)
    opened = open_configured(settings, engine="sklearn")
    folder = out or Path(f"{opened.manifest.name}-{opened.manifest.version}-{target}")
    exported = exporter.export(opened, settings, values, folder)
    for note in exported.notes:
        say(note)
    paths = [str(path) for path in exported.files]
    for line in [as_json({"files": paths})] if json_out else paths:
        print_data(line)
    if left := left_open(exporter, given):
        say(f"fill in the words in capitals, or give {', '.join(left)}")
