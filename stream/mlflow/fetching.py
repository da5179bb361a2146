"""
What is fetched of a model, and in which order: a stranger's bytes are not fetched before somebody vouches for them.

1. `MLmodel` says where the package is, if it is one.
2. Its manifest is fetched, and who signed it; nothing else is, until somebody who is trusted vouches for it.
3. Its files are fetched and hashed. Nothing is unpickled.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from stream.errors import PackageError
from stream.mlflow.artifacts import Artifacts
from stream.mlflow.cache_folder import CacheFolder
from stream.mlflow.environment import address_of
from stream.mlflow.model_uri import ModelUri
from stream.mlflow.remote_package import version_path
from stream.mlflow.server import ModelVersion, client
from stream.mlflow.strangers import Terms, plain_name, renamed
from stream.settings import Settings
from stream.store import MANIFEST, MLMODEL, SIGNATURE, Head, Trust, read_file, read_vouched_head

__all__ = ["Bound", "Fetched", "Wanted", "copy_of_version", "fetch_files", "fetch_model"]

Bound = Callable[[int], AbstractContextManager[object]]
"""Within it, no file gets more than so many bytes."""

_MAX_HEAD_BYTES = 16 * 1024**2
"""A manifest of 10,000 features has 2 MB."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """
    A model that is to be fetched.

    Attributes:
        settings: the configuration.
        source: a version as the registry knows it; or a run's model, or a logged one.
        into: an empty folder.
        terms: what it must show.
    """

    settings: Settings
    source: ModelUri | ModelVersion
    into: Path
    terms: Terms


@dataclass(frozen=True, slots=True)
class Fetched:
    """
    What has arrived.

    Attributes:
        place: where its local copy is, or belongs.
        folder: of the files: a package's version, or a model as MLflow saves it; None where the copy is there already.
        model: a package's own name and version; else what the package is to be called.
        version: the number that the package was packed with; None where the model is no package.
        uri: of the model, for messages.
    """

    place: Path
    folder: Path | None
    model: str
    version: int | None
    uri: str


def copy_of_version(cache: CacheFolder, found: ModelVersion) -> Path:
    """
    Where the copy of a registered version belongs.

    A model that was deleted and made again counts its versions from 1 again: they are others.
    """
    return cache.place(
        f"{found.name}@{found.version}", found.name, found.run_id, found.source, found.created_ms
    )


def fetch_model(wanted: Wanted, bound: Bound) -> Fetched:
    """
    Fetch a model, unless its copy is there.

    Args:
        wanted: which, and where to.
        bound: of each file.
    Raises: as `Artifacts.fetch`; PackageError with the step at which it is refused.
    """
    with client(wanted.settings) as server:
        artifacts = server.artifacts(wanted.source)
        artifacts.bound = bound
        path = version_path(artifacts, wanted.into)  # 1
        return _model(artifacts, wanted) if path is None else _package(artifacts, path, wanted)


def fetch_files(wanted: Wanted, bound: Bound) -> None:
    """
    Fetch all files of a model as they are.

    Args, Raises: as `fetch_model`.
    """
    with client(wanted.settings) as server:
        artifacts = server.artifacts(wanted.source)
        artifacts.bound = bound
        artifacts.fetch_all(wanted.into, wanted.terms.trust.max_bytes)


def _package(artifacts: Artifacts, path: str, wanted: Wanted) -> Fetched:
    folder = wanted.into / path
    try:
        head = _head(artifacts, path, wanted.into, wanted.terms.trust)  # 2
        manifest = head.manifest
        place = _place(wanted, manifest.model, artifacts.uri, head.sha256)
        if place.exists():
            return Fetched(place, None, manifest.model, manifest.version, artifacts.uri)
        for name, entry in manifest.files.items():  # 3
            artifacts.fetch(f"{path}/{name}", wanted.into, entry.size_bytes)
            read_file(folder, manifest, name)
    except PackageError as error:
        raise renamed(error, folder, f"{artifacts.uri}: {path}") from error.__cause__
    return Fetched(place, folder, manifest.model, manifest.version, artifacts.uri)


def _model(artifacts: Artifacts, wanted: Wanted) -> Fetched:
    """One that nobody pushed."""
    source = wanted.source
    name = plain_name(source.name if isinstance(source, ModelVersion) else artifacts.uri.rpartition("/")[2])
    head = hashlib.sha256((wanted.into / MLMODEL).read_bytes()).hexdigest()
    place = _place(wanted, name, artifacts.uri, head)
    if place.exists():
        return Fetched(place, None, name, None, artifacts.uri)
    wanted.terms.check(artifacts.uri)
    artifacts.fetch_all(wanted.into, wanted.terms.trust.max_bytes)
    return Fetched(place, wanted.into, name, None, artifacts.uri)


def _place(wanted: Wanted, name: str, uri: str, sha256: str) -> Path:
    cache = CacheFolder(wanted.settings, address_of(wanted.settings.mlflow))
    if isinstance(wanted.source, ModelVersion):
        return copy_of_version(cache, wanted.source)
    return cache.place(name, uri, sha256)


def _head(artifacts: Artifacts, path: str, fetched: Path, trust: Trust) -> Head:
    """The manifest, and who vouches for it; nothing else is fetched for that."""
    artifacts.fetch(f"{path}/{MANIFEST}", fetched, _MAX_HEAD_BYTES)
    if artifacts.find(f"{path}/{SIGNATURE}") is not None:
        artifacts.fetch(f"{path}/{SIGNATURE}", fetched, _MAX_HEAD_BYTES)
    return read_vouched_head(fetched / path, trust)
