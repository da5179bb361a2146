"""What a file format is: one object that knows everything about it; and how its errors become messages."""

from __future__ import annotations

import csv
import lzma
import struct
import zlib
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, ClassVar, Protocol, TypeAlias

import pyarrow as pa

from stream.errors import SampleError
from stream.files.file_span import CHUNK_ROWS, LIMITS, Chunk, Limits, Row, Span, Wanted

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "FileFormat",
    "Malformed",
    "Opener",
    "OutputFormat",
    "RowWriter",
    "SpanReader",
    "check_names",
    "reading",
]

Opener: TypeAlias = Callable[[Path], IO[bytes]]
"""Opens a file's own bytes, seekable; None where the format opens it in the way that is quickest."""

_UNREADABLE = (
    pa.ArrowException, ValueError, EOFError, KeyError, IndexError, OverflowError, TypeError, csv.Error,
    zlib.error, lzma.LZMAError, struct.error,
)  # fmt: skip
"""What the readers raise for a file that is not what it seems."""


class Malformed(Exception):
    """
    A place in a file that can't be read.

    Attributes:
        line: where, from 1; None for the file as a whole.
        hint: what to do.
    """

    def __init__(self, message: str, line: int | None, hint: str) -> None:
        super().__init__(message)
        self.line = line
        self.hint = hint


@contextmanager
def reading(place: Path | str, *more: type[Exception], hint: str = "correct the file") -> Iterator[None]:
    """
    A context for reading a file: what a reader raises becomes an error that names the file.

    Args:
        place: the file, for the message.
        more: other exceptions to treat alike: OSError where the disk's faults count as the file's.
        hint: what to do.
    Raises: SampleError; OSError from the disk, with the file's name.
    """
    try:
        yield
    except Malformed as error:
        line = "" if error.line is None else f":{error.line}"
        raise SampleError(f"{place}{line}: {error}", hint=error.hint) from error
    except (*_UNREADABLE, *more) as error:
        raise SampleError(f"{place}: can't be read: {error}", hint=hint) from error
    except OSError as error:
        if error.errno is None:  # Arrow's own: bytes that can't be decompressed, for example
            raise SampleError(f"{place}: can't be read: {error}", hint=hint) from error
        if error.filename is None:
            raise type(error)(error.errno, error.strerror, str(place)) from error
        raise


def check_names(names: Sequence[str]) -> None:
    """
    Args:
        names: of a file's columns.
    Raises: Malformed when two columns have one name: which of them is meant?
    """
    if twice := sorted(name for name, times in Counter(names).items() if times > 1):
        raise Malformed(f"two columns are called {', '.join(twice[:10])}", None, "rename one of them")


class RowWriter(Protocol):
    """Writes rows into an open file."""

    def write_batch(self, batch: pa.RecordBatch) -> None:
        """Append rows of the schema."""

    def close(self) -> None:
        """Write what is left; the file stays open."""


class SpanReader(Protocol):
    """Reads spans of one file; those that come in the order of the file cost least."""

    def chunks(self, span: Span, wanted: Wanted, most: int) -> Iterator[Chunk]:
        """As `FileFormat.chunks`; to its end, before the next span is asked for."""

    def close(self) -> None:
        """Close the file. Idempotent."""


@dataclass(frozen=True, slots=True)
class _EachSpan:
    """For a format whose spans are read each by itself."""

    format: FileFormat
    path: Path
    opener: Opener | None

    def chunks(self, span: Span, wanted: Wanted, most: int) -> Iterator[Chunk]:
        return self.format.chunks(self.path, span, wanted, most, self.opener)

    def close(self) -> None:
        pass


@dataclass(frozen=True)
class FileFormat(ABC):
    """
    Everything that is known about a file format. It holds no open file, so one object serves all files.

    Methods raise `Malformed`, or what the libraries raise for a bad file; call them within `reading`.

    Attributes:
        name: as in `--format`.
        suffixes: of its files, in lower case; the first is for files that are written.
        text: whether its values are texts that represent numbers, dates …
    """

    name: str
    suffixes: tuple[str, ...]
    text: ClassVar[bool] = False

    def opened(self, raw: IO[bytes]) -> IO[bytes]:
        """
        Args:
            raw: a file's own bytes, seekable.
        Returns: the bytes to be read as this format, seekable; decompressed where the file is compressed.
        """
        return raw

    @contextmanager
    def open(self, path: Path, opener: Opener | None = None) -> Iterator[IO[bytes]]:
        """A file of this format, open for reading."""
        with opener(path) if opener else path.open("rb") as raw, self.opened(raw) as file:
            yield file

    @abstractmethod
    def columns(self, path: Path) -> list[str] | None:
        """The columns that a file declares; None where only its rows name them."""

    def notes(self, path: Path) -> list[str]:
        """What was found that a reader may want to know, a sentence each."""
        return []

    def arrow_schema(self, path: Path) -> pa.Schema | None:
        """The Arrow types that a file declares, if it does."""
        return None

    def avro_schema(self, path: Path) -> str | None:
        """The Avro schema that a file declares, if it does."""
        return None

    @abstractmethod
    def rows(self, path: Path) -> Iterator[Row]:
        """Row by row, read lazily; the first that can't be read ends it with an error."""

    def frame(self, path: Path) -> pd.DataFrame:
        """All rows; texts where the format has nothing else, missing where a cell is empty."""
        import pandas as pd

        return pd.DataFrame([row.values for row in self.rows(path)])

    def as_pandas(self, path: Path, rows: int, texts: Mapping[str, Collection[str]]) -> pd.DataFrame:
        """
        The first rows as a person reads them with pandas: its own types, and what is missing to it.

        Args:
            path: of a file.
            rows: how many at most.
            texts: columns known to be texts whatever they look like, and texts that are values there: for a format
                that does not tell.
        """
        return self.frame(path).head(rows)

    @abstractmethod
    def spans(self, file: IO[bytes], limits: Limits = LIMITS) -> Iterator[Span]:
        """
        Cut a file into parts that can be read by different processes.

        Args:
            file: as `opened` gives it, at its beginning; read in bounded memory, mostly from front to end.
            limits: how large the parts are.
        Returns: spans that cover its rows, in order.
        """

    @abstractmethod
    def chunks(
        self,
        path: Path,
        span: Span,
        wanted: Wanted,
        most: int = CHUNK_ROWS,
        opener: Opener | None = None,
    ) -> Iterator[Chunk]:
        """
        Read a span.

        Args:
            path: the file.
            span: one of its `spans`.
            wanted: the columns to read, where the format can leave others out.
            most: rows of a chunk.
            opener: what opens the file; nothing of it is read in another way.
        Returns: its rows in order, broken ones kept apart, read lazily.
        """

    def reader(self, path: Path, opener: Opener | None = None) -> SpanReader:
        """
        Read several spans of a file.

        Args:
            path: the file.
            opener: as for `chunks`.
        """
        return _EachSpan(self, path, opener)


class OutputFormat(FileFormat):
    """A format that predictions can be written in."""

    @abstractmethod
    def writer(self, file: IO[bytes], schema: pa.Schema, avro: str) -> RowWriter:
        """
        Begin a file.

        Args:
            file: empty.
            schema: of the batches.
            avro: the Avro schema of the same rows, JSON.
        """
