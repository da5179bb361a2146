"""Every file format, a row each; a file's name says which is its."""

from __future__ import annotations

from pathlib import Path

from stream.errors import SampleError
from stream.files.avro_format import AvroFormat
from stream.files.csv_format import CsvFormat
from stream.files.file_format import FileFormat
from stream.files.jsonl_format import JsonlFormat
from stream.files.parquet_format import ParquetFormat

__all__ = ["FORMATS", "ending_list", "format_of", "named_format"]

FORMATS: dict[str, FileFormat] = {
    each.name: each
    for each in (
        ParquetFormat("parquet", (".parquet",)),
        CsvFormat("csv", (".csv",)),
        JsonlFormat("jsonl", (".jsonl", ".ndjson")),
        AvroFormat("avro", (".avro",)),
    )
}
"""By name."""

_BY_SUFFIX = {suffix: each for each in FORMATS.values() for suffix in each.suffixes}


def ending_list() -> str:
    """How data files may end, for messages."""
    *first, last = (each.suffixes[0] for each in FORMATS.values())
    return f"{', '.join(first)} or {last}"


def format_of(path: Path) -> FileFormat | None:
    """The format that a file's name says; None for a file that is not a data file."""
    return _BY_SUFFIX.get("".join(path.suffixes[-2:]).lower()) or _BY_SUFFIX.get(path.suffix.lower())


def named_format(path: Path) -> FileFormat:
    """
    The format of a data file that was named.

    Args:
        path: of the file.
    Raises: SampleError when its name ends otherwise, or it is not there.
    """
    found = format_of(path)
    if found is None:
        raise SampleError(f"{path}: expected a file called {ending_list()}", hint="rename or convert it")
    if not path.is_file():
        raise SampleError(f"{path}: there is no such file", hint="correct the path")
    return found
