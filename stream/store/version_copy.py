"""A version of a package, copied byte by byte: its signature stays valid, and nothing of it runs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from stream.errors import PackageError
from stream.manifest import Manifest
from stream.store.folder import MANIFEST, SIGNATURE, add_version, make_current, resolve, versions
from stream.store.opening import read_vouched_head
from stream.store.plain_files import read_plain
from stream.store.signature import PublicKey
from stream.store.trust import Trust, signature_of
from stream.store.version_files import read_file, read_head

__all__ = ["Copied", "copy_version"]


@dataclass(frozen=True, slots=True)
class Copied:
    """
    A version that is in another package now.

    Attributes:
        path: its folder there.
        manifest: what it says of itself.
        signer: the trusted key that vouches for it; None where none does, or none is trusted.
        new: whether it was not there before.
    """

    path: Path
    manifest: Manifest
    signer: PublicKey | None
    new: bool


def copy_version(source: Path, package: Path, trust: Trust | None = None) -> Copied:
    """
    Copy a version into a package, under the number that it has, and make it current.

    Args:
        source: a package's folder, or one of its versions.
        package: the other package's folder; made if it isn't there.
        trust: who may have packed it; None for anybody.
    Returns: the copy; the one that was there, where it is the same byte by byte.
    Raises: PackageError with the step that failed, or when that number is another version's; `package` is as it was
        then. OSError as the disk has it.
    """
    trust = trust or Trust()
    head = read_vouched_head(resolve(source), trust)
    manifest = head.manifest
    content, _ = read_head(head.folder)
    number = manifest.packed_version
    place = package / "versions" / str(number)
    new = number not in versions(package)
    if new:
        files = {name: read_file(head.folder, manifest, name) for name in manifest.files}
        signature = signature_of(head.folder)
        add_version(package, number, {
            **files, MANIFEST: content, **({} if signature is None else {SIGNATURE: signature}),
        })  # fmt: skip
    elif read_plain(place, MANIFEST, step="manifest") != content:
        raise PackageError(
            f"{place}: is another version than {manifest.model} of {source}",
            step="manifest",
            hint="give another folder: a version never changes, and this one has its number already",
        )
    make_current(package, number)
    return Copied(place, manifest, head.signer, new)
