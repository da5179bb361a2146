"""What executors wrote, seen from the driver: a run is published only where all of it has come."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path

from stream.errors import StreamError
from stream.spark.unit_task import Noted

__all__ = ["check_arrived"]

_WAIT_S = 90.0
"""A file system that is shared may show what others wrote late: NFS keeps what it knows of a folder for a minute."""

_LOOK_S = 1.0


def check_arrived(
    folder: Path,
    notes: Iterable[Noted],
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """
    Check that the files of units are in the run's folder, whole.

    Args:
        folder: of the run, as this process sees it.
        notes: of the units that executors did.
        clock: monotonic, in seconds.
        sleep: waits for so many seconds.
    Raises: StreamError naming the host and a file that is not there.
    Blocks: up to 90 s for files that are not there yet.
    """
    deadline = clock() + _WAIT_S
    left = [(note.host, folder / name, size) for note in notes for name, size in note.files.items()]
    while left := [each for each in left if _size(each[1]) != each[2]]:
        if clock() >= deadline:
            host, path, _ = left[0]
            raise StreamError(
                f"{path}: was written on {host}, and is not here; nothing was published",
                hint="--output must be a folder that all machines share",
            )
        sleep(_LOOK_S)


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return None
