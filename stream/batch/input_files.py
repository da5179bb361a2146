"""What was given on the command line → files: folders, globs and the partitions in their folders' names."""

from __future__ import annotations

import glob
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias
from urllib.parse import unquote

from stream.errors import SampleError

__all__ = ["Input", "Kind", "find_inputs"]

Kind: TypeAlias = Literal["csv", "jsonl", "parquet", "avro"]
"""A data file's format."""

_KINDS: dict[str, Kind] = {
    ".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet", ".avro": "avro"
}  # fmt: skip

_NULL = "__HIVE_DEFAULT_PARTITION__"
"""What Hive and Spark call the folder of rows without a value."""


@dataclass(frozen=True, slots=True)
class Input:
    """
    A data file.

    Attributes:
        path: as it was found from what was given; `source_file` of its rows.
        kind: its format.
        partitions: columns that the folders' names hold (`year=2013`), as texts; None where there is no value.
    """

    path: str
    kind: Kind
    partitions: tuple[tuple[str, str | None], ...] = ()


def find_inputs(given: Sequence[str], runs: Collection[Path] = ()) -> list[Input]:
    """
    Find the files.

    Args:
        given: files, folders (all data files within, at any depth) and globs (`**` for any depth), in order.
        runs: folders whose files were written by earlier runs: they are no inputs.
    Returns: the data files, each once; those of a folder or glob sorted by path. Within folders, names that
        begin with `.` or `_` are left out, as by Spark and Hive, and so are files of other formats, and those
        of earlier runs.
    Raises: SampleError when something given is not there, holds no data file, or is a file of an earlier run.
    """
    found: dict[str, Input] = {}
    written = {folder.resolve() for folder in runs}
    for text in given:
        paths = [path for path in _paths(text) if written.isdisjoint(path.resolve().parents)]
        if not paths and Path(text).is_file():
            raise SampleError(
                f"{text}: is of an earlier run under --output: predictions are no input",
                hint="leave it out, or choose another --output",
            )
        if not paths:
            raise SampleError(
                f"{text}: no data file is there", hint="name files called .csv, .parquet, .avro or .jsonl"
            )
        for path in paths:
            found.setdefault(str(path.resolve()), _input(path))
    return list(found.values())


def _paths(text: str) -> Iterator[Path]:
    path = Path(text)
    if path.is_dir():
        yield from _within(path)
    elif path.exists() or not glob.has_magic(text):
        yield path
    else:
        for name in sorted(glob.glob(text, recursive=True)):  # noqa: PTH207  # absolute patterns too
            place = Path(name)
            if place.is_dir():
                yield from _within(place)
            elif place.suffix.lower() in _KINDS:
                yield place


def _within(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        hidden = any(part.startswith((".", "_")) for part in path.relative_to(folder).parts)
        if not hidden and path.suffix.lower() in _KINDS and path.is_file():
            yield path


def _input(path: Path) -> Input:
    kind = _KINDS.get(path.suffix.lower())
    if kind is None:
        raise SampleError(
            f"{path}: expected a file called .csv, .parquet, .avro or .jsonl", hint="rename or convert it"
        )
    if not path.is_file():
        raise SampleError(f"{path}: there is no such file", hint="correct the path")
    return Input(str(path), kind, _partitions(path))


def _partitions(path: Path) -> tuple[tuple[str, str | None], ...]:
    pairs = [part.partition("=") for part in path.parts[:-1] if "=" in part]
    return tuple((unquote(key), None if value == _NULL else unquote(value)) for key, _, value in pairs if key)
