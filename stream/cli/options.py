"""Options that several commands share."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import click

from stream.cli.terminal import stdout_kept
from stream.first_opening import FirstOpening
from stream.settings import SIGN_PASSWORD, Settings
from stream.shown import shown

if TYPE_CHECKING:
    from stream.store import SigningKey, Trust

P = ParamSpec("P")
T = TypeVar("T")

__all__ = [
    "RATE",
    "SECONDS",
    "PackagePlace",
    "PlaceHere",
    "config_option",
    "delimiter_option",
    "first_opening",
    "json_flag",
    "json_option",
    "master_option",
    "model_option",
    "model_settings",
    "opening_early",
    "settings_of",
    "sign_option",
    "signing_key",
]


class _Finite(click.FloatRange):
    """A number within limits; `nan` and `inf`, which no limit keeps out, are none."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """As `click.FloatRange` takes it."""
        found = float(super().convert(value, param, ctx))
        if not math.isfinite(found):
            self.fail(f"{value!r} is not a number that can be counted with", param, ctx)
        return found


class PackagePlace(click.Path):
    """A model package: a folder that is there, or a URI of MLflow, which is left as it is."""

    def __init__(self) -> None:
        super().__init__(path_type=Path, exists=True, file_okay=False)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """As `click.Path` takes it."""
        from stream.mlflow import is_uri

        return Path(value) if is_uri(value) else super().convert(value, param, ctx)


class PlaceHere(click.Path):
    """A file or folder of this machine, for a command that does not fetch what a URI of MLflow names."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """As `click.Path` takes it."""
        from stream.mlflow import is_uri

        if is_uri(value):
            self.fail(
                f"{value} is at an MLflow server: bring it here first with `stream models pull {value}`",
                param,
                ctx,
            )
        return super().convert(value, param, ctx)


RATE = _Finite(min=0, min_open=True)
"""So many a second."""

SECONDS = _Finite(min=0.1)
"""Long enough to measure something."""

config_option = click.option(
    "--config",
    "config",
    type=click.Path(path_type=Path, dir_okay=False),
    envvar="STREAM_CONFIG",
    help="Configuration file (default: stream.toml).",
)

sign_option = click.option(
    "--sign",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="KEY",
    help=f"Sign with this ed25519 private key (PEM, PKCS #8); password: {SIGN_PASSWORD}, or asked for.",
)

model_option = click.option(
    "--model",
    type=click.Path(path_type=Path),
    metavar="PACKAGE",
    help="Model package: its folder, or a URI such as models:/NAME@ALIAS (default: [model] uri).",
)

_WRITTEN = {"\\t": "\t", "tab": "\t"}
"""Ways of typing a character that a shell does not pass on."""

delimiter_option = click.option(
    "--delimiter",
    metavar="C",
    callback=lambda _context, _option, value: _WRITTEN.get(value, value),
    help="What separates a csv's cells: ';', '\\t' … (default: found in the file).",
)

json_flag = click.option("--json", "json_out", is_flag=True, help="Print JSON instead of a table.")


def json_option(command: Callable[P, T]) -> Callable[P, T]:
    """`--json` of a command whose data is all that it prints on stdout: what its model prints goes to stderr."""
    return json_flag(stdout_kept()(command))


def first_opening(settings: Settings) -> FirstOpening:
    """
    What opens a version before this process does; its child ends with the command.

    Raises: Retriable when the system can't start one.
    """
    opening = click.get_current_context().with_resource(FirstOpening())
    if settings.model.open_timeout is not None:
        opening.begin()
    return opening


def opening_early(
    settings: Settings, package: Path | None = None, version: int | None = None, trust: Trust | None = None
) -> FirstOpening:
    """
    The same, at work on a version while the command imports what it needs besides.

    Args:
        settings: the command's.
        package: its folder; None for [model] uri.
        version: which one; None for the current.
        trust: who may have packed it; None for what the settings say.
    Raises: SettingsError when a trusted key can't be read; Retriable when the system can't start a process.
    """
    opening = first_opening(settings)
    from stream.resources import ask_early

    ask_early(settings, package, opening, version=version, trust=trust)
    return opening


def settings_of(config: Path | None, package: Path | None = None) -> Settings:
    """
    The settings for a command.

    Args:
        config: from `--config`; None = `stream.toml` here if there is one, else defaults and environment.
        package: the model package that the command names, instead of [model] uri: a folder, or a URI of MLflow; None =
            it names none.
    Raises: SettingsError.
    """
    from stream.configuration import load_settings
    from stream.mlflow import is_uri

    settings = load_settings(config, os.environ)
    if package is None:
        return settings
    uri = str(package if is_uri(package) else package.absolute())
    return replace(settings, model=replace(settings.model, uri=uri))


def model_settings(config: Path | None, package: Path | None = None) -> Settings:
    """
    The settings for a command that opens the model: an alias is asked for once, and its model copied.

    Args: as `settings_of`.
    Raises: SettingsError; Retriable or BrokerRefused of the MLflow server, PackageError of a model that it has.
    """
    from stream.mlflow import is_uri

    settings = settings_of(config, package)
    if not is_uri(settings.model.uri):
        return settings
    from stream.resources import local_model

    return local_model(settings)


def signing_key(path: Path | None) -> SigningKey | None:
    """
    The key of `--sign`.

    Args:
        path: its file; None = do not sign.
    Raises: SettingsError when the key can't sign, or its password is unknown.
    """
    if path is None:
        return None
    from stream.store import SigningKey

    def ask() -> str:
        return str(click.prompt(shown(f"password of {path}"), hide_input=True, err=True))

    return SigningKey.of_file(path, f"--sign {path}", ask if sys.stdin.isatty() else None)


def _of_spark(context: click.Context, _: click.Parameter, value: str | None) -> str | None:
    if value is not None and context.params.get("engine") != "spark":
        raise click.UsageError("--master needs --engine spark: nothing else has a master", context)
    return value


master_option = click.option(
    "--master", metavar="URL", callback=_of_spark,
    help="Spark's master (default: Spark's own configuration, or local[*]).",
)  # fmt: skip
"""Of commands with an option `--engine`, which must be eager: it is read first."""
