"""What every target of `stream export` is: a name, options of its own, and files that it writes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from stream.errors import SettingsError
from stream.settings import Settings

if TYPE_CHECKING:
    from stream.store import Package

__all__ = ["Exported", "Exporter", "Option", "filled", "left_open", "write_files"]


@dataclass(frozen=True, slots=True)
class Option:
    """
    One option of a target: text that stands in its files.

    Attributes:
        name: `dataset` for `--dataset`.
        help: what it is, in a line.
        placeholder: what stands in the files where it was not given, in capitals.
        pattern: what a value must match as a whole.
        like: a value that does.
        later: whether something that was written fills it in where it was not given.
    """

    name: str
    help: str
    placeholder: str
    pattern: str
    like: str
    later: bool = False

    @property
    def flag(self) -> str:
        """As it is typed."""
        return f"--{self.name}"


@dataclass(frozen=True, slots=True)
class Exported:
    """
    What an export has written.

    Attributes:
        files: their paths; a folder stands for all that is in it.
        notes: lines for people.
    """

    files: tuple[Path, ...]
    notes: tuple[str, ...] = ()


class Exporter(Protocol):
    """One target."""

    name: str
    """What `--to` calls it."""
    help: str
    """What it writes, in a sentence."""
    options: tuple[Option, ...]
    """All that it takes."""

    def export(
        self, package: Package, settings: Settings, options: Mapping[str, str], folder: Path
    ) -> Exported:
        """
        Write the files.

        Args:
            package: opened.
            settings: the configuration that the package is used with.
            options: a value for each of its options, as `filled` gives them.
            folder: for the files; made when it is not there.
        Raises: PackageError when the target can't have this model, SettingsError when a library is not installed:
            nothing was written then. OSError.
        """


def filled(exporter: Exporter, given: Mapping[str, str]) -> dict[str, str]:
    """
    A value for each option of a target.

    Args:
        exporter: the target.
        given: values by the options' names; the placeholder stands for one that is absent.
    Raises: SettingsError for an option that the target does not have, or a value that the other system would refuse.
    """
    known = {option.name: option for option in exporter.options}
    for name, value in given.items():
        if name not in known:
            raise SettingsError(
                f"--{name}: --to {exporter.name} has no such option",
                hint=f"it takes {', '.join(option.flag for option in exporter.options) or 'none'}",
            )
        if not re.fullmatch(known[name].pattern, value):
            raise SettingsError(
                f"--{name}: expected something like {known[name].like}, found {value!r}", hint="correct it"
            )
    return {name: given.get(name, option.placeholder) for name, option in known.items()}


def left_open(exporter: Exporter, given: Mapping[str, str]) -> list[str]:
    """The flags of the options that were not given: their places in the files are to be filled by hand."""
    return [option.flag for option in exporter.options if option.name not in given and not option.later]


def write_files(folder: Path, files: Mapping[str, bytes]) -> tuple[Path, ...]:
    """Write files by name into a folder, which is made when it is not there. Returns: their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return tuple(folder / name for name in files)
