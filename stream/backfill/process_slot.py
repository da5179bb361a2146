"""
A name for each process of a backfill, which the next one on the same machine takes over.

Two processes of one command have one configuration, so they would have one transactional id, and end each other's
transactions. A process takes the first number that no other one holds; its lock ends with it, however it ends. The next
process takes the number and with it the id, which ends at once what the one before left open.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from stream.errors import SettingsError
from stream.settings import Settings
from stream.worker import open_own

__all__ = ["claimed", "forget_slots"]

MOST = 256
"""Processes of one backfill on one machine."""

LOCK = "slot.lock"


@contextmanager
def claimed(settings: Settings, host: str) -> Iterator[Settings]:
    """
    The configuration under a name that no other process has while the context lasts.

    Args:
        settings: of one process; its group is the backfill's.
        host: the machine's name.
    Raises: SettingsError when there is no folder for it.
    """
    instance = settings.delivery.instance or host
    for number in range(MOST):
        folder = _folder(settings, number)
        try:
            lock = open_own(folder, LOCK)
        except OSError as error:
            raise SettingsError(
                f"[delivery] state: can't keep the backfill's note in {folder}: {error.strerror or error}",
                hint="make room there, or name a folder on another disk: `[delivery] state`",
            ) from error
        with os.fdopen(lock, "r+b"):
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            own = replace(settings.delivery, instance=f"{instance}.{number}", state=folder)
            yield replace(settings, delivery=own)
            return
    raise SettingsError(f"{MOST} processes of this backfill run on this machine already")


def forget_slots(settings: Settings) -> None:
    """Remove the folders of a backfill that is finished; those of processes that still run here go with them."""
    for number in range(MOST):
        shutil.rmtree(_folder(settings, number), ignore_errors=True)


def _folder(settings: Settings, number: int) -> Path:
    name = f"{settings.kafka.group}-{number}".replace(os.sep, "_")
    if settings.delivery.state is not None:
        return settings.path(settings.delivery.state) / name
    return Path(tempfile.gettempdir()) / f"prediction-stream-{name}"
