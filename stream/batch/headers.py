"""Checked before any row is read: do the inputs declare the columns that the model needs?"""

from __future__ import annotations

from collections.abc import Sequence

from stream.batch.input_files import Input
from stream.codec import RecordSchema
from stream.errors import SampleError
from stream.manifest import Manifest
from stream.table import Absent, absent_columns, lacking, quoted

__all__ = ["check_columns"]

_FILES = 5
"""How many files a message names."""


def check_columns(inputs: Sequence[Input], schema: RecordSchema, manifest: Manifest) -> list[str]:
    """
    Check that every file has the columns without which no row can be scored.

    Args:
        inputs: data files.
        schema: of the events (`features.avsc`).
        manifest: of the model.
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
    features = [feature.path for feature in manifest.features]
    for header, where in files.items():
        absent = absent_columns(schema.root, manifest.needed, header)
        if needed := [one for one in absent if one.needed] or _nothing(schema, features, header):
            raise _refusal(needed, where, header, manifest.model)
        lines += [f"{_files(where)}: {one.defaulted}" for one in absent]
    return lines


def _nothing(schema: RecordSchema, features: Sequence[str], header: Sequence[str]) -> list[Absent]:
    """The features, where none of them is there: what is only carried says nothing to a model."""
    return [one for one in absent_columns(schema.root, features, header) if one.one_of]


def _refusal(
    needed: Sequence[Absent], files: Sequence[str], columns: Sequence[str], model: str
) -> SampleError:
    hints = [one.renaming for one in needed if one.near]
    return SampleError(
        f"{_files(files)}: no column {lacking(needed, model)}; there are {quoted(columns)}",
        hint="; ".join(hints[:3]) or _unseparated(files, columns) or "add the columns, or leave the file out",
    )


def _unseparated(files: Sequence[str], columns: Sequence[str]) -> str:
    """A hint for a csv that seems to have one column."""
    single = len(columns) == 1 and any(".csv" in name for name in files)
    return f"give --delimiter if {columns[0]!r} is not one column" if single else ""


def _files(files: Sequence[str]) -> str:
    more = f" and {len(files) - _FILES} more files" if len(files) > _FILES else ""
    return ", ".join(files[:_FILES]) + more
