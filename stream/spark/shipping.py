"""A model's version as bytes: checked where it is, opened where the work is done."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from stream.manifest import Registered
from stream.mlflow import place_of
from stream.settings import Settings
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
    write_registered,
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
        number: of the version, in its package's folder.
        registered: what a registry calls it; None where it is no copy from one.
    """

    sha256: str
    files: Mapping[str, bytes] = field(repr=False)
    types: tuple[str, ...] = ()
    number: str = "1"
    registered: Registered | None = None

    def open(self) -> Package:
        """
        Open it in this process, once: every hash and golden row is checked here as well.

        Raises: PackageError when it can't be opened with this process's libraries.
        """
        key = self.sha256, self.registered
        if key not in _opened:
            with tempfile.TemporaryDirectory(prefix="prediction-stream-") as package:
                folder = Path(package) / "versions" / self.number
                folder.mkdir(parents=True)
                for name, content in self.files.items():
                    (folder / name).write_bytes(content)
                if self.registered is not None:
                    write_registered(Path(package), self.registered)
                _opened[key] = open_package(folder, trust=Trust(types=self.types))
        return _opened[key]


_opened: dict[tuple[str, Registered | None], Package] = {}
"""Spark keeps its Python processes: the next task finds the model here."""


def ship(package: Path | str, trust: Trust | None = None) -> Shipped:
    """
    Read a version to be opened elsewhere.

    Args:
        package: its folder, its package's, or a URI of MLflow.
        trust: who must have signed it; None for anybody.
    Returns: its files, of the hashes that the manifest names.
    Raises: PackageError with the step that failed; nothing of it has run.
    """
    trust = trust or Trust()
    folder = resolve(place_of(package, Settings(), trust))
    content, manifest = read_head(folder)
    check_total(str(folder / MANIFEST), manifest, trust)
    check_signature(folder, content, trust)
    files = {name: read_file(folder, manifest, name) for name in manifest.files}
    sha256 = hashlib.sha256(content).hexdigest()
    number = folder.name if folder.parent.name == "versions" else str(manifest.version)
    return Shipped(sha256, {MANIFEST: content, **files}, trust.types, number, manifest.registered)
