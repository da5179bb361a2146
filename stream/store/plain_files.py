"""The files of a version, read as what they are: regular, of the size that is expected, and no link to another."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from stream.errors import PackageError

__all__ = ["PLAINLY", "hash_plain", "read_plain"]

PLAINLY = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
"""How they are opened: a link is not followed, and opening a pipe does not block."""

BLOCK_BYTES = 1024**2
"""Read at once of a file that is only hashed."""

MAX_MANIFEST_BYTES = 16 * 1024**2
"""A manifest of 10,000 features has 2 MB."""


def read_plain(folder: Path, name: str, size_bytes: int | None = None, *, step: str = "hash") -> bytes:
    """
    Read a regular file of a version once, whole; no more than its size is asked for.

    Args:
        folder: of the version.
        name: a plain file name, checked by the caller.
        size_bytes: how large it has to be; None for the manifest, which no other file describes.
        step: the one that fails when it can't be read.
    Returns: its bytes: whatever is done with the file is done with these.
    Raises: PackageError for a link, a folder, a device, or another size.
    """
    with _opened(folder / name, size_bytes, step) as (file, found):
        content = file.read(found)  # not to the limit: as much memory would be asked for
    _check_size(folder / name, len(content), size_bytes, step)
    return content


def hash_plain(folder: Path, name: str, size_bytes: int) -> str:
    """
    Hash a regular file of a version, a block at a time.

    Args: as `read_plain`.
    Returns: its sha256, hexadecimal.
    Raises: as `read_plain`, step `hash`.
    """
    digest, left = hashlib.sha256(), size_bytes
    with _opened(folder / name, size_bytes, "hash") as (file, _):
        while block := file.read(min(left, BLOCK_BYTES)):
            digest.update(block)
            left -= len(block)
    _check_size(folder / name, size_bytes - left, size_bytes, "hash")
    return digest.hexdigest()


@contextmanager
def _opened(place: Path, size_bytes: int | None, step: str) -> Iterator[tuple[BinaryIO, int]]:
    """A regular file of the size that it has to have, and that size."""
    try:
        handle = os.open(place, PLAINLY)
    except OSError as error:
        link = place.is_symlink()
        raise PackageError(
            f"{place}: {'is a link, not a regular file' if link else f'can not be read ({error.strerror or error})'}",
            step=step,
            hint="pack the model again",
        ) from error
    state = os.fstat(handle)
    if not stat.S_ISREG(state.st_mode):
        os.close(handle)
        raise PackageError(f"{place}: is not a regular file", step=step, hint="pack the model again")
    with os.fdopen(handle, "rb") as file:
        _check_size(place, state.st_size, size_bytes, step)
        yield file, state.st_size


def _check_size(place: Path, found: int, size_bytes: int | None, step: str) -> None:
    if found != size_bytes if size_bytes is not None else found > MAX_MANIFEST_BYTES:
        expected = f"at most {MAX_MANIFEST_BYTES}" if size_bytes is None else size_bytes
        raise PackageError(
            f"{place}: has {found} bytes, expected {expected}",
            step=step,
            hint="copy the version again from where it was packed",
        )
