"""`stream export`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from stream.cli.options import as_json, config_option, json_option, settings_of

if TYPE_CHECKING:
    from stream.export import Names
    from stream.store import Package

__all__ = ["export"]

TARGETS = ("onnx", "bigquery")
LATER = ("sagemaker", "mlflow", "docker")
"""Targets that are promised and not there yet."""


@click.command()
@click.argument("package", required=False, type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option(
    "--to", "target", required=True, type=click.Choice([*TARGETS, *LATER]), help="The other system."
)
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
              help="The folder for the files (default: NAME-VERSION-TARGET).")  # fmt: skip
@click.option("--dataset", default="PROJECT.DATASET", help="BigQuery: where the function or model goes.")
@click.option("--connection", default="PROJECT.LOCATION.CONNECTION", help="BigQuery: may call the service.")
@click.option("--endpoint", default="https://HOST/bigquery", help="BigQuery: address of `stream serve`.")
@click.option("--bucket", default="gs://BUCKET/FOLDER", help="BigQuery: where model.onnx will be.")
@config_option
@json_option
def export(  # noqa: PLR0913  # one argument per option of the command
    package: Path | None,
    target: str,
    out: Path | None,
    dataset: str,
    connection: str,
    endpoint: str,
    bucket: str,
    config: Path | None,
    json_out: bool,
) -> None:
    """
    Write what another system needs to give a model's answers.

    PACKAGE is a package's folder (default: [model] uri). bigquery: the SQL of a remote function that asks
    `stream serve`. onnx: model.onnx, which must answer the golden rows as the model did, and the SQL of a model
    inside BigQuery. The paths of the files are printed.

    \b
    Example:
      stream export --to bigquery --dataset shop.flights models/flights
    """
    from stream.app.parts import open_configured
    from stream.errors import SettingsError
    from stream.export import Names

    if target in LATER:
        raise SettingsError(
            f"--to {target}: is not there yet; there are {', '.join(TARGETS)}",
            hint="see docs/sql.md, or the SageMaker and MLflow parts of docs/rest.md",
        )
    names = Names(dataset, connection, endpoint, bucket)
    settings = settings_of(config)
    if package is not None:
        settings = replace(settings, model=replace(settings.model, uri=str(package.absolute())))
    opened = open_configured(settings)
    files = _bigquery(opened, names) if target == "bigquery" else _onnx(opened, names)
    _write(
        out or Path(f"{opened.manifest.name}-{opened.manifest.version}-{target}"), files, json_out=json_out
    )
    _say_open(names, target)


def _bigquery(package: Package, names: Names) -> Mapping[str, bytes]:
    from stream.export import remote_function

    return {"remote_function.sql": remote_function(package.manifest, names).encode()}


def _onnx(package: Package, names: Names) -> Mapping[str, bytes]:
    from stream.export import compile_onnx, model_ddl
    from stream.store import golden_of

    compiled = compile_onnx(package, golden_of(package))
    left = f"; {compiled.left_out} with a text that is null were left out" if compiled.left_out else ""
    click.echo(
        f"{compiled.rows} golden rows have the same answers, scores within {compiled.difference:.1e}{left}",
        err=True,
    )
    ddl = model_ddl(package.manifest, compiled, names)
    return {"model.onnx": compiled.content, "create_model.sql": ddl.encode()}


def _write(folder: Path, files: Mapping[str, bytes], *, json_out: bool) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    paths = [str(folder / name) for name in files]
    click.echo(as_json({"files": paths}) if json_out else "\n".join(paths))


def _say_open(names: Names, target: str) -> None:
    """Which words in the files are still to be replaced."""
    used = ("--dataset", "--connection", "--endpoint") if target == "bigquery" else ("--dataset", "--bucket")
    left = [option for option in names.open if option in used]
    if left:
        click.echo(f"fill in the words in capitals, or give {', '.join(left)}", err=True)
