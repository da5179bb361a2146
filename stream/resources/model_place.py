"""Where a configuration's package is: the folder that [model] uri names, or the local copy of a model of MLflow."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from stream.mlflow import ModelUri, is_model_folder, is_uri, parse, place_of
from stream.resources.package_trust import trust_of
from stream.settings import Settings
from stream.store import MANIFEST, current_version, read_head, registered_of, resolve, versions

__all__ = [
    "is_remote",
    "kept_versions",
    "local_model",
    "package_folder",
    "registered_version",
    "version_wanted",
]


def is_remote(settings: Settings) -> bool:
    """Whether [model] uri is one of MLflow's, and no folder."""
    return is_uri(settings.model.uri)


def package_folder(settings: Settings) -> Path:
    """
    The folder of the package that [model] uri means now; a model of MLflow is copied first, where it isn't here yet.

    Args:
        settings: the configuration.
    Raises: SettingsError for a misspelt URI, or where the server has no such model; Retriable when it does not answer,
        BrokerRefused when it refuses; PackageError with the step at which the model is refused. A folder need not
        exist.
    Blocks while a model is copied.
    """
    return place_of(settings.model.uri, settings, trust_of(settings.model))


def local_model(settings: Settings) -> Settings:
    """
    The same settings with the folder in the place of a URI: what a command asks twice of an alias must be the same.

    Args, Raises: as `package_folder`.
    """
    if not is_remote(settings):
        return settings
    return replace(settings, model=replace(settings.model, uri=str(package_folder(settings))))


def version_wanted(settings: Settings) -> int | None:
    """
    The number of the version that [model] uri means now; nothing is copied.

    Args:
        settings: the configuration.
    Returns: None where it is one version only, which never changes.
    Raises: as `package_folder`, PackageError where the folder's `current` names none; OSError as the disk has it.
    """
    uri = parse(settings.model.uri)
    if uri is None:
        place = settings.path(settings.model.uri)
        return None if is_model_folder(place) else current_version(place)
    if uri.kind != "alias":
        return None
    from stream.mlflow import version_now

    return version_now(settings, uri).version


def kept_versions(settings: Settings) -> dict[int, Path]:
    """
    The versions of the model that are on this machine.

    Args:
        settings: the configuration.
    Returns: their folders by number, ascending. Of a version's own folder those beside it, or it alone; of a registered
        model the copies that are here, and the version that is meant now.
    Raises: as `package_folder`.
    """
    uri = parse(settings.model.uri)
    here = package_folder(settings)
    if uri is None or uri.kind in ("run", "logged"):
        return _beside(here)
    from stream.mlflow import kept_copies

    return dict(sorted({**kept_copies(settings, uri.name), **_beside(here)}.items()))


def registered_version(settings: Settings, version: int) -> Path | None:
    """
    The folder of another version of the registered model that [model] uri names; it is copied where it isn't here.

    Args:
        settings: the configuration.
        version: its number there.
    Returns: None where [model] uri names no registered model.
    Raises: as `package_folder`.
    """
    uri = parse(settings.model.uri)
    if uri is None or uri.kind not in ("alias", "version"):
        return None
    other = ModelUri("version", uri.name, version=version)
    return resolve(place_of(str(other), settings, trust_of(settings.model)))


def _beside(place: Path) -> dict[int, Path]:
    if (place / MANIFEST).is_file():
        if place.parent.name == "versions" and place.name.isdecimal():
            return _beside(place.parent.parent)
        return {read_head(place)[1].version: place}
    registered = registered_of(place)
    return {
        registered.version if registered else number: place / "versions" / str(number)
        for number in versions(place)
    }
