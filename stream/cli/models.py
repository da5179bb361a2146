"""`stream models`: the versions of a model package."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from stream.cli.models_at_mlflow import pull, push
from stream.cli.models_shown import listed_entry, listed_row, print_shown
from stream.cli.options import config_option, first_opening, json_option, opening_early, settings_of
from stream.cli.terminal import as_json, print_data, print_line, print_table, say

if TYPE_CHECKING:
    from stream.settings import Settings
    from stream.store import Package, Trust

__all__ = ["models"]

_PACKAGE = click.argument("package", type=click.Path(path_type=Path), required=False)
_VERSION = click.option(
    "--version", type=click.IntRange(min=1), metavar="N", help="Which version (default: the current one)."
)


@click.group()
def models() -> None:
    """
    Show, verify and change the versions of a model package.

    PACKAGE is the package's folder, or a URI of MLflow; without it, [model] uri of the configuration. Keys and trusted
    types come from the configuration.

    \b
    Example:
      stream models list models/flights
    """


models.add_command(push)
models.add_command(pull)


@models.command("list")
@_PACKAGE
@config_option
@json_option
def list_command(package: Path | None, config: Path | None, json_out: bool) -> None:
    """
    List the versions: when each was packed, its task, who signed it.

    Only manifests are read, and no model is opened; `stream models verify` checks everything.

    \b
    Example:
      stream models list models/flights --json
    """
    from stream.store import list_versions

    folder, trust = _chosen(settings_of(config), package)
    found = list_versions(folder, trust)
    if json_out:
        print_data(as_json([listed_entry(one) for one in found]))
    else:
        print_table([listed_row(one) for one in found])
    for one in found:
        if one.problem is not None:
            say(f"version {one.version}: {one.problem}")
    if not any(one.current for one in found):
        say("`current` names none of them; correct it with `stream models rollback --to N`")


@models.command()
@_PACKAGE
@_VERSION
@config_option
@json_option
def show(package: Path | None, version: int | None, config: Path | None, json_out: bool) -> None:
    """
    Show one version: its features, schemas, libraries and metrics.

    The model is not opened.

    \b
    Example:
      stream models show models/flights --version 1
    """
    from stream.store import show_version

    folder, trust = _chosen(settings_of(config), package)
    shown = show_version(folder, version, trust)
    if json_out:
        manifest = asdict(shown.manifest)
        print_data(as_json({**asdict(shown), "path": str(shown.path), "manifest": manifest}))
    else:
        print_shown(shown)


@models.command()
@_PACKAGE
@_VERSION
@click.option(
    "--key", type=click.Path(path_type=Path, exists=True, dir_okay=False), metavar="PEM",
    help="The one public key that must have signed it (default: the configuration's).",
)  # fmt: skip
@config_option
@json_option
def verify(
    package: Path | None, version: int | None, key: Path | None, config: Path | None, json_out: bool
) -> None:
    """
    Open a version as a worker would, first in a process of its own, and print each step's result.

    The steps: the manifest is valid, every file has its sha256, the signature is right if keys are trusted, the
    model loads, its golden rows score as they did when it was packed. Loading a .joblib file runs code, as in the
    worker. On exit 2 the message names the step that failed.

    \b
    Example:
      stream models verify models/flights --key release.pub.pem
    """
    settings = settings_of(config)
    folder, trust = _chosen(settings, package, key)
    opening = opening_early(settings, folder, version, trust)
    from stream.errors import PackageError
    from stream.resources import open_behind_child
    from stream.store import STEPS

    passed: dict[str, str] = {}
    refused: PackageError | None = None
    notes: tuple[str, ...] = ()
    try:
        notes = open_behind_child(
            settings.model, folder, opening, version=version, trust=trust, witness=passed.__setitem__
        ).notes
    except PackageError as error:
        refused = error
    steps: list[dict[str, object]] = [
        {"step": step, "ok": False, "found": refused.message}
        if refused is not None and step == refused.step
        else {"step": step, "ok": True if step in passed else None, "found": passed.get(step, "not reached")}
        for step in STEPS
    ]
    if json_out:
        print_data(as_json({"package": str(folder), "ok": refused is None, "steps": steps, "notes": notes}))
    else:
        for step in steps:
            mark = {True: "ok", False: "FAIL", None: "-"}[step["ok"]]  # type: ignore[index]
            print_line(f"{mark:<5} {step['step']:<10} {step['found']}")
    for note in notes:
        say(f"note: {note}")
    if refused is not None:
        raise refused


@models.command()
@_PACKAGE
@click.option(
    "--to", type=click.IntRange(min=1), metavar="N", help="Which version (default: the one before)."
)
@config_option
@json_option
def rollback(package: Path | None, to: int | None, config: Path | None, json_out: bool) -> None:
    """
    Make the version before the current one current again, or --to N.

    The version is opened first, as a worker would, and `current` is replaced atomically: if the version is
    refused, nothing changes. Versions are never removed, so a rollback can be undone.

    \b
    Example:
      stream models rollback models/flights --to 1
    """
    settings = settings_of(config)
    _check_local(package or settings.model.uri)
    folder, trust = _chosen(settings, package)
    opening = first_opening(settings)
    from stream.resources import open_behind_child
    from stream.store import roll_back

    def open_it(package: Path, version: int, trust: Trust) -> Package:
        return open_behind_child(settings.model, package, opening, version=version, trust=trust)

    done = roll_back(folder, to, trust, open_it)
    now = done.package.manifest
    for note in done.package.notes:
        say(f"note: {note}")
    if json_out:
        print_data(
            as_json({"package": str(folder), "was": done.was, "current": now.version, "model": now.model})
        )
    elif done.was == now.version:
        print_line(f"{folder}: version {now.version} is current already; nothing has changed")
    else:
        print_line(
            f"{folder}: current is version {now.version} now ({now.created}); it was {done.was or 'none'}"
        )


def _check_local(package: Path | str) -> None:
    """Of a registered model the registry says which version serves. Raises: SettingsError."""
    from stream.errors import SettingsError
    from stream.mlflow import parse

    uri = parse(package)
    if uri is not None:
        move = (
            f"`mlflow.MlflowClient().set_registered_model_alias({uri.name!r}, {uri.alias or 'ALIAS'!r}, 'N')`"
        )
        raise SettingsError(
            f"{uri}: an MLflow server says which version serves, not this command",
            hint=f"move the alias there: {move}",
        )


def _chosen(settings: Settings, package: Path | None, key: Path | None = None) -> tuple[Path, Trust]:
    """The package's folder, and whom it is trusted from."""
    from stream.errors import SettingsError
    from stream.resources import is_remote, package_folder, trust_of
    from stream.store import PublicKey
    from stream.text_files import read_text_file

    trust = trust_of(settings.model)
    if key is not None:
        text = read_text_file(key, SettingsError, "give the public key's file", f"--key {key}")
        trust = replace(trust, keys=(PublicKey.read(text, f"--key {key}"),), require=True)
    chosen = (
        settings if package is None else replace(settings, model=replace(settings.model, uri=str(package)))
    )
    return (package_folder(chosen) if package is None or is_remote(chosen) else package), trust
