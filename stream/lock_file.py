"""A lock that processes of one machine, or of several that share the folder, wait for; it leaves no file behind."""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from stream.errors import SettingsError

__all__ = ["key_lock"]


@contextmanager
def key_lock(folder: Path, key: str, place: str, waiting: Callable[[], None]) -> Iterator[None]:
    """
    Keep a key to this process, until the block ends or the process does.

    Args:
        folder: whose key it is; created if it doesn't exist.
        key: any text.
        place: what names the folder on the command line, for the message.
        waiting: called once if another process holds the key.
    Raises: SettingsError when no file can be created in the folder.
    Blocks: while another process holds the key, without limit.
    """
    lock = folder / f".key-{hashlib.sha256(key.encode()).hexdigest()[:32]}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = _locked(lock, waiting)
    except OSError as error:
        raise SettingsError(
            f"{place}: nothing can be started there: {error.strerror}",
            hint="choose a folder that this user can create and write to",
        ) from error
    with file:
        try:
            yield
        finally:
            lock.unlink(missing_ok=True)  # while it is locked: whoever waits for it sees that it is gone


def _locked(lock: Path, waiting: Callable[[], None]) -> IO[bytes]:
    """The lock's file, locked, and still the one of that name: its last holder has removed it."""
    told = False
    while True:
        file = lock.open("ab")
        try:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if not told:
                    waiting()
                    told = True
                fcntl.flock(file, fcntl.LOCK_EX)
            if lock.exists() and os.path.samestat(os.fstat(file.fileno()), lock.stat()):
                return file
        except BaseException:
            file.close()
            raise
        file.close()
