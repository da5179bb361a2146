"""[model] of a configuration: its package, whose signatures are trusted, and who signed it."""

from __future__ import annotations

import logging
from pathlib import Path

from stream.errors import SettingsError
from stream.first_opening import Asked, FirstOpening
from stream.manifest import Manifest
from stream.settings import ModelSettings, Settings
from stream.store import Package, PublicKey, Trust, Witness, open_package, unwatched

__all__ = ["log_origin", "open_behind_child", "open_configured", "trust_of"]

log = logging.getLogger(__name__)


def trust_of(model: ModelSettings) -> Trust:
    """
    What a package must prove before it is opened.

    Args:
        model: the table of the configuration.
    Raises: SettingsError when a key can't be read, or a signature is required but no key is trusted.
    """
    if model.require_signature and not model.trusted_keys:
        raise SettingsError(
            "[model] require_signature: is true, but trusted_keys is empty: no signature could be verified",
            hint='add trusted_keys = [{ file = "KEY.pub.pem" }]',
        )
    keys = tuple(
        PublicKey.read(str(pem), f"[model] trusted_keys[{i}]") for i, pem in enumerate(model.trusted_keys)
    )
    return Trust(keys, model.require_signature, model.trusted_types, model.max_size)


def open_configured(
    settings: Settings, folder: str | None = None, *, opening: FirstOpening | None = None
) -> Package:
    """
    The configuration's model package, opened as its settings ask.

    Args:
        settings: the configuration.
        folder: a version's folder to open in its place; None = the current version of [model] uri.
        opening: lets a child process open it first, and refuse it; None = it is opened here at once.
    Raises: PackageError, SettingsError; Retriable when there can be no child process.
    Blocks while it is opened.
    """
    place = Path(folder or settings.path(settings.model.uri))
    if opening is None:
        return open_package(place, trust=trust_of(settings.model))
    return open_behind_child(settings.model, place, opening)


def _get_ready() -> None:
    """Import what nearly every model needs while the child opens it: here it is needed next."""
    import sklearn.compose
    import sklearn.ensemble  # noqa: F401


def open_behind_child(
    model: ModelSettings,
    place: Path,
    opening: FirstOpening,
    *,
    version: int | None = None,
    trust: Trust | None = None,
    witness: Witness = unwatched,
) -> Package:
    """
    Open a version here once a child process has opened it: one that ends its process, or hangs, ends the child.

    Args:
        model: the table of the configuration: how long the child may take, and how much memory.
        place: the package's folder, or a version's.
        opening: starts the child, or has done so.
        version: which one; None for the current.
        trust: who may have packed it; None for what the table says.
        witness: called with each step that it has passed here.
    Raises: as `open_package`; Retriable when there can be no child.
    Blocks while both open it.
    """
    trust = trust_of(model) if trust is None else trust
    if model.open_timeout is None:
        return open_package(place, version, trust=trust, witness=witness)

    def first(folder: Path, sha256: str, manifest: Manifest) -> None:
        files = sum(entry.size_bytes for entry in manifest.files.values())
        memory = model.open_memory + 2 * files
        asked = Asked(str(folder), sha256, trust.types, trust.max_bytes, memory, model.open_timeout or 0.0)
        opening.check(asked, witness, _get_ready)

    return open_package(place, version, trust=trust, witness=witness, first=first)


def log_origin(package: Package, model: ModelSettings) -> None:
    """
    Log what an operator should know of a package that is about to serve: its notes, and who signed it.

    Args:
        package: just opened.
        model: the table of the configuration.
    """
    for note in package.notes:
        log.warning("model package %s: %s", package.manifest.model, note)
    if package.signer is not None:
        log.info("%s is signed by %s", package.manifest.model, package.signer.fingerprint)
    elif not model.trusted_keys:
        log.info("no signature is checked: the package's hashes prove its integrity, not its origin")
