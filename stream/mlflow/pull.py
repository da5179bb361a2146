"""
A model folder of MLflow → a version of a package here.

One that `push` wrote has its package in it, which comes back byte by byte. Any other's estimator is packed, and proven,
as `stream pack` does it; whoever wrote it is a stranger, unless the configuration trusts that registry.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stream.errors import PackageError, SettingsError
from stream.manifest import Manifest
from stream.mlflow.fetching import Wanted, fetch_files
from stream.mlflow.fetching_child import fetched_apart
from stream.mlflow.model_folder import METADATA, PACKAGE
from stream.mlflow.model_uri import ModelUri, parse
from stream.mlflow.server import ModelVersion, client
from stream.mlflow.strangers import Terms
from stream.settings import Settings
from stream.store import (
    MLMODEL,
    PackRequest,
    Trust,
    copy_version,
    pack_estimator_file,
    read_head,
    read_mlflow_head,
    resolve,
    versions,
)

__all__ = ["Pulled", "packed_copy", "pull_model", "pushed_package"]


@dataclass(frozen=True, slots=True)
class Pulled:
    """
    A version that is here now.

    Attributes:
        path: its folder.
        manifest: what it says of itself.
        pushed: whether it is the package that was pushed, byte by byte; else it was packed here.
        new: whether it was not here before.
        messages: what was inferred, chosen or left out, a sentence each.
    """

    path: Path
    manifest: Manifest
    pushed: bool
    new: bool
    messages: tuple[str, ...]


def _quietly(step: str) -> None:
    """Nobody is told."""


def pushed_package(folder: Path) -> Path | None:
    """
    The package in a model folder that `push` wrote.

    Args:
        folder: with a file `MLmodel`.
    Returns: the package's folder, which is nothing but a package: who made it is up to its signature; None where
        there is none.
    Raises: PackageError when `MLmodel` can't be read, or says that there is a package where there is none.
    """
    metadata = read_mlflow_head(folder).get("metadata")
    about: Any = metadata.get(METADATA) if isinstance(metadata, Mapping) else None
    if about is None:
        return None
    package = folder / PACKAGE
    if package.is_symlink() or not versions(package):
        raise PackageError(
            f"{folder}: holds no package, though MLmodel names one", step="manifest", hint="push it again"
        )
    return package


def packed_copy(
    folder: Path,
    out: Path,
    *,
    name: str | None = None,
    version: int | None = None,
    trust: Trust | None = None,
    trusted: bool = False,
    tell: Callable[[str], None] = _quietly,
) -> Pulled:
    """
    Bring a model folder in as a version of a package, and make it current.

    Args:
        folder: a local copy, with a file `MLmodel`; nothing of it is imported.
        out: the package's folder; made if it isn't there.
        name: of the package; None for the pushed package's own, which can't be changed.
        version: its number, where it is packed here; None for the next. A pushed package keeps its own.
        trust: who may have packed a pushed package, and what a skops file may hold.
        trusted: whether whoever may write to that registry is trusted like the owner of a pickle.
        tell: called with each step.
    Returns: the version. A pushed package is not opened: its manifest, its signature and its hashes were checked, and
        nothing of it has run.
    Raises: PackageError, SchemaError or SampleError naming what doesn't fit; `out` is as it was then. OSError.
    """
    trust = trust or Trust()
    package = pushed_package(folder)
    if package is not None:
        return _copied(package, out, name, trust)
    if name is None:
        raise PackageError(f"{folder}: has no package's name", step="manifest", hint="give --name NAME")
    request = PackRequest(name, out, types=trust.types, version=version)
    packed = pack_estimator_file(folder, request, tell=tell, trusted=trusted)
    messages = (*packed.messages, *packed.package.notes)
    return Pulled(packed.package.path, packed.package.manifest, False, True, messages)


def _copied(package: Path, out: Path, name: str | None, trust: Trust) -> Pulled:
    copied = copy_version(package, out, trust)
    manifest = copied.manifest
    messages = []
    if name not in (None, manifest.name):
        messages.append(f"the package keeps its own name, {manifest.name}: its files are as they were signed")
    if copied.signer is not None:
        messages.append(f"signed by {copied.signer.fingerprint}")
    elif trust.keys:
        messages.append("it is not signed; none of the trusted keys vouches for where it is from")
    if not copied.new:
        messages.append(f"version {manifest.version} is here already, byte by byte")
    return Pulled(copied.path, manifest, True, copied.new, tuple(messages))


def pull_model(
    given: str,
    out: Path | None,
    name: str | None,
    settings: Settings,
    trust: Trust,
    tell: Callable[[str], None] = _quietly,
) -> Pulled:
    """
    Bring a model of an MLflow server, or a model folder, in as a version of a package.

    Args:
        given: `models:/…`, `runs:/…`, or the path of a folder with a file `MLmodel`.
        out: the package's folder; None for `models/NAME`.
        name: of the package; None for the registered model's, or the pushed package's own.
        settings: the configuration, which names the server and says whether it is trusted.
        trust: as `packed_copy` has it.
        tell: called with each step.
    Raises: as `packed_copy`; SettingsError for a misspelt URI, or where there is no such model; Retriable when the
        server does not answer.
    """
    uri = parse(given)
    if uri is None:
        folder = Path(given)
        if not (folder / MLMODEL).is_file():
            raise SettingsError(
                f"{given}: is neither a URI of MLflow nor a folder with a file {MLMODEL}",
                hint="give models:/NAME@ALIAS, models:/NAME/VERSION, runs:/ID/PATH or a model folder",
            )
        return _taken(folder, out, name, settings, trust, tell)
    with tempfile.TemporaryDirectory(prefix="stream-pull-") as place:
        folder = Path(place) / "model"
        folder.mkdir()
        tell(f"fetching {uri}")
        registered = uri.kind in ("alias", "version")
        source: ModelUri | ModelVersion = uri
        if registered:
            with client(settings) as server:
                source = server.version_of(uri)
        fetched_apart(fetch_files, Wanted(settings, source, folder, Terms.of(settings, trust)))
        if not (folder / MLMODEL).is_file():
            raise PackageError(f"{uri}: has no file {MLMODEL}", step="load", hint="give the path of a model")
        try:
            return _taken(folder, out, name or (uri.name if registered else None), settings, trust, tell)
        except PackageError as error:
            text = error.message.replace(str(folder), str(uri))
            raise PackageError(text, step=error.step, hint=error.hint) from error


def _taken(
    folder: Path,
    out: Path | None,
    name: str | None,
    settings: Settings,
    trust: Trust,
    tell: Callable[[str], None],
) -> Pulled:
    package = pushed_package(folder)
    own = None if package is None else read_head(resolve(package))[1].name
    if out is None and own is None and name is None:
        raise PackageError(f"{folder}: has no name for the package", step="manifest", hint="give --name NAME")
    place = out or Path("models") / str(own or name)
    return packed_copy(folder, place, name=name, trust=trust, trusted=settings.mlflow.trusted, tell=tell)
