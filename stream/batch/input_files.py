"""Files, folders and globs on the command line → data files, with the columns in their folders' names."""

from __future__ import annotations

import glob
from collections.abc import Collection, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

import pyarrow as pa

from stream.errors import SampleError
from stream.files import (
    CHUNK_ROWS,
    FORMATS,
    Chunk,
    FileFormat,
    Opener,
    Span,
    SpanReader,
    Wanted,
    ending_list,
    format_of,
    named_format,
    reading,
    separated,
)

__all__ = ["Input", "find_inputs"]

_NULL = "__HIVE_DEFAULT_PARTITION__"
"""Hive's and Spark's name for the folder of rows without a value."""


@dataclass(frozen=True, slots=True)
class Input:
    """
    A data file.

    Attributes:
        path: relative if what was given is; `source_file` of its rows.
        kind: its format's name.
        partitions: columns in the folders' names (`year=2013`), as texts; None where there is no value.
        delimiter: the character that separates a csv's cells; None to find it.
    """

    path: str
    kind: str
    partitions: tuple[tuple[str, str | None], ...] = ()
    delimiter: str | None = None

    @property
    def format(self) -> FileFormat:
        """Its format."""
        return separated(FORMATS[self.kind], self.delimiter)

    def reading(self) -> AbstractContextManager[None]:
        """A context in which errors of its format name the file; OSError passes, since it is the disk's."""
        return reading(self.path, hint="correct the file, or leave it out")

    def columns(self) -> list[str] | None:
        """
        Returns: its columns and those in its folders' names; None where only the rows name them (jsonl, an empty file).
        Raises: SampleError when its header can't be read; OSError from the disk.
        """
        with self.reading():
            names = self.format.columns(Path(self.path))
        if names is None:
            return None
        return [*names, *(name for name, _ in self.partitions if name not in names)]

    def notes(self) -> list[str]:
        """
        Returns: what was found that its owner may want to know, a sentence each.
        Raises: as `columns`.
        """
        with self.reading():
            return [f"{self.path}: {note}" for note in self.format.notes(Path(self.path))]

    def reader(self, opener: Opener | None = None) -> SpanReader:
        """What reads its spans, one after another; the file is opened, by `opener` if given, when it is first read."""
        return self.format.reader(Path(self.path), opener)

    def chunks(
        self, span: Span, wanted: Wanted, most: int = CHUNK_ROWS, reader: SpanReader | None = None
    ) -> Iterator[Chunk]:
        """
        Read a span.

        Args:
            span: as it was planned.
            wanted: which columns to read.
            most: rows of a chunk.
            reader: of this file, where several spans are read; None for one of its own.
        Returns: its rows in order, with the columns in its folders' names, read lazily.
        Raises: SampleError when the file is not the one that was planned; OSError from the disk.
        """
        seen = 0
        with self.reading():
            chunks = (reader or self.reader()).chunks(span, wanted, most)
            for chunk in chunks:
                seen += len(chunk.numbers) + len(chunk.broken)
                yield self._with_partitions(chunk)
        if seen != span.rows:
            raise SampleError(
                f"{self.path}: expected {span.rows} rows from row {span.first_row} on, found {seen}",
                hint="run again when nothing writes to the file",
            )

    def _with_partitions(self, chunk: Chunk) -> Chunk:
        """Add the columns in its folders' names, unless the file has them itself."""
        added = dict(self.partitions)
        if isinstance(chunk.rows, list):
            chunk.rows = [{**added, **row} for row in chunk.rows] if added else chunk.rows
        else:
            added = {name: value for name, value in added.items() if name not in chunk.rows.schema.names}
            for name, value in added.items():
                column = pa.repeat(pa.scalar(value, pa.string()), len(chunk.rows))
                chunk.rows = chunk.rows.append_column(name, column)
        if added and not chunk.text:
            chunk.text = frozenset(added)
        return chunk


def find_inputs(
    given: Sequence[str], runs: Collection[Path] = (), delimiter: str | None = None
) -> list[Input]:
    """
    Find the files.

    Args:
        given: files, folders (all data files within, at any depth) and globs (`**` for any depth), in order.
        runs: folders of earlier runs: their files are predictions, not inputs.
        delimiter: the character that separates the cells of every csv; None to find it in each.
    Returns: the data files, each once; those of a folder or glob sorted by path. Within folders, names that
        begin with `.` or `_` are left out, as by Spark and Hive, and so are files of other formats, and those
        of earlier runs.
    Raises: SampleError when something given does not exist, holds no data file, or was written by an earlier run.
    """
    found: dict[str, Input] = {}
    written = {folder.resolve() for folder in runs}
    for text in given:
        paths = [path for path in _paths(text) if written.isdisjoint(path.resolve().parents)]
        if not paths and Path(text).is_file():
            raise SampleError(
                f"{text}: was written by an earlier run under --output: predictions are not an input",
                hint="leave it out, or choose another --output",
            )
        if not paths:
            hint = f"name files called {ending_list()}"
            raise SampleError(f"{text}: there is no data file{_others(text)}", hint=hint)
        for path in paths:
            kind = named_format(path, delimiter).name
            each = Input(str(path), kind, _partitions(path), delimiter)
            found.setdefault(str(path.resolve()), each)
    return list(found.values())


def _paths(text: str) -> Iterator[Path]:
    path = Path(text)
    if path.is_dir():
        yield from _within(path)
    elif path.exists() or not glob.has_magic(text):
        yield path
    else:
        for name in sorted(glob.glob(text, recursive=True)):  # noqa: PTH207  # absolute patterns too
            found = Path(name)
            if found.is_dir():
                yield from _within(found)
            elif format_of(found) is not None:
                yield found


def _others(text: str) -> str:
    """What a folder holds instead."""
    path = Path(text)
    names = sorted({each.suffix for each in path.rglob("*") if each.is_file()}) if path.is_dir() else []
    return f"; there are files called {', '.join(map(repr, names[:5]))}" if names else ""


def _within(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        hidden = any(part.startswith((".", "_")) for part in path.relative_to(folder).parts)
        if not hidden and format_of(path) is not None and path.is_file():
            yield path


def _partitions(path: Path) -> tuple[tuple[str, str | None], ...]:
    pairs = [part.partition("=") for part in path.parts[:-1] if "=" in part]
    return tuple((unquote(key), None if value == _NULL else unquote(value)) for key, _, value in pairs if key)
