"""The sha256 of each jar that is run, in `jars.sha256`: what Maven fetched is compared with it before it is used."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

__all__ = ["HASHES", "WrongHash", "check_jars", "known_hashes", "write_hashes"]

HASHES = Path(__file__).with_name("jars.sha256")
"""As `sha256sum` writes it, by name; written by `python -m tests.kafka.artifacts --write-hashes`."""


class WrongHash(Exception):
    """A file is not the one that is expected; it was not run, and what it was fetched into has no name yet."""


@cache
def known_hashes(listed: Path = HASHES) -> dict[str, str]:
    """The sha256 of each file, by its name."""
    lines = (line.split("  ", 1) for line in listed.read_text("ascii").splitlines())
    return {name: digest for digest, name in lines}


def _hash_of(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def check_jars(folder: Path, listed: Path = HASHES) -> None:
    """
    Compare every file of a folder with its hash.

    Args:
        folder: of jars, or of one archive.
        listed: the hashes.
    Raises: WrongHash with the first file that differs, or that has no hash.
    """
    for file in sorted(folder.iterdir()):
        expected, found = known_hashes(listed).get(file.name), _hash_of(file)
        if expected is None:
            raise WrongHash(
                f"{file.name} has no hash in {listed.name}; for a new version run "
                "`python -m tests.kafka.artifacts --write-hashes`, and compare them with those that its authors publish"
            )
        if found != expected:
            raise WrongHash(
                f"{file.name} has the sha256 {found}, {listed.name} says {expected}; delete {folder}"
            )


def write_hashes(folders: list[Path], listed: Path = HASHES) -> None:
    """
    Write the hashes of all files of some folders.

    Raises: WrongHash when two files of one name differ.
    """
    found: dict[str, str] = {}
    for file in sorted(file for folder in folders for file in folder.iterdir()):
        digest = _hash_of(file)
        if found.setdefault(file.name, digest) != digest:
            raise WrongHash(f"two files called {file.name} differ")
    listed.write_text("".join(f"{digest}  {name}\n" for name, digest in sorted(found.items())), "ascii")
