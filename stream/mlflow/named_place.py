"""
Where a package is that somebody names: a folder of this machine, which a model of MLflow becomes first.

What fetches and packs such a model is imported where one is named: a package's folder needs none of it.
"""

from __future__ import annotations

from pathlib import Path

from stream.mlflow.model_uri import parse
from stream.settings import Settings
from stream.store import MANIFEST, MLMODEL, Trust

__all__ = ["is_model_folder", "package_in", "place_of"]


def place_of(given: str | Path, settings: Settings, trust: Trust) -> Path:
    """
    The folder of a package that is meant.

    Args:
        given: a URI of MLflow; or a folder: of a package, of a version, or of a model as MLflow saves it. Not yet made
            absolute: a URI would be a path then.
        settings: the configuration.
        trust: as `local_copy` has it.
    Returns: the folder; given as one, it need not exist.
    Raises: as `local_copy`; SettingsError for a misspelt URI, PackageError for a model folder without a package.
    """
    uri = parse(given)
    if uri is None:
        return package_in(settings.path(given), settings, trust)
    from stream.mlflow.local_copy import local_copy

    return local_copy(settings, uri, trust)


def package_in(folder: Path, settings: Settings, trust: Trust) -> Path:
    """
    Find the package in a folder of this machine.

    Args:
        folder: of a package, of a version, or a model folder of MLflow.
        settings: the configuration.
        trust: as `local_copy` has it.
    Returns: of a model folder, the package that was pushed, or the one that is made of its model, as `stream pack` does
        it, in the folder of copies; else the folder as it is, which need not exist.
    Raises: PackageError for a model folder that is refused.
    """
    if not is_model_folder(folder):
        return folder
    from stream.mlflow.folder_copy import made_of
    from stream.mlflow.pull import pushed_package

    package = pushed_package(folder)
    return made_of(folder, settings, trust) if package is None else package


def is_model_folder(folder: Path) -> bool:
    """Whether a folder is a model's as MLflow saves it, and no package's."""
    return (folder / MLMODEL).is_file() and not any(
        (folder / name).exists() for name in ("current", MANIFEST)
    )
