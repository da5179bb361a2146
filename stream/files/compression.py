"""Compressed files: decompressed as they are read, so that a file of any size needs little memory."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

import pyarrow as pa

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

__all__ = ["COMPRESSIONS", "Compression"]

_BLOCK_BYTES = 256 * 1024
"""Decompressed at a time."""


@dataclass(frozen=True, slots=True)
class Compression:
    """
    A way of compressing a whole file.

    Attributes:
        name: for messages.
        suffix: that it adds to a file's name.
        reader: from a file's own bytes to the decompressed ones, read from front to end.
    """

    name: str
    suffix: str
    reader: Callable[[IO[bytes]], IO[bytes]]

    def opened(self, raw: IO[bytes]) -> IO[bytes]:
        """
        Args:
            raw: a file's own bytes, seekable.
        Returns: the decompressed bytes; seeking forwards reads, seeking backwards begins again. Reading raises
            ValueError where the bytes are not what the file's name says.
        """
        return io.BufferedReader(_Decompressed(self, raw), _BLOCK_BYTES)


class _Decompressed(io.RawIOBase):
    def __init__(self, compression: Compression, raw: IO[bytes]) -> None:
        self._compression = compression
        self._raw = raw
        self._start()

    def _start(self) -> None:
        self._raw.seek(0)
        self._stream = self._compression.reader(self._raw)
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        room = memoryview(buffer).cast("B")
        content = self._read(len(room))
        room[: len(content)] = content
        return len(content)

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        if whence != io.SEEK_SET:
            raise io.UnsupportedOperation("a compressed file is read from its beginning")
        if offset < self._position:
            self._start()
        while self._position < offset and self._read(min(_BLOCK_BYTES, offset - self._position)):
            pass
        return self._position

    def _read(self, size: int) -> bytes:
        try:
            content = self._stream.read(size)
        except (EOFError, zlib.error, lzma.LZMAError, pa.ArrowException, OSError) as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise  # the disk's
            raise ValueError(f"it is not a whole {self._compression.name} file: {error}") from error
        self._position += len(content)
        return content


class _Lent(io.RawIOBase):
    """A file that stays open when its reader, which is Arrow's, is collected."""

    def __init__(self, raw: IO[bytes]) -> None:
        self._raw = raw

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        return self._raw.read(size)


def _zstd(raw: IO[bytes]) -> IO[bytes]:
    stream: IO[bytes] = pa.CompressedInputStream(pa.PythonFile(_Lent(raw), mode="r"), "zstd")
    return stream


COMPRESSIONS = (
    Compression("gzip", ".gz", lambda raw: gzip.GzipFile(fileobj=raw)),  # type: ignore[arg-type, return-value]
    Compression("zstd", ".zst", _zstd),
    Compression("bzip2", ".bz2", bz2.BZ2File),
    Compression("xz", ".xz", lzma.LZMAFile),
)
