"""
The folder of local copies: each is written whole under a hidden name and then renamed, so that a half one is never
seen, and two processes may write the same one.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from stream.durable import sync
from stream.errors import SettingsError
from stream.settings import Settings

__all__ = ["CacheFolder"]

KEPT = 10
"""Copies of a server's models that are kept in any case, the last used ones."""

UNUSED_S = 24 * 3600.0
"""A copy that was used within this time is not removed: a process may open it again. Likewise what is half written."""

_HIDDEN = ".new-"


class CacheFolder:
    """The copies of one server's models; those that were taken while it was trusted are used only while it is."""

    def __init__(self, settings: Settings, address: str) -> None:
        """
        Args:
            settings: the configuration.
            address: of the server.
        Raises: SettingsError when nobody says where the folder is to be.
        """
        self._root = _root(settings) / _short(address, *(["trusted"] if settings.mlflow.trusted else []))

    def place(self, name: str, *marks: object) -> Path:
        """
        Where a copy is, or would be.

        Args:
            name: that people know it by.
            marks: what tells it from others of this name.
        """
        return self._root / f"{_plain(name)}-{_short(*marks)}"

    @contextmanager
    def fresh(self) -> Iterator[Path]:
        """
        A new folder to write a copy to; what is not published at the end of the block is removed.

        Raises: SettingsError when it can't be written to.
        """
        hidden = self._root / f"{_HIDDEN}{secrets.token_hex(8)}"
        try:
            self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
            hidden.mkdir(mode=0o700)
            yield hidden
        except OSError as error:
            raise SettingsError(
                f"[mlflow] cache: {self._root}: no local copy can be written: {error.strerror or error}",
                hint="name another folder, such as one in memory (tmpfs) where the container is read-only",
            ) from error
        finally:
            shutil.rmtree(hidden, ignore_errors=True)
        self._tidy()

    def publish(self, package: Path, target: Path) -> Path:
        """
        Give a copy its name.

        Args:
            package: complete, in a `fresh` folder.
            target: its `place`; another process may have written it meanwhile, which is as good.
        Returns: the place.
        Raises: OSError as the disk has it.
        """
        _sync_all(package)
        try:
            package.rename(target)
        except OSError:
            if not target.is_dir():
                raise
        sync(self._root)
        return target

    def use(self, target: Path) -> None:
        """Note that a copy is in use, so that it is not removed."""
        with suppress(OSError):  # of another user, or on a disk that is only read
            os.utime(target)

    def copies(self) -> list[Path]:
        """Every copy, the last used one first."""
        found: list[tuple[float, Path]] = []
        with suppress(OSError):
            for each in self._root.iterdir():
                if not each.name.startswith("."):
                    found.append((each.stat().st_mtime, each))
        return [each for _, each in sorted(found, reverse=True)]

    def _tidy(self) -> None:
        """Remove what is many days old: copies beyond the last ones, and what was never finished."""
        now = time.time()
        with suppress(OSError):
            left = [each for each in self._root.iterdir() if each.name.startswith(_HIDDEN)]
            for each in (*self.copies()[KEPT:], *left):
                if now - each.stat().st_mtime > UNUSED_S:
                    shutil.rmtree(each, ignore_errors=True)


_SHORT = 12


def _short(*marks: object) -> str:
    return hashlib.sha256(json.dumps([str(mark) for mark in marks]).encode()).hexdigest()[:_SHORT]


def _plain(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9@._-]", "_", name)[:100].lstrip(".") or "_"


def _root(settings: Settings) -> Path:
    if settings.mlflow.cache is not None:
        return settings.path(settings.mlflow.cache)
    named = os.environ.get("XDG_CACHE_HOME", "")
    try:
        home = Path(named) if named else Path.home() / ".cache"
    except RuntimeError as error:
        raise SettingsError(
            "[mlflow] cache: is not set, and this user has no home folder",
            hint="name a folder for local copies",
        ) from error
    return home / "prediction-stream" / "mlflow"


def _sync_all(folder: Path) -> None:
    for path, _, names in os.walk(folder):
        for name in names:
            handle = os.open(Path(path) / name, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)
        sync(Path(path))
