"""The table of file formats; the name of a file says which one it has."""

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
    """The suffixes of data files, for messages."""
    *first, last = (each.suffixes[0] for each in FORMATS.values())
    return f"{', '.join(first)} or {last}"


def format_of(path: Path) -> FileFormat | None:
    """The format by a file's name; None for a file that is not a data file."""
    return _BY_SUFFIX.get("".join(path.suffixes[-2:]).lower()) or _BY_SUFFIX.get(path.suffix.lower())


def named_format(path: Path) -> FileFormat:
    """
    The format of a data file.

    Raises: SampleError when its name has another suffix, or there is no such file.
    """
    found = format_of(path)
    if found is None:
        raise SampleError(f"{path}: expected a file called {ending_list()}", hint="rename or convert it")
    if not path.is_file():
        raise SampleError(f"{path}: there is no such file", hint="correct the path")
    return found
