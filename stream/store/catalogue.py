"""The versions of a package: list them, look at one, go back to an earlier one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from stream.codec import RecordSchema
from stream.errors import PackageError
from stream.manifest import Manifest
from stream.store.folder import MANIFEST, current_version, make_current, resolve, versions
from stream.store.libraries import differences
from stream.store.manifests import EVENTS_FILE
from stream.store.opening import Package, open_package
from stream.store.package_schemas import sound_schema
from stream.store.trust import Trust, signature_of
from stream.store.version_files import read_file, read_head

__all__ = ["Listed", "Shown", "Signed", "Switched", "list_versions", "roll_back", "show_version"]

Opener: TypeAlias = Callable[[Path, int, Trust], Package]

Signed: TypeAlias = Literal["no", "trusted", "untrusted", "not checked"]
"""By a trusted key, by another one, or unknown, since no key is trusted."""


@dataclass(frozen=True, slots=True)
class Listed:
    """
    One version, by its manifest alone.

    Attributes:
        version: its number.
        current: whether it serves.
        manifest: what it says of itself; None when it can't be read.
        signed: whether its manifest is signed, and by whom: what its files hold was not looked at.
        signer: the trusted key's fingerprint.
        size_bytes: of its files, as the manifest has them.
        problem: why the manifest can't be read; None when it can.
    """

    version: int
    current: bool
    manifest: Manifest | None = None
    signed: Signed = "no"
    signer: str | None = None
    size_bytes: int = 0
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """
    One version in full, without its model.

    Attributes:
        path: its folder.
        manifest: what it says of itself.
        fingerprints: of its schemas, by file: CRC-64-AVRO as in the single-object encoding, hexadecimal.
        differences: libraries whose versions here differ from those at pack time, a sentence each.
        signed: as in `Listed`.
        signer: as in `Listed`.
    """

    path: Path
    manifest: Manifest
    fingerprints: dict[str, str]
    differences: tuple[str, ...]
    signed: Signed
    signer: str | None


@dataclass(frozen=True, slots=True)
class Switched:
    """
    What a rollback did.

    Attributes:
        was: the version that was current; None when `current` named none.
        package: the version that is current now, opened.
    """

    was: int | None
    package: Package


def list_versions(package: Path, trust: Trust) -> list[Listed]:
    """
    Args:
        package: its folder.
        trust: keys to compare signatures with.
    Returns: its versions, ascending; one that can't be read is among them, with the reason.
    Raises: PackageError (step `manifest`) when there is none.
    """
    _check_folder(package)
    current = _current(package)
    return [_listed(package, number, number == current, trust) for number in versions(package)]


def _listed(package: Path, number: int, current: bool, trust: Trust) -> Listed:
    try:
        folder = resolve(package, number)
        content, manifest = read_head(folder)
        signed, signer = _signed(folder, content, trust)
    except PackageError as error:
        return Listed(number, current, problem=error.message)
    size = sum(entry.size_bytes for entry in manifest.files.values())
    return Listed(number, current, manifest, signed, signer, size)


def show_version(path: Path, version: int | None, trust: Trust) -> Shown:
    """
    Args:
        path: a package's folder, or one of its versions.
        version: which one; None for the current.
        trust: keys to compare its signature with.
    Returns: what its files say; the model was not opened.
    Raises: PackageError when its manifest or one of its schemas can't be read.
    """
    folder = resolve(path, version)
    content, manifest = read_head(folder)
    signed, signer = _signed(folder, content, trust)
    prints: dict[str, str] = {}
    for name in ("features.avsc", EVENTS_FILE, "prediction.avsc"):
        if name not in manifest.files:
            continue
        with sound_schema(folder / name):
            prints[name] = RecordSchema(read_file(folder, manifest, name).decode()).fingerprint.hex()
    return Shown(folder, manifest, prints, differences(manifest.libraries, manifest.fitted), signed, signer)


def _signed(folder: Path, content: bytes, trust: Trust) -> tuple[Signed, str | None]:
    signature = signature_of(folder)
    if signature is None:
        return "no", None
    signer = trust.signer_of(signature, content)
    if signer is not None:
        return "trusted", signer.fingerprint
    return ("untrusted" if trust.keys else "not checked"), None


def _open(package: Path, version: int, trust: Trust) -> Package:
    return open_package(package, version, trust=trust)


def roll_back(package: Path, to: int | None, trust: Trust, open_it: Opener = _open) -> Switched:
    """
    Make another version current, once it has been opened as a worker would.

    Args:
        package: its folder.
        to: the version, an earlier or a later one; None for the last one before the current.
        trust: what the version must show.
        open_it: opens a version of the package, by its number.
    Returns: what was done.
    Raises: PackageError when there is no such version, or it is refused; `current` is then as it was. OSError as
        the disk has it, likewise.
    """
    _check_folder(package)
    was = _current(package) if to is not None else current_version(package)
    opened = open_it(package, _before(package, was) if to is None else to, trust)
    number = opened.manifest.packed_version
    if number != was:
        make_current(package, number)
    return Switched(was, opened)


def _before(package: Path, current: int | None) -> int:
    found = versions(package)
    earlier = [number for number in found if current is not None and number < current]
    if not earlier:
        raise PackageError(
            f"{package}: there is no version before {current}; found: {', '.join(map(str, found))}",
            step="manifest",
            hint="name one with --to N",
        )
    return earlier[-1]


def _current(package: Path) -> int | None:
    """None where `current` names nothing: that is what a rollback can repair."""
    try:
        return current_version(package)
    except PackageError:
        return None


def _check_folder(package: Path) -> None:
    if versions(package):
        return
    one = (package / MANIFEST).is_file()
    raise PackageError(
        f"{package}: {'is the folder of one version' if one else 'holds no versions'}",
        step="manifest",
        hint="give the package's own folder" if one else "pack a model with `stream pack`",
    )
