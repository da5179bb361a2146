"""Csv: UTF-8, a header; cut between rows for as long as its quotes say for certain where rows end."""

from __future__ import annotations

import io
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, ClassVar

import pyarrow as pa
import pyarrow.csv

from stream.codec import RecordSchema
from stream.files.csv_dialect import ENCODING_HINT, CsvHeader, read_header
from stream.files.csv_rows import TextBlocks, careful_cells, careful_rows
from stream.files.file_format import Malformed, RowWriter
from stream.files.file_span import Chunk, Limits, Row, Span, Wanted, chunks_of_rows, chunks_of_table
from stream.files.text_format import TextFormat
from stream.records import DeadLetter
from stream.types import MISSING

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["CsvFormat"]

_CORRECT = "correct the line: a separator in a text needs quotes, and a column of row names needs a name in the header"

_UNNAMED = re.compile(r"Unnamed: [0-9]+\Z")


@dataclass(frozen=True)
class CsvFormat(TextFormat[CsvHeader]):
    """
    Csv; all values are texts, an empty cell is null.

    Attributes:
        delimiter: the character that separates cells; None to find it in each file.
    """

    delimiter: str | None = None

    text: ClassVar[bool] = True

    def head(self, file: IO[bytes]) -> CsvHeader:
        """The header."""
        return read_header(file, self.delimiter)

    def columns(self, path: Path) -> list[str] | None:
        """The header's names."""
        with self.open(path) as file:
            return list(self.head(file).names) or None

    def notes(self, path: Path) -> list[str]:
        """A separator other than a comma, and columns without a name."""
        with self.open(path) as file:
            header = self.head(file)
        found = [] if header.delimiter == "," else [f"its cells are separated by {header.delimiter!r}"]
        unnamed = [name for name in header.names if _UNNAMED.match(name)]
        if unnamed:
            found.append(f"a column without a name is called as pandas calls it: {', '.join(unnamed[:5])}")
        return found

    def rows(self, path: Path) -> Iterator[Row]:
        """Row by row."""
        with self.open(path) as file:
            header = self.head(file)
            file.seek(header.end)
            for line, found in careful_rows(file, header.names, header.delimiter):
                if isinstance(found, DeadLetter):
                    utf8 = found.reason == "invalid_utf8"
                    hint = ENCODING_HINT if utf8 else _CORRECT
                    raise Malformed(found.message, header.lines + line, hint)
                yield Row(header.lines + line, found)

    def frame(self, path: Path) -> pd.DataFrame:
        """Texts only."""
        with self.open(path) as file:
            names = self.head(file).names
            file.seek(0)
            spans = list(self.spans(file))
        schema = pa.schema([(name, pa.string()) for name in names])
        tables = [schema.empty_table()]
        for span in spans:
            for chunk in self.chunks(path, span, list):
                for number, fault in chunk.broken.items():
                    raise ValueError(f"row {number}: {fault.message}")
                if isinstance(chunk.rows, list):
                    tables.append(pa.Table.from_pylist(chunk.rows, schema))
                else:
                    tables.append(pa.Table.from_batches([chunk.rows]))
        frame: pd.DataFrame = pa.concat_tables(tables).to_pandas()
        return frame

    def as_pandas(self, path: Path, rows: int, texts: Mapping[str, Collection[str]]) -> pd.DataFrame:
        """By `read_csv` as it comes, but for the columns of `texts`."""
        import pandas as pd

        with self.open(path) as file:
            header = self.head(file)
            missing = {name: sorted({"", *MISSING} - set(texts.get(name, ()))) for name in header.names}
            file.seek(header.start)
            frame: pd.DataFrame = pd.read_csv(
                file,
                sep=header.delimiter,
                nrows=rows,
                index_col=False,
                dtype=dict.fromkeys(set(texts) & set(header.names), "str"),
                keep_default_na=False,
                na_values=missing,
                low_memory=False,
            )
        return frame

    def cut(self, file: IO[bytes], limits: Limits) -> Iterator[Span]:
        """Blocks of some megabytes; where quotes become irregular, the rest is one span."""
        header = self.head(file)
        file.seek(header.end)
        blocks, start, row, last = TextBlocks(header.delimiter), header.end, 1, False
        while blocks.regular and blocks.pending_bytes <= limits.unit_bytes and not last:
            content = file.read(limits.block_bytes)
            last = not content
            size, rows = blocks.cut(content)
            if rows:
                yield Span(start, start + size, row, rows)
            start, row = start + size, row + rows
        if blocks.regular and last:
            return
        file.seek(start)
        rows = sum(1 for _ in careful_cells(file, header.delimiter))
        yield Span(start, file.tell(), row, rows, plain=False)

    def read_span(
        self, file: IO[bytes], head: CsvHeader, span: Span, wanted: Wanted, most: int
    ) -> Iterator[Chunk]:
        """Arrow reads a span that is plain and has no broken row, the wanted columns only."""
        file.seek(span.start)
        source = file
        if span.plain:
            content = file.read(span.stop - span.start)
            table = _parsed(content, head, wanted(head.names))
            if table is not None and len(table) == span.rows:
                yield from chunks_of_table(table, span.first_row, most, text=True)
                return
            source = io.BytesIO(content)
        found = (row for _, row in careful_rows(source, head.names, head.delimiter))
        yield from chunks_of_rows(found, span.first_row, most, text=True)

    def writer(self, file: IO[bytes], schema: pa.Schema, avro: str) -> RowWriter:
        """With a header; lists as JSON."""
        return _Writer(file, schema, avro)


def _parsed(content: bytes, head: CsvHeader, columns: list[str]) -> pa.Table | None:
    """All cells as texts, an empty one null; None where a row has a wrong number of cells, or is not UTF-8."""
    odd: list[object] = []

    def refuse(row: object) -> str:
        odd.append(row)
        return "skip"

    try:
        table = pyarrow.csv.read_csv(
            pa.py_buffer(content),
            pyarrow.csv.ReadOptions(
                use_threads=False, block_size=len(content) + 1, column_names=list(head.names)
            ),
            pyarrow.csv.ParseOptions(
                delimiter=head.delimiter, newlines_in_values=True, invalid_row_handler=refuse
            ),
            pyarrow.csv.ConvertOptions(
                column_types={name: pa.string() for name in head.names},
                include_columns=columns or list(head.names[:1]),
                null_values=[""],
                strings_can_be_null=True,
            ),
        )
    except pa.ArrowInvalid:
        return None
    return None if odd else table


class _Writer:
    def __init__(self, file: IO[bytes], schema: pa.Schema, avro: str) -> None:
        types = RecordSchema(avro).types()
        self._types = [types[name] for name in schema.names]
        self._schema = pa.schema(
            [(f.name, kind.csv_arrow) for f, kind in zip(schema, self._types, strict=True)]
        )
        self._writer = pyarrow.csv.CSVWriter(file, self._schema)

    def write_batch(self, batch: pa.RecordBatch) -> None:
        columns = [kind.csv_column(column) for kind, column in zip(self._types, batch.columns, strict=True)]
        self._writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=self._schema))

    def close(self) -> None:
        self._writer.close()
