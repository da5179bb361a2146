"""What a file was where a run was planned, block by block: whoever reads it elsewhere reads nothing else."""

from __future__ import annotations

import hashlib
import io
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING

from stream.errors import SampleError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

__all__ = ["BlockHashes", "Fingerprint"]

_BLOCK_BYTES = 1024 * 1024
_DIGEST_BYTES = 32


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """
    A file's length and the SHA-256 of each block; can be pickled, 32 bytes for each MiB.

    Attributes:
        size_bytes: its length.
        digests: of its blocks, one after the other.
    """

    size_bytes: int
    digests: bytes = field(repr=False)

    def open(self, path: Path) -> IO[bytes]:
        """
        Args:
            path: where a file should be that has this fingerprint.
        Returns: the file, seekable; each block is compared before a byte of it is given out.
        Raises: SampleError, also while it is read, when it is another file; OSError from the disk.
        """
        raw = path.open("rb", buffering=0)
        size = os.fstat(raw.fileno()).st_size
        if size != self.size_bytes:
            raw.close()
            raise _other(path, f"it has {size} bytes, and had {self.size_bytes}")
        return io.BufferedReader(_Compared(raw, path, self), _BLOCK_BYTES)

    def check(self, path: Path, number: int, content: bytes) -> None:
        """Compare a block of a file. Raises: SampleError."""
        start = number * _DIGEST_BYTES
        if hashlib.sha256(content).digest() != self.digests[start : start + _DIGEST_BYTES]:
            first = number * _BLOCK_BYTES
            raise _other(path, f"bytes {first} to {first + len(content) - 1} differ")


class BlockHashes:
    """Takes a file's fingerprint while it is read from front to end."""

    def __init__(self) -> None:
        self._digests = bytearray()
        self._sha = hashlib.sha256()
        self._size = 0

    def update(self, content: memoryview) -> None:
        """The next bytes of the file."""
        while content:
            part = content[: _BLOCK_BYTES - self._size % _BLOCK_BYTES]
            self._sha.update(part)
            self._size += len(part)
            content = content[len(part) :]
            if self._size % _BLOCK_BYTES == 0:
                self._digests += self._sha.digest()
                self._sha = hashlib.sha256()

    def fingerprint(self) -> Fingerprint:
        """Of what has been read."""
        rest = self._sha.digest() if self._size % _BLOCK_BYTES else b""
        return Fingerprint(self._size, bytes(self._digests) + rest)


class _Compared(io.RawIOBase):
    """Reads whole blocks, and keeps the last one, since readers ask for parts of it."""

    def __init__(self, raw: io.FileIO, path: Path, known: Fingerprint) -> None:
        self._raw = raw
        self._path = path
        self._known = known
        self._position = 0
        self._number = -1
        self._block = b""

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._known.size_bytes}[whence]
        self._position = max(0, start + offset)
        return self._position

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        room = memoryview(buffer).cast("B")
        if self._position >= self._known.size_bytes or not room:
            return 0
        number, start = divmod(self._position, _BLOCK_BYTES)
        part = self._checked(number)[start : start + len(room)]
        room[: len(part)] = part
        self._position += len(part)
        return len(part)

    def close(self) -> None:
        self._raw.close()
        super().close()

    def _checked(self, number: int) -> bytes:
        if number != self._number:
            first = number * _BLOCK_BYTES
            content = self._read(first, min(_BLOCK_BYTES, self._known.size_bytes - first))
            self._known.check(self._path, number, content)
            self._number, self._block = number, content
        return self._block

    def _read(self, start: int, size: int) -> bytes:
        self._raw.seek(start)
        content = b""
        while len(content) < size and (more := self._raw.read(size - len(content))):
            content += more
        return content


def _other(path: Path, how: str) -> SampleError:
    return SampleError(
        f"{path}: is not the file that the run was planned with: {how}; nothing was published",
        hint="every machine must see the same files: check what is mounted there, then run the same command again",
    )
