"""The plan of a run: every input hashed, counted and cut into units of work, before anything is scored."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from stream.batch.fingerprint import BlockHashes, Fingerprint
from stream.batch.input_files import Input
from stream.errors import SampleError
from stream.files import LIMITS, Limits, Span

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

__all__ = ["Plan", "Planned", "Unit", "check_unchanged", "plan_inputs"]

_HASH_BYTES = 1024 * 1024
"""Read at a time; of a small file less, since it costs more to fill such a room than to read the file."""

_BLOCK_BYTES = 4_096


@dataclass(frozen=True, slots=True)
class Planned:
    """
    An input that was hashed and counted.

    Attributes:
        path: as `Input.path`.
        sha256: of its bytes.
        size_bytes: its length.
        rows: how many it has.
    """

    path: str
    sha256: str
    size_bytes: int
    rows: int


@dataclass(frozen=True, slots=True)
class Unit:
    """
    What becomes one part of the output.

    Attributes:
        number: its place, from 0; parts are named by it.
        spans: consecutive, of one file or of several small ones.
    """

    number: int
    spans: tuple[Span, ...]

    @property
    def rows(self) -> int:
        """How many rows it has."""
        return sum(span.rows for span in self.spans)


@dataclass(frozen=True, slots=True)
class Plan:
    """
    What a run does.

    Attributes:
        inputs: the files; spans refer to them by number.
        files: hash, size and rows of each, in the same order.
        units: the work, in the order of the inputs.
        stamps: size and modification time (ns) of each file before it was read; not part of the run's identity.
        prints: each file's fingerprint, where other machines read it; not part of it either.
    """

    inputs: tuple[Input, ...]
    files: tuple[Planned, ...]
    units: tuple[Unit, ...]
    stamps: tuple[tuple[int, int], ...] = field(default=(), compare=False)
    prints: tuple[Fingerprint, ...] = field(default=(), compare=False)

    @property
    def rows(self) -> int:
        """How many rows all units have."""
        return sum(file.rows for file in self.files)


def plan_inputs(
    inputs: Sequence[Input],
    scored: frozenset[str] = frozenset(),
    progress: Callable[[int], None] = lambda _: None,
    limits: Limits = LIMITS,
    *,
    prints: bool = False,
) -> Plan:
    """
    Hash every input and cut it into units; each is read once, in bounded memory.

    Args:
        inputs: data files.
        scored: SHA-256 of the files to leave out.
        progress: called with the number of bytes read so far.
        limits: how large the pieces of the files are.
        prints: whether to take each file's fingerprint as well.
    Returns: the plan of the other files.
    Raises: SampleError naming a file that can't be read; OSError from the disk.
    """
    kept: list[Input] = []
    files: list[Planned] = []
    spans: list[Span] = []
    stamps: list[tuple[int, int]] = []
    taken: list[Fingerprint] = []
    before = 0
    for each in inputs:
        stamp = _stamp(each.path)
        blocks = BlockHashes() if prints else None
        file, found = _planned(each, len(kept), _Reading(before, progress, blocks), limits)
        before += file.size_bytes
        if file.sha256 not in scored:
            kept.append(each)
            stamps.append(stamp)
            spans += found
            files.append(file)
            if blocks is not None:
                taken.append(blocks.fingerprint())
    return Plan(tuple(kept), tuple(files), tuple(_units(spans, limits)), tuple(stamps), tuple(taken))


def check_unchanged(plan: Plan) -> None:
    """
    Check that every input is still the file that was planned; where its size or time is new, by its hash.

    Args:
        plan: made by `plan_inputs`.
    Raises: SampleError naming a file that changed or is gone; OSError from the disk.
    """
    for file, stamp in zip(plan.files, plan.stamps, strict=True):
        try:
            if _stamp(file.path) == stamp:
                continue
            with Path(file.path).open("rb") as content:
                same = hashlib.file_digest(content, "sha256").hexdigest() == file.sha256
        except FileNotFoundError:
            same = False
        if not same:
            raise SampleError(
                f"{file.path}: changed while it was scored; nothing was published",
                hint="run again when nothing writes to the file",
            )


def _stamp(path: str) -> tuple[int, int]:
    found = Path(path).stat()
    return found.st_size, found.st_mtime_ns


@dataclass(frozen=True, slots=True)
class _Reading:
    """What is told of each byte that is read: those before the file, a progress bar, a fingerprint."""

    before: int
    progress: Callable[[int], None]
    blocks: BlockHashes | None


class _Hashed(io.RawIOBase):
    """
    A file that hashes each byte when it is first read, whatever order a format reads them in.

    Attributes:
        sha: of the first `size_bytes` bytes.
        size_bytes: how far it has been read from the start without a gap.
    """

    def __init__(self, file: io.RawIOBase, size: int, told: _Reading) -> None:
        self._file = file
        self._size = size
        self._told = told
        self.sha = hashlib.sha256()
        self.size_bytes = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        return self._file.seek(offset, whence)

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        start = self._file.tell()
        count = self._file.readinto(buffer)
        if start <= self.size_bytes < start + count:
            new = memoryview(buffer)[self.size_bytes - start : count]
            self.sha.update(new)
            if self._told.blocks is not None:
                self._told.blocks.update(new)
            self.size_bytes = start + count
            self._told.progress(self._told.before + self.size_bytes)
        return count

    def read_rest(self) -> None:
        """Hash the bytes that the format did not read."""
        self.seek(self.size_bytes)
        room = bytearray(min(_HASH_BYTES, max(self._size - self.size_bytes, _BLOCK_BYTES)))
        while self.readinto(room):
            pass


def _planned(given: Input, number: int, told: _Reading, limits: Limits) -> tuple[Planned, list[Span]]:
    """Hash, count and cut one file."""
    with Path(given.path).open("rb", buffering=0) as raw:
        size = os.fstat(raw.fileno()).st_size
        hashed = _Hashed(raw, size, told)
        with given.reading():
            room = min(_HASH_BYTES, max(size, _BLOCK_BYTES))
            file = given.format.opened(io.BufferedReader(hashed, room))
            spans = [replace(span, file=number) for span in given.format.spans(file, limits)]
        hashed.read_rest()
    rows = sum(span.rows for span in spans)
    return Planned(given.path, hashed.sha.hexdigest(), hashed.size_bytes, rows), spans


def _units(spans: Sequence[Span], limits: Limits) -> Iterator[Unit]:
    """Units that hold every span once, in order; small spans share a unit."""
    number, together, rows, size = 0, list[Span](), 0, 0
    for span in spans:
        if together and (rows + span.rows > limits.unit_rows * 1.25 or size > limits.unit_bytes):
            yield Unit(number, tuple(together))
            number, together, rows, size = number + 1, [], 0, 0
        together.append(span)
        rows, size = rows + span.rows, size + span.stop - span.start
    if together:
        yield Unit(number, tuple(together))
