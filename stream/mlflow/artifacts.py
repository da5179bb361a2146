"""The files of a model at an MLflow server, fetched one by one: no name that it gives leads anywhere but below."""

from __future__ import annotations

import errno
import os
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from stream.errors import PackageError, Retriable
from stream.mlflow.answers import asked

if TYPE_CHECKING:
    from mlflow.store.artifact.artifact_repo import ArtifactRepository

__all__ = ["Artifact", "Artifacts"]

MOST_FILES = 10_000
"""Of one model: a package has ten, a foreign model with its code some hundreds."""

_FULL_BYTES = 65_536
"""A disk with less room is full."""

DEEPEST = 20
"""Folders within each other."""


@dataclass(frozen=True, slots=True)
class Artifact:
    """
    A file or folder of a model.

    Attributes:
        path: from the model's folder, its parts joined by `/`; each a plain name.
        is_folder: whether it holds others.
        size_bytes: as the server says; None where it does not.
    """

    path: str
    is_folder: bool
    size_bytes: int | None


@dataclass(slots=True)
class Artifacts:
    """
    The files of one model. Each method raises Retriable when the server does not answer, BrokerRefused when it refuses.

    Attributes:
        repository: MLflow's own access to them.
        uri: of the model, for messages.
        address: of the server, for messages.
        bound: within it, no file gets more than so many bytes.
    """

    repository: ArtifactRepository
    uri: str
    address: str
    bound: Callable[[int], AbstractContextManager[object]] = nullcontext
    _listed: dict[str, list[Artifact]] = field(default_factory=dict)

    def listing(self, folder: str = "") -> list[Artifact]:
        """
        What a folder holds, by name; nothing where it isn't there. Asked once.

        Raises: PackageError for a name that is no plain one.
        """
        if folder not in self._listed:
            with asked(self.uri, self.address):
                found = [
                    (str(each.path), bool(each.is_dir), each.file_size)
                    for each in self.repository.list_artifacts(folder or None)
                ]
            self._listed[folder] = [
                Artifact(self._below(folder, path), is_folder, None if size is None else int(size))
                for path, is_folder, size in sorted(found)
            ]
        return self._listed[folder]

    def find(self, path: str) -> Artifact | None:
        """A file by its path; None where it isn't there."""
        folder = path.rpartition("/")[0]
        return next((each for each in self.listing(folder) if each.path == path and not each.is_folder), None)

    def fetch(self, path: str, into: Path, most_bytes: int) -> Path:
        """
        Fetch one file.

        Args:
            path: of the file.
            into: a folder; the file gets its path there.
            most_bytes: that it may have.
        Returns: where it is now.
        Raises: PackageError when it isn't there (its cause is a FileNotFoundError), is larger, or arrives short.
        """
        found = self.find(path)
        if found is None:
            raise self._refusal(
                f"{path} is not there", "wait until it is uploaded, or log the model again"
            ) from (FileNotFoundError(path))
        if found.size_bytes is not None and found.size_bytes > most_bytes:
            raise self._refusal(f"{path} has {found.size_bytes} bytes, at most {most_bytes} are taken")
        place = self._downloaded(path, into, most_bytes if found.size_bytes is None else found.size_bytes)
        state = place.lstat()
        if not stat.S_ISREG(state.st_mode) or place != into / path:
            raise self._refusal(f"{path} did not arrive as a file")
        if state.st_size > most_bytes or found.size_bytes not in (None, state.st_size):
            raise self._refusal(
                f"{path} arrived with {state.st_size} bytes, not {found.size_bytes}"
            ) from OSError("cut short")
        return place

    def _downloaded(self, path: str, into: Path, most_bytes: int) -> Path:
        try:
            with self.bound(most_bytes + 1), asked(self.uri, self.address):
                return Path(self.repository.download_artifacts(path, str(into)))
        except Retriable as error:
            if (into / path).is_file() and (into / path).lstat().st_size > most_bytes:
                raise self._refusal(f"{path} does not end after its {most_bytes} bytes") from error
            if shutil.disk_usage(into).free < min(
                most_bytes, _FULL_BYTES
            ):  # as text only in what MLflow raises
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(into)) from error
            raise

    def fetch_all(self, into: Path, most_bytes: int) -> None:
        """
        Fetch every file.

        Args:
            into: a folder; each file gets its path there.
            most_bytes: that they may have together.
        Raises: as `fetch`.
        """
        left = most_bytes
        for count, each in enumerate(self.walk(), 1):
            if count > MOST_FILES:
                raise self._refusal(f"it has more than {MOST_FILES} files")
            left -= self.fetch(each.path, into, left).stat().st_size

    def walk(self, folder: str = "") -> Iterator[Artifact]:
        """Every file below a folder, folder by folder. Raises: as `listing`."""
        for each in self.listing(folder):
            if each.is_folder and each.path.count("/") >= DEEPEST:
                raise self._refusal(f"its folders are more than {DEEPEST} deep")
            if each.is_folder:
                yield from self.walk(each.path)
            else:
                yield each

    def _below(self, folder: str, path: str) -> str:
        name = path.removeprefix(f"{folder}/") if folder else path
        if (
            name in ("", ".", "..")
            or "/" in name
            or "\\" in name
            or not name.isprintable()
            or len(name.encode()) > 255
        ):
            raise self._refusal(f"the server lists {path!r}, which is not a file of {folder or 'the model'}")
        return path

    def _refusal(self, message: str, hint: str = "log the model again") -> PackageError:
        return PackageError(f"{self.uri}: {message}", step="manifest", hint=hint)
