"""Reading csv, parquet, avro and jsonl, row by row and in bounded memory."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import fastavro
import pyarrow as pa
import pyarrow.parquet as pq

from stream.errors import SampleError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Row", "Sample", "read_rows", "read_sample", "sample_of"]

SAMPLE_ROWS = 100_000
"""Rows of a file that are looked at to infer its schema; some 100 MB as Python objects."""

_BATCH_ROWS = 4_096

T = TypeVar("T")


class Row(NamedTuple):
    """
    A row of a file.

    Attributes:
        number: for csv and jsonl the line it ends on, counted from 1, the header included; else the row from 1.
        values: by column; None where there is no value.
    """

    number: int
    values: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Sample:
    """
    Rows to learn from.

    Attributes:
        name: the file, or what else it is called in messages.
        rows: in order.
        columns: Arrow's types, for parquet and frames.
        avro: the schema of an avro file.
        text: whether values are texts that stand for numbers, dates … (csv).
        cut: whether the file has more rows than these.
    """

    name: str
    rows: list[Row]
    columns: pa.Schema | None = None
    avro: str | None = None
    text: bool = False
    cut: bool = False


def read_sample(path: Path) -> Sample:
    """
    Read the first rows of a file.

    Args:
        path: `.csv`, `.parquet`, `.avro` or `.jsonl`.
    Returns: up to 100,000 rows, with what the file says of their types.
    Raises: SampleError naming file and row.
    """
    rows = list(islice(read_rows(path), SAMPLE_ROWS + 1))
    kind = _suffix(path)
    return Sample(
        str(path),
        rows[:SAMPLE_ROWS],
        columns=_guarded(path, lambda: pq.read_schema(path)) if kind == ".parquet" else None,
        avro=_guarded(path, lambda: _avro_schema(path)) if kind == ".avro" else None,
        text=kind == ".csv",
        cut=len(rows) > SAMPLE_ROWS,
    )


def sample_of(table: pd.DataFrame | pa.Table) -> Sample:
    """
    Take a frame or table as a sample.

    Args:
        table: any number of rows; a frame's index is left out.
    Returns: its first 100,000 rows; NaN and NaT are None.
    Raises: SampleError naming a column whose values are of several types.
    """
    name = "the sample"
    if not isinstance(table, pa.Table):
        frame = table.head(SAMPLE_ROWS).rename(columns=str)
        arrow = _guarded(name, lambda: pa.Table.from_pandas(frame, preserve_index=False))
    else:
        arrow = table.slice(0, SAMPLE_ROWS)
    rows = [Row(number, values) for number, values in enumerate(_guarded(name, arrow.to_pylist), 1)]
    return Sample(name, rows, columns=arrow.schema.remove_metadata(), cut=len(table) > SAMPLE_ROWS)


def read_rows(path: Path) -> Iterator[Row]:
    """
    Read a file row by row.

    Args:
        path: `.csv` (UTF-8, a header, commas), `.parquet`, `.avro` (object container) or `.jsonl` (also
            `.ndjson`).
    Returns: its rows; of a csv all values are texts, an empty cell is None.
    Raises: SampleError naming file and row, when iterated to it.
    """
    reader = {
        ".csv": _csv, ".parquet": _parquet, ".avro": _avro, ".jsonl": _jsonl, ".ndjson": _jsonl
    }[_suffix(path)]  # fmt: skip
    return _rows(path, reader)


def _suffix(path: Path) -> str:
    kind = path.suffix.lower()
    if kind not in (".csv", ".parquet", ".avro", ".jsonl", ".ndjson"):
        raise SampleError(
            f"{path}: expected a file called .csv, .parquet, .avro or .jsonl", hint="rename or convert it"
        )
    if not path.is_file():
        raise SampleError(f"{path}: there is no such file", hint="correct the path")
    return kind


def _rows(path: Path, reader: Callable[[Path], Iterator[Row]]) -> Iterator[Row]:
    rows = reader(path)
    while (row := _guarded(path, lambda: next(rows, None))) is not None:
        yield row


def _guarded(path: Path | str, read: Callable[[], T]) -> T:
    """Whatever the readers say of a file that is not what it seems."""
    try:
        return read()
    except SampleError:
        raise
    except (
        OSError,
        ValueError,
        EOFError,
        KeyError,
        IndexError,
        TypeError,
        csv.Error,
        pa.ArrowException,
    ) as error:
        raise SampleError(f"{path}: can't be read: {error}", hint="correct the file") from error


def _csv(path: Path) -> Iterator[Row]:
    # utf-8-sig: spreadsheets begin a csv with a byte order mark, which would become part of the first name.
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, strict=True)
        header = next(reader, [])
        if twice := sorted({name for name in header if header.count(name) > 1}):
            raise SampleError(f"{path}:1: the header has {', '.join(twice)} twice", hint="rename one of them")
        for cells in reader:
            if not cells:
                continue
            if len(cells) != len(header):
                raise SampleError(
                    f"{path}:{reader.line_num}: expected {len(header)} cells as in the header, found {len(cells)}",
                    hint="correct the line; a comma in a text needs quotes",
                )
            yield Row(reader.line_num, {k: cell or None for k, cell in zip(header, cells, strict=True)})


def _parquet(path: Path) -> Iterator[Row]:
    number = 0
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(_BATCH_ROWS):
            for values in batch.to_pylist():
                number += 1
                yield Row(number, values)


def _avro(path: Path) -> Iterator[Row]:
    with path.open("rb") as file:
        for number, values in enumerate(fastavro.reader(file), 1):
            if not isinstance(values, dict):
                raise SampleError(f"{path}:{number}: expected records", hint="give a file of records")
            yield Row(number, values)


def _avro_schema(path: Path) -> str:
    with path.open("rb") as file:
        return json.dumps(json.loads(fastavro.reader(file).metadata["avro.schema"]))


def _jsonl(path: Path) -> Iterator[Row]:
    with path.open(encoding="utf-8-sig") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                values = json.loads(line)
            except ValueError as error:
                raise SampleError(f"{path}:{number}: is no JSON: {error}", hint="correct the line") from error
            if not isinstance(values, dict):
                raise SampleError(f"{path}:{number}: expected an object", hint="write one object per line")
            yield Row(number, values)
