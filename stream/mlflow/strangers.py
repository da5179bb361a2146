"""Models that nobody pushed as a package: on which terms they are made packages of here."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from stream.errors import PackageError
from stream.mlflow.cache_folder import CacheFolder
from stream.mlflow.packing_child import Packing, packed_apart
from stream.settings import Settings
from stream.store import Trust

__all__ = ["Terms", "made_of", "plain_name", "renamed"]


@dataclass(frozen=True, slots=True)
class Terms:
    """
    What a model must show, and what it may take.

    Attributes:
        trust: who must have signed it, and how large it may be.
        trusted: whether the server is trusted like the owner of a pickle.
        timeout_s: that packing it may take; None = no limit.
    """

    trust: Trust
    trusted: bool
    timeout_s: float | None

    @classmethod
    def of(cls, settings: Settings, trust: Trust) -> Terms:
        """Those of a configuration."""
        return cls(trust, settings.mlflow.trusted, settings.model.open_timeout)

    def check(self, place: str) -> None:
        """Raises: PackageError (step `signature`) where one is required: nobody has signed what is no package."""
        if self.trust.require:
            raise PackageError(
                f"{place}: is not a package that was pushed, so nobody has signed it",
                step="signature",
                hint="pack it with `stream pack --sign KEY`, and push that",
            )


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


def plain_name(name: str) -> str:
    """What a package may be called, as near as can be."""
    return re.sub(r"[^A-Za-z0-9._-]", "_", name).lstrip("._-")[:100] or "model"


def renamed(error: PackageError, folder: Path, place: str) -> PackageError:
    """The same refusal, of what people know instead of a folder that is gone by then."""
    return PackageError(error.message.replace(str(folder), place), step=error.step, hint=error.hint)
