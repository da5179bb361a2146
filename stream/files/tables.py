"""Reading a data file of any format: row by row, its first rows, all of it; and its rows as Avro records."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import pyarrow as pa

from stream.codec import RecordSchema
from stream.errors import SampleError
from stream.files.arrow_format import pandas_frame
from stream.files.file_format import FileFormat, check_names, reading
from stream.files.file_span import Row
from stream.files.formats import named_format
from stream.table import AnyOf, record_reader
from stream.types import Misfit

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "Sample",
    "events_of",
    "file_notes",
    "owner_frame",
    "read_events",
    "read_frame",
    "read_rows",
    "read_sample",
    "sample_of",
]

_Texts: TypeAlias = frozenset[tuple[str, tuple[str, ...]]]

SAMPLE_ROWS = 100_000
"""Rows of a file by which its schema is inferred; some 100 MB as Python objects."""


@dataclass(frozen=True, slots=True)
class Sample:
    """
    Rows from which a schema is inferred.

    Attributes:
        name: of the file, or what messages call the rows.
        rows: in order.
        columns: their Arrow types, for parquet and frames.
        avro: the schema of an avro file.
        text: whether values are texts that represent numbers, dates … (csv).
        cut: whether the file has more rows.
        source: the file, or the frame or table itself; None where the rows are all there is.
        delimiter: the character that was given for a csv.
        notes: what its format found, a sentence each.
    """

    name: str
    rows: list[Row]
    columns: pa.Schema | None = None
    avro: str | None = None
    text: bool = False
    cut: bool = False
    source: Path | pd.DataFrame | pa.Table | None = None
    delimiter: str | None = None
    notes: tuple[str, ...] = ()
    _frames: dict[_Texts, pd.DataFrame] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )  # the last one that pandas read of the file


def read_sample(path: Path, delimiter: str | None = None) -> Sample:
    """
    Read the first rows of a file.

    Args:
        path: of one of `FORMATS`.
        delimiter: the character that separates a csv's cells; None to find it.
    Returns: up to 100,000 rows, with what the file says about their types.
    Raises: SampleError naming file and row.
    """
    kind = named_format(path, delimiter)
    rows = list(islice(_rows(path, kind), SAMPLE_ROWS + 1))
    with reading(path, OSError):
        return Sample(
            str(path),
            rows[:SAMPLE_ROWS],
            columns=kind.arrow_schema(path),
            avro=kind.avro_schema(path),
            text=kind.text,
            cut=len(rows) > SAMPLE_ROWS,
            source=path,
            delimiter=delimiter,
            notes=tuple(f"{path}: {note}" for note in kind.notes(path)),
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
    with reading(name):
        check_names(
            [str(column) for column in (table.schema.names if isinstance(table, pa.Table) else table)]
        )
        if isinstance(table, pa.Table):
            arrow = table.slice(0, SAMPLE_ROWS)
        else:
            frame = table.head(SAMPLE_ROWS).rename(columns=str)
            arrow = pa.Table.from_pandas(frame, preserve_index=False)
        rows = [Row(number, values) for number, values in enumerate(arrow.to_pylist(), 1)]
    cut = len(table) > SAMPLE_ROWS
    return Sample(name, rows, columns=arrow.schema.remove_metadata(), cut=cut, source=table)


def owner_frame(sample: Sample, texts: Mapping[str, Collection[str]]) -> pd.DataFrame:
    """
    A sample as its owner has it in pandas, independent of how its rows become events.

    Args:
        sample: its rows.
        texts: columns known to be texts whatever they look like, and texts that are values there (such as `NA`).
    Returns: a row for each of the sample's, in order: of a file as pandas reads it, a frame itself, a table as pandas
        takes it. It is not to be changed.
    Raises: SampleError naming the file and what is wrong.
    """
    import pandas as pd

    source, count = sample.source, len(sample.rows)
    if source is None:
        return pd.DataFrame([row.values for row in sample.rows])
    if isinstance(source, Path):
        told = frozenset((name, tuple(values)) for name, values in texts.items())
        if told not in sample._frames:
            sample._frames.clear()
            with reading(source, OSError):
                kind = named_format(source, sample.delimiter)
                sample._frames[told] = kind.as_pandas(source, count, texts)
        return sample._frames[told]
    frame: pd.DataFrame = (
        pandas_frame(source.slice(0, count)) if isinstance(source, pa.Table) else source.head(count)
    )
    return frame


def read_rows(path: Path, delimiter: str | None = None) -> Iterator[Row]:
    """
    Read a file row by row.

    Args:
        path: of one of `FORMATS`.
        delimiter: as for `read_sample`.
    Returns: its rows; of a csv all values are texts, an empty cell is None.
    Raises: SampleError: at once when there is no such file or format; else naming file and row, when that row is read.
    """
    return _rows(path, named_format(path, delimiter))


def _rows(path: Path, kind: FileFormat) -> Iterator[Row]:
    with reading(path, OSError):
        yield from kind.rows(path)


def read_frame(path: Path, delimiter: str | None = None) -> pd.DataFrame:
    """
    Read a whole file.

    Args:
        path: of one of `FORMATS`.
        delimiter: as for `read_sample`.
    Returns: its rows; of a csv all values are texts, missing where a cell is empty.
    Raises: SampleError naming the file and what is wrong.
    """
    kind = named_format(path, delimiter)
    with reading(path, OSError):
        return kind.frame(path)


def file_notes(path: Path, delimiter: str | None = None) -> list[str]:
    """
    What a file's format finds in it that its owner may want to know: a separator that is not a comma, for example.

    Args:
        path: of one of `FORMATS`.
        delimiter: as for `read_sample`.
    Returns: a sentence each.
    Raises: SampleError naming the file and what is wrong.
    """
    kind = named_format(path, delimiter)
    with reading(path, OSError):
        return [f"{path}: {note}" for note in kind.notes(path)]


def read_events(
    path: Path, schema: RecordSchema, delimiter: str | None = None, one_of: Collection[str] = ()
) -> Iterator[dict[str, Any]]:
    """
    Read a file as events of a schema.

    Args:
        path: of one of `FORMATS`.
        schema: of the events. A column is found by the field's original name (`feature`) or its Avro name, a
            nested field of a flat file by its dotted path; columns that the schema lacks are ignored.
        delimiter: as for `read_sample`.
        one_of: dotted paths of fields of which a row must name one, if each has a default; empty = it need not.
    Returns: an Avro record per row, in order, read lazily; dates and times as Python objects, UTC.
    Raises: SampleError as `read_rows`, or naming file, row and column.
    """
    kind = named_format(path, delimiter)
    return _events(str(path), _rows(path, kind), schema, AnyOf(schema.root, one_of), text=kind.text)


def events_of(sample: Sample, schema: RecordSchema) -> Iterator[dict[str, Any]]:
    """A sample's rows as events of a schema: see `read_events`."""
    return _events(sample.name, sample.rows, schema, AnyOf(schema.root, ()), text=sample.text)


def _events(
    place: str, rows: Iterable[Row], schema: RecordSchema, any_of: AnyOf, *, text: bool
) -> Iterator[dict[str, Any]]:
    read = record_reader(schema.root, text=text)
    for number, values in rows:
        try:
            event = read(values)
        except Misfit as misfit:
            raise SampleError(
                f"{place}:{number}:{misfit.field}: {misfit}", hint="correct the cell, or the schema"
            ) from misfit
        if (nothing := any_of.misfit(values)) is not None:
            raise SampleError(f"{place}:{number}: {nothing}", hint="correct the row's names, or leave it out")
        yield event
