"""The table of file formats; the name of a file says which one it has."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from stream.errors import SampleError, SettingsError
from stream.files.arrow_format import ArrowFormat
from stream.files.avro_format import AvroFormat
from stream.files.compression import COMPRESSIONS
from stream.files.csv_format import CsvFormat
from stream.files.file_format import FileFormat, OutputFormat
from stream.files.json_format import JsonFormat
from stream.files.jsonl_format import JsonlFormat
from stream.files.other_formats import way_in
from stream.files.parquet_format import ParquetFormat
from stream.files.text_format import TextFormat

__all__ = ["FORMATS", "OUTPUT_FORMATS", "ending_list", "format_of", "named_format", "separated"]

OUTPUT_FORMATS: dict[str, OutputFormat] = {
    each.name: each
    for each in (
        ParquetFormat("parquet", (".parquet",)),
        CsvFormat("csv", (".csv",)),
        JsonlFormat("jsonl", (".jsonl", ".ndjson")),
        AvroFormat("avro", (".avro",)),
    )
}
"""Those that predictions are written in, by name."""

_INPUT_FORMATS: tuple[FileFormat, ...] = (
    *OUTPUT_FORMATS.values(),
    CsvFormat("tsv", (".tsv",), delimiter="\t"),
    JsonFormat("json", (".json",)),
    ArrowFormat("arrow", (".arrow", ".feather", ".arrows", ".ipc")),
)


def _with_compressed(each: FileFormat) -> Iterator[FileFormat]:
    yield each
    if isinstance(each, TextFormat):
        one: TextFormat[Any] = each
        for way in COMPRESSIONS:
            suffixes = tuple(f"{suffix}{way.suffix}" for suffix in one.suffixes)
            yield replace(one, name=f"{one.name}{way.suffix}", suffixes=suffixes, compression=way)


FORMATS: dict[str, FileFormat] = {
    found.name: found for each in _INPUT_FORMATS for found in _with_compressed(each)
}
"""Those that are read, by name."""

_BY_SUFFIX = {suffix: each for each in FORMATS.values() for suffix in each.suffixes}


def ending_list() -> str:
    """The suffixes of data files, for messages."""
    plain = [each.suffixes[0] for each in _INPUT_FORMATS]
    return f"{', '.join(plain[:-1])} or {plain[-1]} (csv and JSON also compressed: .csv.gz)"


def format_of(path: Path) -> FileFormat | None:
    """The format by a file's name; None for a file that is not a data file."""
    return _BY_SUFFIX.get("".join(path.suffixes[-2:]).lower()) or _BY_SUFFIX.get(path.suffix.lower())


def named_format(path: Path, delimiter: str | None = None) -> FileFormat:
    """
    The format of a data file.

    Args:
        path: of the file.
        delimiter: as for `separated`.
    Raises: SampleError when its name has another suffix, there is no such file, or it is a folder; SettingsError as
        `separated`.
    """
    found = format_of(path)
    if found is None:
        hint = way_in(path) or "rename or convert it"
        raise SampleError(f"{path}: expected a file called {ending_list()}", hint=hint)
    if path.is_dir():
        raise SampleError(f"{path}: is a folder", hint="name one of its files; `stream batch` takes folders")
    if not path.is_file():
        raise SampleError(f"{path}: there is no such file", hint="correct the path")
    return separated(found, delimiter)


def separated(kind: FileFormat, delimiter: str | None) -> FileFormat:
    """
    A format whose cells are separated by a given character.

    Args:
        kind: any format; one without cells stays as it is.
        delimiter: the character; None to leave the format as it is.
    Raises: SettingsError when it can't separate cells.
    """
    if delimiter is None:
        return kind
    if len(delimiter) != 1 or not delimiter.isascii() or delimiter.isalnum() or delimiter in '"\r\n.-+_':
        raise SettingsError(
            f"--delimiter {delimiter!r}: expected one character", hint="for example ';' or '\\t'"
        )
    return replace(kind, delimiter=delimiter) if isinstance(kind, CsvFormat) else kind
