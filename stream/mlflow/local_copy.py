"""
A model of an MLflow server → a package folder of this machine, which every door then opens as any other.

1. The server says which version is meant; a copy that is there is used.
2. Its files are fetched by a child process (`fetching`), which ends when its time does.
3. A model that is no package is packed by another.
4. The copy gets its name, whole.
"""

from __future__ import annotations

import logging
from pathlib import Path

from stream.errors import PackageError, Retriable
from stream.manifest import Registered
from stream.mlflow.cache_folder import CacheFolder
from stream.mlflow.environment import address_of
from stream.mlflow.fetching import Fetched, Wanted, copy_of_version, fetch_model
from stream.mlflow.fetching_child import fetched_apart
from stream.mlflow.model_uri import ModelUri
from stream.mlflow.packing_child import Packing, packed_apart
from stream.mlflow.server import ModelVersion, client
from stream.mlflow.strangers import Terms, renamed
from stream.settings import Settings
from stream.store import Trust, make_current, read_head, resolve, write_registered

__all__ = ["kept_copies", "local_copy", "version_now"]

log = logging.getLogger(__name__)


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
    terms = Terms.of(settings, trust)
    try:
        if uri.kind in ("run", "logged"):
            return _copy(cache, settings, uri, terms)
        found = version_now(settings, uri)  # 1
        target = copy_of_version(cache, found)
        if target.exists():
            cache.use(target)
            return target
        return _copy(cache, settings, found, terms)
    except Retriable as error:
        if uri.version is None or (kept := kept_copies(settings, uri.name).get(uri.version)) is None:
            raise
        log.warning("%s; its local copy is used: %s", error.message, kept)
        return kept.parent.parent


def _copy(cache: CacheFolder, settings: Settings, source: ModelUri | ModelVersion, terms: Terms) -> Path:
    with cache.fresh() as hidden:
        into = hidden / "fetched"
        into.mkdir()
        fetched = fetched_apart(fetch_model, Wanted(settings, source, into, terms))  # 2
        if fetched.folder is None:
            cache.use(fetched.place)
            return fetched.place
        if fetched.version is None:
            package, packed = _packed(hidden, fetched.folder, fetched, source, terms)  # 3
        else:
            package, packed = _package(hidden, fetched.folder, fetched.version), fetched.model
        if isinstance(source, ModelVersion):
            registered = Registered(source.name, source.version, source.uri, source.run_id, packed)
            write_registered(package, registered)
        return cache.publish(package, fetched.place)  # 4


def _packed(
    hidden: Path, folder: Path, fetched: Fetched, source: ModelUri | ModelVersion, terms: Terms
) -> tuple[Path, str]:
    """A model that nobody pushed: made a package of here; its events are called as the folder is."""
    named = hidden / "model" / fetched.model
    named.parent.mkdir()
    folder.rename(named)
    package = hidden / "package"
    version = source.version if isinstance(source, ModelVersion) else 1
    wanted = Packing(named, package, fetched.model, version, terms.trust, terms.trusted)
    try:
        messages = packed_apart(wanted, terms.timeout_s)
    except PackageError as error:
        raise renamed(error, named, fetched.uri) from error
    for each in messages:
        log.info("%s: %s", fetched.uri, each)
    return package, f"{fetched.model}@{version}"


def _package(hidden: Path, folder: Path, version: int) -> Path:
    """A package's folder of one version."""
    package = hidden / "package"
    (package / "versions").mkdir(parents=True)
    folder.rename(package / "versions" / str(version))
    make_current(package, version)
    return package
