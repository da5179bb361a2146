"""Checked before any row is read: do the inputs declare the columns that the model needs?"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from stream.batch.input_files import Input
from stream.codec import Record
from stream.errors import SampleError
from stream.files import format_of
from stream.table import Absent, absent_columns, lacking, quoted
from stream.types import type_called

__all__ = ["Needs", "check_columns"]

_FILES = 5
"""How many files a message names."""


@dataclass(frozen=True, slots=True)
class Needs:
    """
    What a file's columns are for.

    Attributes:
        who: needs them, for messages: `name@version` of a model.
        record: the events' type.
        paths: dotted paths of the fields that are taken of each row.
        features: those of which one must be there, also where each has a default.
    """

    who: str
    record: Record
    paths: Sequence[str]
    features: Sequence[str]

    def absent(self, header: Collection[str]) -> list[Absent]:
        """The columns that are not there; if these are needed, only they matter."""
        absent = absent_columns(self.record, self.paths, header)
        if any(one.needed for one in absent):
            return absent
        # What is only carried says nothing to a model.
        features = absent_columns(self.record, self.features, header)
        return [one for one in features if one.one_of] or absent


def check_columns(inputs: Sequence[Input], needs: Needs) -> list[str]:
    """
    Check that every file has the columns without which no row is of use.

    Args:
        inputs: data files.
        needs: which columns these are.
    Returns: what the formats note of the files, and a line for each missing column that has a default.
    Raises: SampleError naming the first files that lack a column, the columns they have, and the nearest names; or a
        file whose header can't be read. OSError from the disk.
    """
    files: dict[tuple[str, ...], list[str]] = {}
    for each in inputs:
        if (names := each.columns()) is not None:
            files.setdefault(tuple(names), []).append(each.path)
    notes: dict[str, str] = {}
    for each in inputs:
        for note in each.notes():
            notes.setdefault(note.removeprefix(each.path), note)
    lines = list(notes.values())
    for header, where in files.items():
        absent = needs.absent(header)
        if needed := [one for one in absent if one.needed]:
            raise _refusal(needed, where, header, needs)
        lines += [f"{_files(where)}: {one.defaulted}" for one in absent]
    return lines


def _refusal(
    needed: Sequence[Absent], files: Sequence[str], columns: Sequence[str], needs: Needs
) -> SampleError:
    hints = ["; ".join([one.renaming for one in needed if one.near][:3])]
    if any((kind := format_of(Path(name))) is not None and kind.text for name in files):
        hints += [_headless(columns, needs), _unseparated(columns)]
    hint = next(filter(None, hints), "add the columns, or leave the file out")
    return SampleError(
        f"{_files(files)}: no column {lacking(needed, needs.who)}; there are {quoted(columns)}", hint=hint
    )


def _headless(columns: Sequence[str], needs: Needs) -> str:
    """A hint for a csv whose first line names no column, and has a number or a date."""
    nothing = len(absent_columns(needs.record, needs.paths, ()))
    named = len(absent_columns(needs.record, needs.paths, columns)) < nothing
    labels = list(columns) == [str(number) for number in range(len(columns))]
    kinds = [type_called(name) for name in ("double", "date", "timestamp-micros")]
    cell = next((name for name in columns if any(kind.parse_cell(name) is not None for kind in kinds)), None)
    if named or labels or cell is None:
        return ""
    return f"the first line, with {cell!r}, looks like data: if the file has no header, put the columns' names above it"


def _unseparated(columns: Sequence[str]) -> str:
    """A hint for a csv that seems to have one column."""
    return f"give --delimiter if {columns[0]!r} is not one column" if len(columns) == 1 else ""


def _files(files: Sequence[str]) -> str:
    more = f" and {len(files) - _FILES} more files" if len(files) > _FILES else ""
    return ", ".join(files[:_FILES]) + more
