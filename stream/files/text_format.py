"""Formats of lines of text, whose files may be compressed: what reading a part of such a file takes."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Generic, TypeVar

from stream.files.compression import Compression
from stream.files.file_format import Opener, OutputFormat
from stream.files.file_span import CHUNK_ROWS, LIMITS, Chunk, Limits, Span, Wanted

__all__ = ["TextFormat"]

Head = TypeVar("Head")


@dataclass(frozen=True)
class TextFormat(OutputFormat, Generic[Head]):
    """
    A format of lines, whose files may be compressed.

    A compressed file can't be read from its middle: it is one span, of which a reader cuts off a block at a time.

    Attributes:
        compression: of its files; None for none.
    """

    compression: Compression | None = None

    def opened(self, raw: IO[bytes]) -> IO[bytes]:
        """Decompressed."""
        return raw if self.compression is None else self.compression.opened(raw)

    def spans(self, file: IO[bytes], limits: Limits = LIMITS) -> Iterator[Span]:
        """As `cut`; of a compressed file one, in bounded memory."""
        parts = self.cut(file, limits)
        if self.compression is None:
            yield from parts
            return
        start = stop = rows = 0
        for part in parts:
            start, stop, rows = start if rows else part.start, part.stop, rows + part.rows
        if rows:
            yield Span(start, stop, 1, rows)

    def chunks(
        self,
        path: Path,
        span: Span,
        wanted: Wanted,
        most: int = CHUNK_ROWS,
        opener: Opener | None = None,
    ) -> Iterator[Chunk]:
        """From where the span begins."""
        with self.open(path, opener) as file:
            head = self.head(file)
            if self.compression is None:
                yield from self.read_span(file, head, span, wanted, most)
                return
            with self.open(path, opener) as same:
                for part in self.cut(same, LIMITS):
                    yield from self.read_span(file, head, part, wanted, most)

    @abstractmethod
    def head(self, file: IO[bytes]) -> Head:
        """What must be known of the beginning to read the rest."""

    @abstractmethod
    def cut(self, file: IO[bytes], limits: Limits) -> Iterator[Span]:
        """As `spans`, of the decompressed bytes."""

    @abstractmethod
    def read_span(
        self, file: IO[bytes], head: Head, span: Span, wanted: Wanted, most: int
    ) -> Iterator[Chunk]:
        """
        As `chunks`.

        Args:
            file: the decompressed bytes, positioned anywhere before the span's end.
            head: as `head` gave it.
            span: one that `cut` made.
            wanted: as for `chunks`.
            most: as for `chunks`.
        """
