"""`stream models`: the versions of a model package."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from stream.cli.models_at_mlflow import pull, push
from stream.cli.options import config_option, first_opening, json_option, opening_early, settings_of
from stream.cli.terminal import as_json, print_data, print_line, print_table, say, short

if TYPE_CHECKING:
    from stream.settings import Settings
    from stream.store import Listed, Package, Shown, Trust

__all__ = ["models"]

_PACKAGE = click.argument("package", type=click.Path(path_type=Path), required=False)
_VERSION = click.option(
    "--version", type=click.IntRange(min=1), metavar="N", help="Which version (default: the current one)."
)
_METRICS = 3
"""Metrics shown in a line of the table; `show` has all of them."""


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
        print_data(as_json([_entry(one) for one in found]))
    else:
        print_table([_row(one) for one in found])
    for one in found:
        if one.problem is not None:
            say(f"version {one.version}: {one.problem}")
    if not any(one.current for one in found):
        say("`current` names none of them; correct it with `stream models rollback --to N`")


def _entry(one: Listed) -> dict[str, object]:
    manifest = one.manifest
    return {
        "version": one.version, "current": one.current,
        "name": manifest and manifest.name, "created": manifest and manifest.created,
        "task": manifest and manifest.task, "metrics": dict(manifest.metrics) if manifest else {},
        "signed": one.signed, "signer": one.signer, "size_bytes": one.size_bytes, "problem": one.problem,
    }  # fmt: skip


def _row(one: Listed) -> dict[str, object]:
    manifest = one.manifest
    signed = one.signed if one.signer is None else f"{one.signer[:23]}…"
    return {
        "version": one.version,
        "current": "*" if one.current else "",
        "packed": manifest.created if manifest else "can't be read",
        "task": manifest.task if manifest else None,
        "metrics": _summary(manifest.metrics) if manifest else None,
        "signed": signed if manifest else None,
        "size": _size(one.size_bytes) if manifest else None,
    }


def _summary(metrics: Mapping[str, float | int | str]) -> str:
    return ", ".join(f"{name} {short(value)}" for name, value in [*metrics.items()][:_METRICS])


def _size(size_bytes: int) -> str:
    return f"{size_bytes / 1024:,.0f} KiB" if size_bytes < 1024**2 else f"{size_bytes / 1024**2:,.1f} MiB"


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
        _print(shown)


def _print(shown: Shown) -> None:
    manifest = shown.manifest
    registered = manifest.registered
    about = {
        "model": manifest.model,
        "registered": registered and f"{registered.uri}, packed as {registered.packed}",
        "folder": shown.path,
        "packed": manifest.created,
        "signed": shown.signer or shown.signed,
        "task": manifest.task,
        "classes": None if manifest.classes is None else ", ".join(map(short, manifest.classes)),
        "answer": manifest.answer,
        "score": manifest.score_meaning,
        "carries": ", ".join(manifest.carry) or None,
        "tolerance": f"{manifest.tolerance:g}",
        "proof": manifest.proof,
    }
    about |= {name: f"CRC-64-AVRO {text}" for name, text in shown.fingerprints.items()}
    about |= {f"metric {short(name)}": short(value) for name, value in manifest.metrics.items()}
    about |= {
        f"file {name}": f"{entry.size_bytes:,} bytes, sha256 {entry.sha256}"
        for name, entry in manifest.files.items()
    }
    about["libraries"] = ", ".join(
        f"{short(name)} {short(text)}" for name, text in manifest.libraries.items()
    )
    lines = [(name, value) for name, value in about.items() if value is not None]
    lines += [("differs", short(text)) for text in shown.differences]
    width = max(len(name) for name, _ in lines)
    for name, value in lines:
        print_line(f"{name:<{width}}  {value}")
    print_line()
    print_table(
        [
            {
                "feature": f.name,
                "field": f.path,
                "avro": f.avro,
                "null": "allowed" if f.nullable else "",
                "as": f"{f.kind} ({f.dtype})" if f.dtype else f.kind,
            }
            for f in manifest.features
        ]
    )


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
