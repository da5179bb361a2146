"""A model's version as bytes: checked where it is, opened where the work is done."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from stream.store import (
    MANIFEST,
    Package,
    Trust,
    check_signature,
    check_total,
    open_package,
    read_file,
    read_head,
    resolve,
)

__all__ = ["Shipped", "ship"]


@dataclass(frozen=True, slots=True)
class Shipped:
    """
    A version's files; can be pickled.

    Attributes:
        sha256: of the manifest, and so of all.
        files: contents by name.
        types: that a `.skops` model may hold.
    """

    sha256: str
    files: Mapping[str, bytes] = field(repr=False)
    types: tuple[str, ...] = ()

    def open(self) -> Package:
        """
        Open it in this process, once: every hash and golden row is checked here as well.

        Raises: PackageError when it can't be opened with this process's libraries.
        """
        if self.sha256 not in _opened:
            with tempfile.TemporaryDirectory(prefix="prediction-stream-") as folder:
                for name, content in self.files.items():
                    (Path(folder) / name).write_bytes(content)
                _opened[self.sha256] = open_package(folder, trust=Trust(types=self.types))
        return _opened[self.sha256]


_opened: dict[str, Package] = {}
"""Spark keeps its Python processes: the next task finds the model here."""


def ship(package: Path | str, trust: Trust | None = None) -> Shipped:
    """
    Read a version to be opened elsewhere.

    Args:
        package: its folder, or its package's.
        trust: who must have signed it; None for anybody.
    Returns: its files, of the hashes that the manifest names.
    Raises: PackageError with the step that failed; nothing of it has run.
    """
    folder = resolve(Path(package))
    content, manifest = read_head(folder)
    check_total(str(folder / MANIFEST), manifest, trust or Trust())
    check_signature(folder, content, trust or Trust())
    files = {name: read_file(folder, manifest, name) for name in manifest.files}
    sha256 = hashlib.sha256(content).hexdigest()
    return Shipped(sha256, {MANIFEST: content, **files}, (trust or Trust()).types)
