"""Reading a data file of any format: row by row, its first rows, or all of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from stream.files.file_format import FileFormat, reading
from stream.files.file_span import Row
from stream.files.formats import named_format

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Sample", "read_frame", "read_rows", "read_sample", "sample_of"]

SAMPLE_ROWS = 100_000
"""Rows of a file from which its schema is inferred; some 100 MB as Python objects."""


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
        path: of one of `FORMATS`.
    Returns: up to 100,000 rows, with what the file says of their types.
    Raises: SampleError naming file and row.
    """
    kind = named_format(path)
    rows = list(islice(read_rows(path), SAMPLE_ROWS + 1))
    with reading(path, OSError):
        return Sample(
            str(path),
            rows[:SAMPLE_ROWS],
            columns=kind.arrow_schema(path),
            avro=kind.avro_schema(path),
            text=kind.text,
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
        with reading(name):
            arrow = pa.Table.from_pandas(frame, preserve_index=False)
    else:
        arrow = table.slice(0, SAMPLE_ROWS)
    with reading(name):
        rows = [Row(number, values) for number, values in enumerate(arrow.to_pylist(), 1)]
    return Sample(name, rows, columns=arrow.schema.remove_metadata(), cut=len(table) > SAMPLE_ROWS)


def read_rows(path: Path) -> Iterator[Row]:
    """
    Read a file row by row.

    Args:
        path: of one of `FORMATS`.
    Returns: its rows; of a csv all values are texts, an empty cell is None.
    Raises: SampleError: at once when there is no such file or format; else naming file and row, when iterated to it.
    """
    return _rows(path, named_format(path))


def _rows(path: Path, kind: FileFormat) -> Iterator[Row]:
    with reading(path, OSError):
        yield from kind.rows(path)


def read_frame(path: Path) -> pd.DataFrame:
    """
    Read a whole file.

    Args:
        path: of one of `FORMATS`.
    Returns: its rows; of a csv all values are texts, missing where a cell is empty.
    Raises: SampleError naming the file and what is wrong.
    """
    kind = named_format(path)
    with reading(path, OSError):
        return kind.frame(path)
