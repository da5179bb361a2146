"""A version's files → a version on the disk: hashed, signed, opened as a worker would, and only then current."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from stream.manifest import Entry, Manifest
from stream.store.folder import MANIFEST, SIGNATURE, add_version, make_current
from stream.store.manifests import write_manifest
from stream.store.opening import Package, open_package
from stream.store.trust import Trust

if TYPE_CHECKING:
    from stream.store.signature import SigningKey

__all__ = ["publish_version"]


def publish_version(
    package: Path,
    manifest: Manifest,
    files: Mapping[str, bytes],
    signer: SigningKey | None,
    types: tuple[str, ...],
) -> Package:
    """
    Write a version and make it current.

    Args:
        package: its folder; made if it isn't there.
        manifest: complete but for its files.
        files: contents by plain name.
        signer: signs the manifest; None for nobody.
        types: full names of types that a `.skops` file may hold beside scikit-learn's own.
    Returns: the version, opened again from the disk.
    Raises: PackageError where it is refused, OSError as the disk has it; `current` is then as it was.
    """
    entries = {
        name: Entry(hashlib.sha256(content).hexdigest(), len(content)) for name, content in files.items()
    }
    content = write_manifest(replace(manifest, files=entries))
    signed = {} if signer is None else {SIGNATURE: signer.sign(content)}
    keys = () if signer is None else (signer.public,)
    add_version(package, manifest.version, {**files, MANIFEST: content, **signed})
    opened = open_package(package, manifest.version, trust=Trust(keys, bool(keys), types))
    make_current(package, manifest.version)
    return opened
