"""
A model of an MLflow server → a package folder of this machine, which every door then opens as any other.

1. The server says which version is meant; a copy that is there is used.
2. The manifest is fetched, and who signed it; nothing else is, until somebody who is trusted vouches for it.
3. Its files are fetched and hashed. Nothing is unpickled.
4. The copy gets its name, whole.
"""

from __future__ import annotations

import logging
from pathlib import Path

from stream.errors import PackageError, Retriable
from stream.manifest import Registered
from stream.mlflow.artifacts import Artifacts
from stream.mlflow.cache_folder import CacheFolder
from stream.mlflow.environment import address_of
from stream.mlflow.model_uri import ModelUri, parse
from stream.mlflow.pull import pushed_package
from stream.mlflow.remote_package import version_path
from stream.mlflow.server import ModelVersion, Server, client
from stream.settings import Settings
from stream.store import (
    MANIFEST,
    MLMODEL,
    SIGNATURE,
    Head,
    Trust,
    make_current,
    read_file,
    read_head,
    read_vouched_head,
    resolve,
    write_registered,
)

__all__ = ["kept_copies", "local_copy", "package_in", "place_of", "version_now"]

log = logging.getLogger(__name__)

_MAX_HEAD_BYTES = 16 * 1024**2
"""A manifest of 10,000 features has 2 MB."""


def version_now(settings: Settings, uri: ModelUri) -> ModelVersion:
    """
    Which registered version a URI means now.

    Args:
        settings: the configuration.
        uri: with an alias or a version.
    Raises: as `Server.version_of`.
    """
    with client(settings) as server:
        return server.version_of(uri)


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
    return package_in(settings.path(given)) if uri is None else local_copy(settings, uri, trust)


def package_in(folder: Path) -> Path:
    """
    Find the package in a folder of this machine.

    Args:
        folder: of a package, of a version, or a model folder of MLflow.
    Returns: of a model folder, the package in it; else the folder as it is, which need not exist.
    Raises: PackageError for a model folder that is no pushed package, or whose `MLmodel` can't be read.
    """
    if not (folder / MLMODEL).is_file() or (folder / "current").exists() or (folder / MANIFEST).exists():
        return folder
    package = pushed_package(folder)
    if package is None:
        raise PackageError(
            f"{folder}: is a model folder of MLflow, but not a package of prediction-stream that was pushed",
            step="manifest",
            hint=f"make a package of it: stream pack {folder} --name NAME",
        )
    return package


def kept_copies(settings: Settings, name: str) -> dict[int, Path]:
    """
    The copies of a registered model's versions that are here; the server is not asked.

    Args:
        settings: the configuration.
        name: of the registered model.
    Returns: by version, ascending: the folder of the version in the copy.
    """
    found: dict[int, Path] = {}
    for copy in reversed(CacheFolder(settings, address_of(settings.mlflow)).copies()):
        try:
            folder = resolve(copy)
            _, manifest = read_head(folder)
        except PackageError:
            continue  # one that is removed just now, or that its disk has lost
        if manifest.registered is not None and manifest.registered.name == name:
            found[manifest.registered.version] = folder
    return dict(sorted(found.items()))


def local_copy(settings: Settings, uri: ModelUri, trust: Trust) -> Path:
    """
    The package of a model, on this machine.

    A version whose copy is here is used also when the server does not answer, and a warning says so: it never changes.
    An alias is always asked for.

    Args:
        settings: the configuration.
        uri: of the model.
        trust: who must have signed it, and how large it may be.
    Returns: the package's folder; its current version is the one that is meant.
    Raises: NotThere (a SettingsError), Retriable, BrokerRefused as `Server.version_of`; PackageError with the step that
        failed; SettingsError when the copy can't be written. Nothing of the model has run.
    Blocks while it is fetched.
    """
    cache = CacheFolder(settings, address_of(settings.mlflow))
    try:
        with client(settings) as server:
            return _fetched(server, cache, uri, trust)
    except Retriable as error:
        if uri.version is None or (kept := kept_copies(settings, uri.name).get(uri.version)) is None:
            raise
        log.warning("%s; its local copy is used: %s", error.message, kept)
        return kept.parent.parent


def _fetched(server: Server, cache: CacheFolder, uri: ModelUri, trust: Trust) -> Path:
    if uri.kind in ("run", "logged"):
        return _copy(cache, _Source(server.artifacts(uri), None), trust)
    found = server.version_of(uri)  # 1
    target = _place_of(cache, found)
    if target.exists():
        cache.use(target)
        return target
    return _copy(cache, _Source(server.artifacts(found), found), trust)


def _place_of(cache: CacheFolder, found: ModelVersion) -> Path:
    """A model that was deleted and made again counts its versions from 1 again: they are others."""
    return cache.place(
        f"{found.name}@{found.version}", found.name, found.run_id, found.source, found.created_ms
    )


class _Source:
    """A model's files, and what the registry calls it; None where it is not registered."""

    def __init__(self, artifacts: Artifacts, registered: ModelVersion | None) -> None:
        self.artifacts = artifacts
        self.registered = registered

    def place(self, cache: CacheFolder, head: Head) -> Path:
        if self.registered is not None:
            return _place_of(cache, self.registered)
        return cache.place(head.manifest.model, self.artifacts.uri, head.sha256)


def _copy(cache: CacheFolder, source: _Source, trust: Trust) -> Path:
    artifacts = source.artifacts
    with cache.fresh() as hidden:
        fetched = hidden / "fetched"
        fetched.mkdir()
        path = version_path(artifacts, fetched)
        if path is None:
            raise _foreign(artifacts.uri)
        folder = fetched / path
        try:
            head = _head(artifacts, path, fetched, trust)  # 2
            target = source.place(cache, head)
            if target.exists():
                cache.use(target)
                return target
            for name, entry in head.manifest.files.items():  # 3
                artifacts.fetch(f"{path}/{name}", fetched, entry.size_bytes)
                read_file(folder, head.manifest, name)
        except PackageError as error:
            message = error.message.replace(str(folder), f"{artifacts.uri}: {path}")
            raise PackageError(message, step=error.step, hint=error.hint) from error.__cause__
        return cache.publish(_package(hidden, folder, head, source.registered), target)  # 4


def _head(artifacts: Artifacts, path: str, fetched: Path, trust: Trust) -> Head:
    """The manifest, and who vouches for it; nothing else is fetched for that."""
    artifacts.fetch(f"{path}/{MANIFEST}", fetched, _MAX_HEAD_BYTES)
    if artifacts.find(f"{path}/{SIGNATURE}") is not None:
        artifacts.fetch(f"{path}/{SIGNATURE}", fetched, _MAX_HEAD_BYTES)
    return read_vouched_head(fetched / path, trust)


def _package(hidden: Path, folder: Path, head: Head, registered: ModelVersion | None) -> Path:
    """A package's folder of one version, with what the registry calls it."""
    package, version = hidden / "package", head.manifest.version
    (package / "versions").mkdir(parents=True)
    folder.rename(package / "versions" / str(version))
    make_current(package, version)
    if registered is not None:
        write_registered(
            package,
            Registered(
                registered.name, registered.version, registered.uri, registered.run_id, head.manifest.model
            ),
        )
    return package


def _foreign(uri: str) -> PackageError:
    return PackageError(
        f"{uri}: is not a package of prediction-stream that was pushed",
        step="manifest",
        hint=f"make a package of it: stream models pull {uri} --out DIR",
    )
