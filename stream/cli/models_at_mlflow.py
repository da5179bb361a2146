"""`stream models push` and `pull`: packages at an MLflow server."""

from __future__ import annotations

from pathlib import Path

import click

from stream.cli.options import PlaceHere, config_option, json_option, settings_of
from stream.cli.terminal import as_json, print_data, print_line, say, steps_shown

__all__ = ["pull", "push"]


@click.command()
@click.argument("package", type=PlaceHere(path_type=Path, exists=True, file_okay=False), required=False)
@click.option("--name", required=True, help="The registered model; made if it isn't there.")
@click.option("--alias", metavar="A", help="An alias that names the version from now on, such as champion.")
@click.option("--experiment", metavar="E", help="The experiment of the run that logs it (default: the name).")
@click.option("--again", is_flag=True, help="Register it once more, though this version is there already.")
@click.option(
    "--allow-difference",
    is_flag=True,
    help="Register it beside another model's versions, which take other inputs.",
)
@config_option
@json_option
def push(  # noqa: PLR0913  # one argument per option of the command
    package: Path | None,
    name: str,
    alias: str | None,
    experiment: str | None,
    again: bool,
    allow_difference: bool,
    config: Path | None,
    json_out: bool,
) -> None:
    """
    Register the current version of a package at the MLflow server of [mlflow].

    It becomes a model folder that any MLflow loads, with the package in it byte by byte. Metrics, model card and
    manifest are logged to a run. A version that is there already is not registered twice; --alias is set in any
    case. PACKAGE is its folder; without it, [model] uri.

    \b
    Example:
      stream models push models/flights --name flights --alias champion
    """
    from stream.errors import SettingsError
    from stream.mlflow import PushRequest, push_package
    from stream.resources import is_remote, open_configured

    settings = settings_of(config, package)
    if is_remote(settings):
        raise SettingsError(
            f"[model] uri: {settings.model.uri} is at an MLflow server already",
            hint=f"name the folder of a package; `stream models pull {settings.model.uri}` makes one of it",
        )
    request = PushRequest(name, alias, experiment, again, allow_difference)
    with steps_shown(f"pushing {name}") as tell:
        tell("opening the package")
        opened = open_configured(settings, engine="sklearn")
        pushed = push_package(opened, request, settings, tell)
    for message in pushed.messages:
        say(message)
    if json_out:
        done = {
            "name": pushed.name, "version": pushed.version, "uri": pushed.uri, "run_id": pushed.run_id,
            "alias": alias, "new": pushed.new, "model": opened.manifest.model, "messages": pushed.messages,
        }  # fmt: skip
        print_data(as_json(done))
        return
    if not pushed.new:
        say(f"{opened.manifest.model} is there already, byte by byte; --again registers it once more")
    print_line(pushed.uri)


@click.command()
@click.argument("uri", metavar="MLFLOW_URI")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="The package's folder (default: models/NAME).",
)
@click.option("--name", metavar="N", help="The package's name (default: the registered model's).")
@config_option
@json_option
def pull(uri: str, out: Path | None, name: str | None, config: Path | None, json_out: bool) -> None:
    """
    Make a package of a model at an MLflow server.

    MLFLOW_URI is models:/NAME@ALIAS, models:/NAME/VERSION, runs:/ID/PATH, or a model folder. A package that was
    pushed comes back byte by byte, with its signature. A model of the flavours sklearn, lightgbm, xgboost, catboost
    or statsmodels is packed, as `stream pack` does it: its signature and input example say what events look like, and
    its own answers for the example are compared. What would run a stranger's code is refused unless [mlflow] trusted
    is true.

    \b
    Example:
      stream models pull models:/churn@champion --out models/churn
    """
    from stream.mlflow import pull_model
    from stream.resources import trust_of

    settings = settings_of(config)
    with steps_shown(f"pulling {uri}") as tell:
        pulled = pull_model(uri, out, name, settings, trust_of(settings.model), tell)
    for message in pulled.messages:
        say(message)
    if json_out:
        done = {
            "package": str(pulled.path.parent.parent), "name": pulled.manifest.name,
            "version": pulled.manifest.version, "pushed": pulled.pushed, "new": pulled.new,
            "messages": pulled.messages,
        }  # fmt: skip
        print_data(as_json(done))
    else:
        print_data(str(pulled.path))
