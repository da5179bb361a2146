"""A training that is done once: the version that an earlier command with the same key has packed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from stream.lock_file import key_lock
from stream.manifest import Manifest
from stream.store import current_version, read_head, resolve, versions

__all__ = ["RUN_KEY", "trained_once"]

RUN_KEY = "run_key"
"""The fact in a manifest's metrics that holds the key."""


@contextmanager
def trained_once(folder: Path, key: str, waiting: Callable[[], None]) -> Iterator[Manifest | None]:
    """
    Keep the key of a training to this process.

    Args:
        folder: the package's; need not exist.
        key: names the work, of which the package gets one version.
        waiting: called once if another process holds the key.
    Yields: the manifest of the version with that key, or None. One that never became `current` does not count.
    Raises: SettingsError where nothing can be written; PackageError naming a manifest that can't be read.
    Blocks: while another process holds the key, without limit.
    """
    # The lock is beside the package: where nothing gets packed, no folder is left.
    with key_lock(folder.absolute().parent, f"{folder.name}/{key}", f"--out {folder}", waiting):
        yield _version(folder, key)


def _version(folder: Path, key: str) -> Manifest | None:
    numbers = versions(folder)
    if not numbers:
        return None
    current = current_version(folder)
    heads = (read_head(resolve(folder, number))[1] for number in reversed(numbers) if number <= current)
    return next((manifest for manifest in heads if manifest.metrics.get(RUN_KEY) == key), None)
