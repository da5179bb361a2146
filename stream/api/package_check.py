"""`stream check`, from Python; and which configuration is meant."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from stream.api.loaded_model import Model
from stream.api.loading import local_path, path_from
from stream.configuration import load_settings
from stream.settings import Settings

if TYPE_CHECKING:
    from stream.tasks import Finding

__all__ = ["check", "settings_from"]


def check(
    package_or_config: str | Path | Model | None = None, *, config: str | Path | None = None
) -> list[Finding]:
    """
    Is a model's contract sound, and does it fit the schemas and topics of a configuration? As `stream check`.

    Args:
        package_or_config: a package's folder or a loaded model; or a configuration (a `.toml` file) and the package
            that it names.
        config: the configuration, where the package is given; None = `stream.toml` here if there is one.
    Returns: every finding, worst first, with `severity` (`error`: a worker would refuse to start; `warning`; `info`),
        `where`, `message` and `hint`; empty = nothing found. A broker that does not answer is information.
    Raises: SettingsError when the configuration can't be read.
    """
    from stream.tasks import check_contract

    if isinstance(package_or_config, Model):
        folder = package_or_config.path
    elif package_or_config is None or str(package_or_config).endswith(".toml"):
        return check_contract(settings_from(package_or_config if config is None else config))
    else:
        folder = local_path(package_or_config)
    settings = settings_from(config)
    return check_contract(replace(settings, model=replace(settings.model, uri=str(folder.absolute()))))


def settings_from(config: str | Path | None) -> Settings:
    """
    Args:
        config: a `.toml` file; None = `stream.toml` here if there is one, else defaults and environment.
    Raises: SettingsError.
    """
    return load_settings(None if config is None else path_from(config, "config"), os.environ)
