"""Files that are there whole, or not at all."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

__all__ = ["renamed", "sync", "written_whole"]


@contextmanager
def renamed(path: Path) -> Iterator[Path]:
    """
    Another name for a file until it is whole, then one rename.

    Args:
        path: its name; a file that is there is replaced.
    Yields: a hidden name beside it, to be written by the caller; whether its bytes are on the disk is the
        caller's affair.
    Raises: OSError as the disk has it, FileNotFoundError when nothing was written; `path` is then as it was, and
        the hidden file is gone.
    """
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")  # several machines may try
    try:
        yield beside
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


@contextmanager
def written_whole(path: Path) -> Iterator[IO[bytes]]:
    """
    A file that gets its name when it is whole: 1 another name, 2 its bytes on the disk, 3 one rename.

    The bytes outlast a power cut from then on, the name does so after `sync` of its folder.

    Args:
        path: its name; a file that is there is replaced.
    Yields: it, open for bytes.
    Raises: OSError as the disk has it; `path` is then as it was.
    """
    with renamed(path) as beside, beside.open("wb") as file:  # 1, 3
        yield file
        file.flush()
        os.fsync(file.fileno())  # 2


def sync(folder: Path) -> None:
    """
    Put a folder on the disk: the names of its files last from then on.

    Args:
        folder: where files were made or renamed. Only POSIX can do this; elsewhere nothing happens.
    Raises: OSError as the disk has it.
    """
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
