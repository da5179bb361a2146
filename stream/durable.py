"""Files that are written whole or not at all."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

__all__ = ["hidden_name", "renamed", "sync", "written_whole"]


def hidden_name(path: Path) -> Path:
    """A name beside a file that nobody else uses: several machines may write it."""
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}")


@contextmanager
def renamed(path: Path, beside: Path | None = None) -> Iterator[Path]:
    """
    Give a file another name until it is whole, then rename it.

    Args:
        path: its name; an existing file is replaced.
        beside: the other name, of the same folder; None for a `hidden_name`.
    Yields: a hidden name beside it, for the caller to write to. Syncing the bytes to the disk is up to the caller.
    Raises: OSError from the disk, FileNotFoundError when nothing was written; `path` is then as it was, and the hidden
        file is gone.
    """
    beside = beside or hidden_name(path)
    try:
        yield beside
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


@contextmanager
def written_whole(path: Path) -> Iterator[IO[bytes]]:
    """
    Write a file that gets its name when it is whole: 1 another name, 2 its bytes synced to the disk, 3 one rename.

    Its bytes then survive a power cut; its name does after `sync` of its folder.

    Args:
        path: its name; an existing file is replaced.
    Yields: the file, open for bytes.
    Raises: OSError from the disk; `path` is then as it was.
    """
    with (
        renamed(path) as beside,
        beside.open("xb") as file,
    ):  # 1, 3; never through a link that somebody put there
        yield file
        file.flush()
        os.fsync(file.fileno())  # 2


def sync(folder: Path) -> None:
    """
    Sync a folder to the disk, so that the names of its files survive a power cut.

    Args:
        folder: where files were created or renamed. Only POSIX can do this; elsewhere nothing happens.
    Raises: OSError from the disk.
    """
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
