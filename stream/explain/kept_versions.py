"""The versions of a model package that are still kept, and one of them opened as a worker would."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from stream.codec import RecordSchema
from stream.errors import PackageError, RecordError, SchemaError, StreamError
from stream.first_opening import FirstOpening
from stream.resources import is_remote, kept_versions, open_behind_child, registered_version, trust_of
from stream.settings import Settings
from stream.store import Package, Shown, read_file, read_head, show_version

__all__ = ["KeptVersions", "PredictionSchema", "VersionView"]

_NAMED = re.compile(r"(.+)@([1-9][0-9]{0,9})", re.DOTALL)
"""`name@version`, as predictions carry it."""


MOST_UNREAD = 3
"""Versions that can't be read, of which it is said why."""


@dataclass(frozen=True, slots=True)
class PredictionSchema:
    """
    `prediction.avsc` of a kept version.

    Attributes:
        model: `name@version`.
        schema: what that version's predictions are written with.
    """

    model: str
    schema: RecordSchema


@dataclass(frozen=True, slots=True)
class VersionView:
    """
    The version that a prediction names.

    Attributes:
        model: `name@version`, as the prediction has it.
        gone: why the version can't be looked at; empty where it can.
        shown: what its files say; None where it is gone or they can't be read.
        sha256: of its manifest; empty where that can't be read.
        passed: the steps of opening that it has passed now (`stream.store.STEPS`), with what was found.
        refused: why it does not open; None where it does.
        package: the opened version; None where it does not open.
    """

    model: str
    gone: str = ""
    shown: Shown | None = None
    sha256: str = ""
    passed: dict[str, str] = field(default_factory=dict)
    refused: PackageError | None = None
    package: Package | None = None


class KeptVersions:
    """The versions in the folder that `[model] uri` names."""

    def __init__(self, settings: Settings) -> None:
        """
        Args:
            settings: the configuration.
        Raises: SettingsError when a trusted key can't be read.
        """
        self._model = settings.model
        self._trust = trust_of(settings.model)
        self._settings = settings
        self._place = settings.model.uri if is_remote(settings) else settings.path(settings.model.uri)
        self._folders = kept_versions(settings)
        self._unread: list[str] = []

    def schemas(self) -> Iterator[PredictionSchema]:
        """
        The `prediction.avsc` of each version, the newest first; a version that can't be read is left out.

        Whose signature a version has is no matter here: a schema runs no code, and the version is judged by itself.
        """
        for folder in reversed(self._folders.values()):
            try:
                _, manifest = read_head(folder)
                text = read_file(folder, manifest, "prediction.avsc").decode()
                yield PredictionSchema(manifest.model, RecordSchema(text))
            except (PackageError, SchemaError) as error:
                self._unread.append(error.message)
            except UnicodeDecodeError:
                self._unread.append(f"{folder}/prediction.avsc is not UTF-8")

    def searched(self, fault: RecordError) -> RecordError:
        """
        Say what was looked through for the schema of a prediction that can't be read.

        Args:
            fault: why none of `schemas`, which was gone through, reads it.
        """
        kept = ", ".join(map(str, self._folders)) or "none"
        unread = "".join(f"; {why}" for why in self._unread[:MOST_UNREAD])
        text = f"{fault.message}; versions kept in {self._place}: {kept}{unread}"
        return RecordError(text, reason=fault.reason, field=fault.field)

    def view(self, model: str, opening: FirstOpening) -> VersionView:
        """
        Look at the version that a prediction names, and open it.

        Args:
            model: `name@version`.
            opening: opens it in a child process first.
        Returns: the view; what is wrong with the version is said in it.
        Raises: Retriable when there can be no child process. Blocks while it is opened.
        """
        named = _NAMED.fullmatch(model)
        if named is None:
            return VersionView(model, "the prediction's `model` is not NAME@VERSION")
        try:
            folder = self._folders.get(int(named[2])) or registered_version(self._settings, int(named[2]))
        except StreamError as error:
            return VersionView(model, error.message)
        if folder is None:
            kept = ", ".join(map(str, self._folders)) or "none"
            return VersionView(
                model, f"{self._place} does not keep version {named[2]}; versions kept there: {kept}"
            )
        try:
            there = read_head(folder)[1].model
            if there != model:
                return VersionView(model, f"{self._place} is another model's package: {there} (--model DIR)")
            shown = show_version(folder, None, self._trust)
        except PackageError as error:
            return VersionView(model, refused=error)
        return self._opened(model, folder, shown, opening)

    def _opened(self, model: str, folder: Path, shown: Shown, opening: FirstOpening) -> VersionView:
        passed: dict[str, str] = {}
        refused: PackageError | None = None
        package: Package | None = None
        try:
            package = open_behind_child(
                self._model, folder, opening, trust=self._trust, witness=passed.__setitem__
            )
        except PackageError as error:
            refused = error
        return VersionView(model, "", shown, _sha256(folder), passed, refused, package)


def _sha256(folder: Path) -> str:
    return hashlib.sha256(read_head(folder)[0]).hexdigest()
