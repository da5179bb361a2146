"""
The folder of a package: which versions there are, which is current, and how a version gets there.

    models/flights/current          a text file: 2
    models/flights/versions/1/      never changed once written
    models/flights/versions/2/
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Collection, Mapping
from itertools import islice
from pathlib import Path

from stream.durable import sync, written_whole
from stream.errors import PackageError
from stream.nearest import nearest
from stream.store.plain_files import PLAINLY

__all__ = [
    "CARD",
    "MANIFEST",
    "MAX_VERSION_BYTES",
    "MLMODEL",
    "SIGNATURE",
    "add_version",
    "current_version",
    "make_current",
    "next_version",
    "other_files",
    "resolve",
    "versions",
]

MANIFEST = "manifest.json"

SIGNATURE = "manifest.sig"
"""Stands beside the manifest, which can't name it: it would have to hold its own hash."""

CARD = "card.html"
"""The model card: a file that a version may have."""

MLMODEL = "MLmodel"
"""What a model's folder has as MLflow saves it, and no package's."""

MAX_VERSION_BYTES = 4 * 1024**3
"""Of a version's files together: a worker could not hold a larger model beside its successor."""

_NAMED = 5
"""Files named in a note; enough to see what they are."""

_CURRENT_BYTES = 64
"""`current` holds a number; anything longer is something else."""


def versions(package: Path) -> list[int]:
    """
    The numbers of a package's versions, ascending; its folder need not exist.

    Raises: PackageError (step `manifest`) when they are a link to somewhere else.
    """
    folder = _home(package)
    if not folder.is_dir():
        return []
    return sorted(int(entry.name) for entry in folder.iterdir() if _is_number(entry.name))


def _home(package: Path) -> Path:
    """The folder of a package's versions."""
    folder = package / "versions"
    if folder.is_symlink() and not _real(folder).is_relative_to(_real(package)):
        raise PackageError(
            f"{folder}: is a link out of the package, and such links are not followed",
            step="manifest",
            hint="copy the versions there, or link the whole package",
        )
    return folder


def current_version(package: Path) -> int:
    """
    The version that `current` names: a text file with a number or `versions/N`, or a link to one.

    Args:
        package: the package's folder.
    Returns: its number.
    Raises: PackageError (step `manifest`) if there is no `current`, or it does not name a version.
    """
    current = package / "current"
    try:
        number = _number_of_link(package, current) if current.is_symlink() else _number_in(current)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise _no_current(package) from error
    except OSError as error:
        raise PackageError(
            f"{current}: can't be read ({error.strerror or error}); versions found: {_found(package)}",
            step="manifest",
            hint=_other_folder(package),
        ) from error
    if number is None:
        raise _not_current(current, "expected the number of a version, found something else")
    return number


def _no_current(package: Path) -> PackageError:
    """What is there instead: nothing, a file, another folder, or a package whose `current` is lost."""
    if versions(package):
        return PackageError(
            f"{package}: has no file `current`, which names the version that is to serve; versions found: "
            f"{_found(package)}",
            step="manifest",
            hint="`stream models rollback --to N` writes it",
        )
    found = "there is no such folder"
    if package.is_dir():
        found = "it holds no version"
    elif package.exists():
        found = "it is a file"
    return PackageError(
        f"{package}: there is no model package here: {found}", step="manifest", hint=_other_folder(package)
    )


def _number_of_link(package: Path, current: Path) -> int | None:
    """A link names a version by where it leads, or by the text that it leads to; nothing outside is opened."""
    parent, _, name = str(current.readlink()).removesuffix("/").rpartition("/")
    inside = parent == "" or _real(package / parent) == _real(package / "versions")
    if inside and _is_number(name):
        return int(name)
    target = _real(current)
    if not target.is_relative_to(_real(package)):
        raise _not_current(current, "is a link out of the package, and such links are not followed")
    return _number_in(target)


def _real(path: Path) -> Path:
    """Where a path leads. `Path.resolve` raises RuntimeError where links lead to themselves; opening those fails."""
    return Path(os.path.realpath(path))


def _number_in(file: Path) -> int | None:
    """What a text says; never what it says instead: a link may have been put here to have a secret shown."""
    handle = os.open(file, PLAINLY)
    with os.fdopen(handle, "rb") as opened:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise _not_current(file, "expected the number of a version, found no regular file")
        content = opened.read(_CURRENT_BYTES + 1)
    name = content.strip().removesuffix(b"/").removeprefix(b"versions/").decode("ascii", "replace")
    return int(name) if len(content) <= _CURRENT_BYTES and _is_number(name) else None


def _not_current(current: Path, why: str) -> PackageError:
    hint = "`stream models rollback --to N` writes the version that is to serve into it"
    return PackageError(f"{current}: {why}", step="manifest", hint=hint)


def _found(package: Path) -> str:
    return ", ".join(map(str, versions(package))) or "none"


def _other_folder(package: Path) -> str:
    """A hint that names the packages within and beside a folder that is none, and in `models/`."""
    if package.is_file():
        return f"`stream pack {package} --name NAME --sample FILE` makes a package of an estimator's file"
    places = dict.fromkeys((package, package.parent, Path("models")))
    near = {entry.name: str(entry) for place in places for entry in _packages_in(place) if entry != package}
    names = nearest(package.name, near, most=_NAMED) or list(islice(near, _NAMED))
    found = f", here {' or '.join(near[name] for name in names)}" if names else ""
    return (
        f"give the folder of a package{found} (as --model, [model] uri or in Python); `stream pack` makes one"
    )


def _packages_in(place: Path) -> list[Path]:
    try:
        return [entry for entry in sorted(place.iterdir()) if versions(entry)]
    except (OSError, PackageError):
        return []  # what can't be listed can't be offered


def resolve(path: Path, version: int | None = None) -> Path:
    """
    The folder of one version.

    Args:
        path: a package's folder, or one of its `versions/N`, or a link to either.
        version: which one; None for the current.
    Returns: the version's own folder, links resolved.
    Raises: PackageError (step `manifest`) if it isn't there.
    """
    if version is None and (path / MANIFEST).is_file():
        return path.resolve()
    number = current_version(path) if version is None else version
    if not versions(path):
        raise _no_current(path)
    folder = _home(path) / str(number)
    if not folder.is_dir():
        raise PackageError(
            f"{path}: there is no version {number}; found: {_found(path)}",
            step="manifest",
            hint="name one that is there, or let `stream models rollback --to N` correct `current`",
        )
    if folder.is_symlink():
        # A version never changes once written; a link can be pointed elsewhere at any time.
        raise PackageError(
            f"{folder}: is a link, not a version's own folder",
            step="manifest",
            hint="copy the version there, or link the whole package",
        )
    return folder.resolve()


def other_files(folder: Path, known: Collection[str]) -> list[str]:
    """Up to 5 names in a version's folder that are not known, hidden ones too, sorted."""
    return sorted(islice((entry.name for entry in folder.iterdir() if entry.name not in known), _NAMED))


def next_version(package: Path) -> int:
    """One more than the highest version of a package, 1 for the first; its folder need not exist."""
    return max(versions(package), default=0) + 1


def add_version(package: Path, version: int, files: Mapping[str, bytes]) -> Path:
    """
    Write a version, whole or not at all: 1 a hidden folder, 2 its files to the disk, 3 one rename.

    Args:
        package: its folder; made if it isn't there.
        version: a number that is free.
        files: contents by plain name.
    Returns: the version's folder.
    Raises: PackageError if the number is taken meanwhile; OSError as the disk has it. Nothing is left behind.
    """
    target = package / "versions" / str(version)
    hidden = target.with_name(f".{version}.{os.getpid()}")
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        hidden.mkdir()  # 1
        for name, content in files.items():  # 2
            with written_whole(hidden / name) as file:
                file.write(content)
        sync(hidden)
        if target.exists():
            raise PackageError(f"{target}: was written meanwhile", hint="pack again; it gets the next number")
        hidden.rename(target)  # 3
    finally:
        shutil.rmtree(hidden, ignore_errors=True)
    sync(target.parent)
    return target


def make_current(package: Path, version: int) -> None:
    """
    Let `current` name a version, by one rename.

    Args:
        package: its folder.
        version: one that is there.
    Raises: OSError as the disk has it; `current` is then as it was.
    """
    with written_whole(package / "current") as file:
        file.write(f"{version}\n".encode())
    sync(package)


def _is_number(name: str) -> bool:
    return name.isascii() and name.isdecimal() and not name.startswith("0")
