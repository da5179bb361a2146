"""[model] of a configuration: its package, whose signatures are trusted, and who signed it."""

from __future__ import annotations

import logging

from stream.errors import SettingsError
from stream.settings import ModelSettings, Settings
from stream.store import Package, PublicKey, Trust, open_package

__all__ = ["log_origin", "open_configured", "trust_of"]

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


def open_configured(settings: Settings, folder: str | None = None) -> Package:
    """
    The configuration's model package, opened as its settings ask.

    Args:
        settings: the configuration.
        folder: a version's folder to open in its place; None = the current version of [model] uri.
    Raises: PackageError, SettingsError.
    """
    return open_package(folder or settings.path(settings.model.uri), trust=trust_of(settings.model))


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
