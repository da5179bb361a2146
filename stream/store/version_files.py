"""The files of a version, read as they were packed: its manifest, and what that names, each against its hash."""

from __future__ import annotations

import hashlib
from pathlib import Path

from stream.errors import PackageError
from stream.manifest import Manifest
from stream.store.folder import MANIFEST
from stream.store.manifests import read_manifest
from stream.store.plain_files import read_plain
from stream.store.registered_copy import as_registered
from stream.store.trust import Trust, check_signature

__all__ = ["check_hash", "read_file", "read_head", "read_vouched"]


def read_head(folder: Path) -> tuple[bytes, Manifest]:
    """
    Read what a version says of itself; its other files are not looked at. A copy from a registry is called as there.

    Args:
        folder: of the version.
    Returns: the bytes of its manifest, and what they say.
    Raises: PackageError (step `manifest`).
    """
    content = read_plain(folder, MANIFEST, step="manifest")
    manifest = read_manifest(content, str(folder / MANIFEST))
    if folder.name.isdecimal() and int(folder.name) != manifest.version:
        raise PackageError(
            f"{folder}: its manifest says version {manifest.version}",
            step="manifest",
            hint="put the version back where it was packed",
        )
    return content, as_registered(folder, manifest)


def read_file(folder: Path, manifest: Manifest, name: str) -> bytes:
    """
    Read a file of a version once, and hash what was read.

    Args:
        folder: of the version.
        manifest: of the version.
        name: one of its files.
    Returns: its bytes.
    Raises: PackageError (step `hash`) if they are not those that the manifest names.
    """
    content = read_plain(folder, name, manifest.files[name].size_bytes)
    check_hash(folder, manifest, name, hashlib.sha256(content).hexdigest())
    return content


def check_hash(folder: Path, manifest: Manifest, name: str, found: str) -> None:
    """Raises: PackageError (step `hash`) where a file's sha256 is another than the manifest's."""
    expected = manifest.files[name].sha256
    if found != expected:
        raise PackageError(
            f"{folder / name}: its sha256 is {found}, the manifest says {expected}",
            step="hash",
            hint="copy the version again from where it was packed; if nobody changed it, ask who did",
        )


def read_vouched(folder: Path, name: str, trust: Trust) -> bytes:
    """
    Read one file of a version as it was packed; the others are not looked at, and nothing is unpickled.

    Args:
        folder: of the version.
        name: one of the files that its manifest names.
        trust: who may have packed it.
    Returns: its bytes.
    Raises: PackageError with the step that failed.
    """
    content, manifest = read_head(folder)
    check_signature(folder, content, trust)
    return read_file(folder, manifest, name)
