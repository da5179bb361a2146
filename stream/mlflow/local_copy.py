"""
A model of an MLflow server → a package folder of this machine, which every door then opens as any other.

1. The server says which version is meant; a copy that is there is used.
2. The manifest is fetched, and who signed it; nothing else is, until somebody who is trusted vouches for it.
3. Its files are fetched and hashed. Nothing is unpickled.
4. The copy gets its name, whole.
"""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path

from stream.errors import PackageError, Retriable
from stream.manifest import Registered
from stream.mlflow.artifacts import Artifacts
from stream.mlflow.cache_folder import CacheFolder
from stream.mlflow.environment import address_of
from stream.mlflow.model_uri import ModelUri, parse
from stream.mlflow.packing_child import Packing, packed_apart
from stream.mlflow.pull import pushed_package
from stream.mlflow.remote_package import version_path
from stream.mlflow.server import ModelVersion, Server, client
from stream.mlflow.strangers import Terms, made_of, plain_name, renamed
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

__all__ = ["is_model_folder", "kept_copies", "local_copy", "package_in", "place_of", "version_now"]

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
    return (
        package_in(settings.path(given), settings, trust) if uri is None else local_copy(settings, uri, trust)
    )


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
    package = pushed_package(folder)
    return made_of(folder, settings, trust) if package is None else package


def is_model_folder(folder: Path) -> bool:
    """Whether a folder is a model's as MLflow saves it, and no package's."""
    return (folder / MLMODEL).is_file() and not any(
        (folder / name).exists() for name in ("current", MANIFEST)
    )


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
            return _fetched(server, cache, uri, Terms.of(settings, trust))
    except Retriable as error:
        if uri.version is None or (kept := kept_copies(settings, uri.name).get(uri.version)) is None:
            raise
        log.warning("%s; its local copy is used: %s", error.message, kept)
        return kept.parent.parent


def _fetched(server: Server, cache: CacheFolder, uri: ModelUri, terms: Terms) -> Path:
    if uri.kind in ("run", "logged"):
        return _copy(cache, _Source(server.artifacts(uri), None), terms)
    found = server.version_of(uri)  # 1
    target = _place_of(cache, found)
    if target.exists():
        cache.use(target)
        return target
    return _copy(cache, _Source(server.artifacts(found), found), terms)


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

    def place(self, cache: CacheFolder, name: str, sha256: str) -> Path:
        if self.registered is not None:
            return _place_of(cache, self.registered)
        return cache.place(name, self.artifacts.uri, sha256)


def _copy(cache: CacheFolder, source: _Source, terms: Terms) -> Path:
    artifacts = source.artifacts
    with cache.fresh() as hidden:
        fetched = hidden / "fetched"
        fetched.mkdir()
        path = version_path(artifacts, fetched)
        if path is None:
            return _packed(cache, hidden, source, terms)
        folder = fetched / path
        try:
            head = _head(artifacts, path, fetched, terms.trust)  # 2
            target = source.place(cache, head.manifest.model, head.sha256)
            if target.exists():
                cache.use(target)
                return target
            for name, entry in head.manifest.files.items():  # 3
                artifacts.fetch(f"{path}/{name}", fetched, entry.size_bytes)
                read_file(folder, head.manifest, name)
        except PackageError as error:
            raise renamed(error, folder, f"{artifacts.uri}: {path}") from error.__cause__
        package = _package(hidden, folder, head.manifest.version)
        return _published(cache, package, source, head.manifest.model, target)  # 4


def _packed(cache: CacheFolder, hidden: Path, source: _Source, terms: Terms) -> Path:
    """A model that nobody pushed: made a package of here, once all its files are here."""
    artifacts, found, fetched = source.artifacts, source.registered, hidden / "fetched"
    name = plain_name(artifacts.uri.rpartition("/")[2] if found is None else found.name)
    head = hashlib.sha256((fetched / MLMODEL).read_bytes()).hexdigest()
    target = source.place(cache, name, head)
    if target.exists():
        cache.use(target)
        return target
    terms.check(artifacts.uri)
    artifacts.fetch_all(fetched, terms.trust.max_bytes)
    fetched = _named(fetched, hidden / "model" / name)
    package = hidden / "package"
    version = 1 if found is None else found.version
    try:
        messages = packed_apart(
            Packing(fetched, package, name, version, terms.trust, terms.trusted), terms.timeout_s
        )
    except PackageError as error:
        raise renamed(error, fetched, artifacts.uri) from error
    for each in messages:
        log.info("%s: %s", artifacts.uri, each)
    return _published(cache, package, source, f"{name}@{version}", target)


def _named(fetched: Path, folder: Path) -> Path:
    """The files in a folder that is called as the model: so are its events."""
    folder.parent.mkdir()
    return fetched.rename(folder)


def _head(artifacts: Artifacts, path: str, fetched: Path, trust: Trust) -> Head:
    """The manifest, and who vouches for it; nothing else is fetched for that."""
    artifacts.fetch(f"{path}/{MANIFEST}", fetched, _MAX_HEAD_BYTES)
    if artifacts.find(f"{path}/{SIGNATURE}") is not None:
        artifacts.fetch(f"{path}/{SIGNATURE}", fetched, _MAX_HEAD_BYTES)
    return read_vouched_head(fetched / path, trust)


def _package(hidden: Path, folder: Path, version: int) -> Path:
    """A package's folder of one version."""
    package = hidden / "package"
    (package / "versions").mkdir(parents=True)
    folder.rename(package / "versions" / str(version))
    make_current(package, version)
    return package


def _published(cache: CacheFolder, package: Path, source: _Source, packed: str, target: Path) -> Path:
    """The copy in its place, with what the registry calls it."""
    found = source.registered
    if found is not None:
        write_registered(package, Registered(found.name, found.version, found.uri, found.run_id, packed))
    return cache.publish(package, target)
