"""
A package as `model.tar.gz`: one version, and `current`, which names it.

The same version gives the same bytes: no times, owners or rights of the disk are in it. Each file is hashed as it is
read, so that what is in the archive is what the manifest says.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from stream.durable import written_whole
from stream.errors import PackageError
from stream.store import MANIFEST, REGISTERED, SIGNATURE, Package, read_file, read_head, registered_content

__all__ = ["Archive", "package_entries", "write_archive"]

_LEVEL = 6
"""Of gzip: higher ones take several times as long for one per cent."""

_READABLE, _ENTERED = 0o644, 0o755
"""Rights: whoever the container runs as may read it, and only its owner change it."""


@dataclass(frozen=True, slots=True)
class Archive:
    """
    An archive that was written.

    Attributes:
        sha256: of the file.
        size_bytes: of the file.
    """

    sha256: str
    size_bytes: int


def write_archive(package: Package, path: Path) -> Archive:
    """
    Write the version of a package that was opened.

    Args:
        package: opened.
        path: of the archive; an existing file is replaced.
    Returns: its hash and size.
    Raises: PackageError when a file is not what it was when the package was opened; OSError. `path` is then as it was.
    """
    with (
        written_whole(path) as file,
        gzip.GzipFile("", "wb", _LEVEL, file, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for name, content in package_entries(package):
            entry = tarfile.TarInfo(name)
            entry.mode = _READABLE
            if content is None:
                entry.type, entry.mode = tarfile.DIRTYPE, _ENTERED
            else:
                entry.size = len(content)
            archive.addfile(entry, None if content is None else io.BytesIO(content))
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Archive(digest, path.stat().st_size)


def package_entries(package: Package) -> Iterator[tuple[str, bytes | None]]:
    """
    The files of the version that was opened, as a package of one version.

    Args:
        package: opened.
    Returns: names and contents, a file in memory at a time; None for a folder. What a registry calls it goes along.
    Raises: PackageError when a file is not what it was when the package was opened; OSError.
    """
    folder, manifest = package.path, package.manifest
    content, today = read_head(folder)
    if today != manifest:
        raise PackageError(
            f"{folder}: its manifest was changed while it was exported",
            step="manifest",
            hint="export it again",
        )
    number = manifest.packed_version
    yield "current", f"{number}\n".encode()
    if manifest.registered is not None:
        yield REGISTERED, registered_content(manifest.registered)
    yield "versions", None
    root = f"versions/{number}"
    yield root, None
    yield f"{root}/{MANIFEST}", content
    if (folder / SIGNATURE).is_file():
        yield f"{root}/{SIGNATURE}", (folder / SIGNATURE).read_bytes()
    for name in sorted(manifest.files):
        yield f"{root}/{name}", read_file(folder, manifest, name)
