"""Whose packages are opened: keys that may vouch for a manifest, and types that a skops file may hold."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from stream.errors import PackageError
from stream.manifest import Manifest
from stream.store.folder import MAX_VERSION_BYTES, SIGNATURE
from stream.store.plain_files import read_plain

if TYPE_CHECKING:
    from stream.store.signature import PublicKey

__all__ = ["Trust", "check_signature", "check_total", "signature_of"]

_SIGNATURE_BYTES = 64
"""RFC 8032, 5.1.6: the signature as it is, so that `openssl pkeyutl -verify -rawin` reads it too."""


@dataclass(frozen=True, slots=True)
class Trust:
    """
    What a package must show before anything of it is unpickled.

    Attributes:
        keys: any one of them may have signed; without any, hashes prove that a package is whole, not where it
            is from.
        require: refuse a version that is not signed.
        types: full names of types that a skops file may hold beside scikit-learn's, numpy's and scipy's own.
        max_bytes: of all files of a version together.
    """

    keys: tuple[PublicKey, ...] = ()
    require: bool = False
    types: tuple[str, ...] = ()
    max_bytes: int = MAX_VERSION_BYTES

    def signer_of(self, signature: bytes, manifest: bytes) -> PublicKey | None:
        """The key that made a signature of these bytes; None where none of ours did."""
        return next((key for key in self.keys if key.vouches(signature, manifest)), None)


def check_total(place: str, manifest: Manifest, trust: Trust) -> None:
    """
    Are a version's files small enough to be read?

    Args:
        place: of the manifest, for messages.
        manifest: says how large each is; one that is larger or smaller is refused when it is read.
        trust: how large they may be together.
    Raises: PackageError (step `manifest`).
    """
    total = sum(entry.size_bytes for entry in manifest.files.values())
    if total > trust.max_bytes:
        raise PackageError(
            f"{place}: its files have {total:,} bytes together, at most {trust.max_bytes:,} are read",
            step="manifest",
            hint="if it has to be that large, raise [model] max_size",
        )


def check_signature(folder: Path, manifest: bytes, trust: Trust) -> PublicKey | None:
    """
    Does somebody we trust vouch for a manifest?

    Args:
        folder: of the version.
        manifest: the bytes of its manifest, those that were parsed.
        trust: with keys, a signature that none of them made is refused; a version without a signature is refused
            if one is required.
    Returns: the key that vouches; None when there is no signature, or nobody to compare it with.
    Raises: PackageError (step `signature`).
    """
    if not trust.keys and not trust.require:
        return None
    signature = signature_of(folder)
    if signature is None and trust.require:
        raise PackageError(
            f"{folder}: is not signed, and [model] require_signature is true",
            step="signature",
            hint="pack it again with --sign KEY.pem; an existing version can't be signed, since it never changes",
        )
    if signature is None:
        return None
    signer = trust.signer_of(signature, manifest)
    if signer is None:
        trusted = ", ".join(key.fingerprint for key in trust.keys) or "none"
        raise PackageError(
            f"{folder / SIGNATURE}: none of the trusted keys ({trusted}) made it for this manifest",
            step="signature",
            hint="find out who packed it; if you trust them, add their public key to [model] trusted_keys",
        )
    return signer


def signature_of(folder: Path) -> bytes | None:
    """
    Args:
        folder: of a version.
    Returns: its signature, unchecked; None when it has none.
    Raises: PackageError (step `signature`) when it is a link, not a regular file, or not of 64 bytes.
    """
    if not os.path.lexists(folder / SIGNATURE):
        return None
    return read_plain(folder, SIGNATURE, _SIGNATURE_BYTES, step="signature")
