"""A model folder of this machine, as MLflow saves it → a package, which is kept among the local copies."""

from __future__ import annotations

import hashlib
from pathlib import Path

from stream.errors import PackageError
from stream.mlflow.cache_folder import CacheFolder
from stream.mlflow.packing_child import Packing, packed_apart
from stream.mlflow.strangers import Terms, plain_name
from stream.settings import Settings
from stream.store import Trust

__all__ = ["made_of"]


def made_of(folder: Path, settings: Settings, trust: Trust) -> Path:
    """
    A package of a model folder of this machine, whose owner is trusted as with `stream pack`.

    Args:
        folder: as MLflow saves it.
        settings: the configuration.
        trust: as `Terms` has it.
    Returns: the package's folder, among the local copies; the same files give the same one.
    Raises: PackageError with the step that failed; SettingsError when it can't be written.
    """
    terms = Terms(trust, True, settings.model.open_timeout)
    terms.check(str(folder))
    name, cache = plain_name(folder.resolve().name), CacheFolder(settings, "of this machine")
    target = cache.place(name, *_marks(folder, trust))
    if target.exists():
        cache.use(target)
        return target
    with cache.fresh() as hidden:
        package = hidden / "package"
        packed_apart(Packing(folder, package, name, 1, trust, terms.trusted), terms.timeout_s)
        return cache.publish(package, target)


def _marks(folder: Path, trust: Trust) -> list[str]:
    """Of all files: a model that is saved again is another."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    if sum(path.stat().st_size for path in files) > trust.max_bytes:
        raise PackageError(
            f"{folder}: its files have more than {trust.max_bytes:,} bytes",
            step="manifest",
            hint="if it has to be that large, raise [model] max_size",
        )
    return [
        str(folder.resolve()),
        *trust.types,
        *(f"{path.relative_to(folder)} {hashlib.sha256(path.read_bytes()).hexdigest()}" for path in files),
    ]
