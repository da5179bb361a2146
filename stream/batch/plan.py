"""The plan of a run: every input hashed, counted and cut into units of work, before anything is scored."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import fastavro
import pyarrow as pa
import pyarrow.parquet as pq

from stream.batch.csvtext import TextBlocks, careful_rows, read_header
from stream.batch.file_span import Span, Unit
from stream.batch.input_files import Input
from stream.errors import SampleError

__all__ = ["Plan", "Planned", "check_unchanged", "plan_inputs"]

UNIT_ROWS = 131_072
"""Rows of a part of the output, about: some 5 MB of parquet, half a second of work."""

UNIT_BYTES = 64 * 1024 * 1024
"""Bytes of input of a unit, about, where rows are long."""

BLOCK_BYTES = 4 * 1024 * 1024
"""What is read at a time; 30,000 flights as csv."""

_HASH_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Planned:
    """
    An input that was looked at.

    Attributes:
        path: as `Input.path`.
        sha256: of its bytes.
        size_bytes: how many there are.
        rows: how many it has.
    """

    path: str
    sha256: str
    size_bytes: int
    rows: int


@dataclass(frozen=True, slots=True)
class Plan:
    """
    What a run does.

    Attributes:
        inputs: the files, by their numbers in the spans.
        files: what was found out about each, in the same order.
        units: the work, in the order of the inputs.
        stamps: size and time of change (ns) of each file before it was looked at; no part of what the run is.
    """

    inputs: tuple[Input, ...]
    files: tuple[Planned, ...]
    units: tuple[Unit, ...]
    stamps: tuple[tuple[int, int], ...] = field(default=(), compare=False)

    @property
    def rows(self) -> int:
        """How many rows all units have."""
        return sum(file.rows for file in self.files)


class Hash(Protocol):
    """The part of hashlib's objects that is used."""

    def update(self, content: bytes, /) -> None:
        """Take more bytes."""


def plan_inputs(
    inputs: Sequence[Input],
    scored: frozenset[str] = frozenset(),
    progress: Callable[[int], None] = lambda _: None,
) -> Plan:
    """
    Look at every input, each read once from front to end, in bounded memory.

    Args:
        inputs: data files.
        scored: SHA-256 of files that are to be left out.
        progress: told how many bytes have been looked at.
    Returns: the plan of those that are left.
    Raises: SampleError naming a file that is not what it seems; OSError as the disk has it.
    """
    kept: list[Input] = []
    files: list[Planned] = []
    spans: list[Span] = []
    stamps: list[tuple[int, int]] = []
    before = 0
    for each in inputs:
        stamp = _stamp(each.path)
        sha = hashlib.sha256()
        read = _Counted(sha, before, progress)
        found = list(_spans(each, len(kept), read))
        before += read.size_bytes
        if sha.hexdigest() in scored:
            continue
        kept.append(each)
        stamps.append(stamp)
        spans += found
        rows = sum(span.rows for span in found)
        files.append(Planned(each.path, sha.hexdigest(), read.size_bytes, rows))
    return Plan(tuple(kept), tuple(files), tuple(_units(spans)), tuple(stamps))


def check_unchanged(plan: Plan) -> None:
    """
    See that every input still is the file that was planned; one that was merely touched is hashed again.

    Args:
        plan: made by `plan_inputs`.
    Raises: SampleError naming a file that changed, or is gone; OSError as the disk has it.
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
                hint="run again when nobody writes to the file",
            )


def _stamp(path: str) -> tuple[int, int]:
    found = Path(path).stat()
    return found.st_size, found.st_mtime_ns


class _Counted:
    """Takes a file's bytes, once each: for its hash and for the progress."""

    def __init__(self, sha: Hash, before: int, progress: Callable[[int], None]) -> None:
        self._sha = sha
        self._before = before
        self._progress = progress
        self.size_bytes = 0

    def __call__(self, content: bytes) -> bytes:
        self._sha.update(content)
        self.size_bytes += len(content)
        self._progress(self._before + self.size_bytes)
        return content


def _spans(given: Input, number: int, read: _Counted) -> Iterator[Span]:
    path = Path(given.path)
    try:
        match given.kind:
            case "csv":
                yield from _csv(path, number, read)
            case "jsonl":
                yield from _jsonl(path, number, read)
            case "parquet":
                yield from _whole(path, read, _parquet(path, number))
            case "avro":
                yield from _whole(path, read, _avro(path, number))
    except (pa.ArrowException, ValueError, EOFError, KeyError, IndexError, TypeError) as error:
        raise SampleError(
            f"{path}: can't be read: {error}", hint="correct the file, or leave it out"
        ) from error


def _whole(path: Path, read: _Counted, spans: Iterator[Span]) -> Iterator[Span]:
    with path.open("rb") as file:
        while content := file.read(_HASH_BYTES):
            read(content)
    yield from spans


def _csv(path: Path, number: int, read: _Counted) -> Iterator[Span]:
    header = read_header(path)
    with path.open("rb") as file:
        read(file.read(header.end))
        blocks, start, row = TextBlocks(), header.end, 1
        while content := file.read(BLOCK_BYTES):
            block = blocks.feed(read(content))
            if block is not None and block.rows:
                yield Span(number, start, start + block.size_bytes, row, block.rows)
                row += block.rows
            start += block.size_bytes if block is not None else 0
            if not blocks.regular or blocks.pending_bytes > UNIT_BYTES:
                break
        else:
            block = blocks.finish()
            if block is not None and block.rows:
                yield Span(number, start, start + block.size_bytes, row, block.rows)
            if blocks.regular:
                return
        while content := file.read(_HASH_BYTES):
            read(content)
        file.seek(start)
        rows = sum(1 for _ in careful_rows(file))
        yield Span(number, start, path.stat().st_size, row, rows, plain=False)


def _jsonl(path: Path, number: int, read: _Counted) -> Iterator[Span]:
    start, row, rest = 0, 1, b""
    with path.open("rb") as file:
        while content := file.read(BLOCK_BYTES):
            rest += read(content)
            cut = rest.rfind(b"\n") + 1
            if not cut:
                continue
            rows = _json_rows(rest[:cut])
            if rows:
                yield Span(number, start, start + cut, row, rows)
            start, row, rest = start + cut, row + rows, rest[cut:]
    rows = _json_rows(rest)
    if rows:
        yield Span(number, start, start + len(rest), row, rows)


def _json_rows(content: bytes) -> int:
    return sum(1 for line in content.splitlines() if line.strip())


def _parquet(path: Path, number: int) -> Iterator[Span]:
    """A row group, or equal parts of it where it is large: a file of one group only keeps every core busy."""
    with pq.ParquetFile(path) as file:
        start = 0
        for group in range(file.metadata.num_row_groups):
            meta = file.metadata.row_group(group)
            bytes_each = max(1, meta.total_byte_size // max(1, meta.num_rows))
            most = max(1, min(UNIT_ROWS, UNIT_BYTES // bytes_each))
            parts = -(-meta.num_rows // most)
            for part in range(parts):
                first, last = meta.num_rows * part // parts, meta.num_rows * (part + 1) // parts
                yield Span(number, start + first, start + last, start + first + 1, last - first)
            start += meta.num_rows


def _avro(path: Path, number: int) -> Iterator[Span]:
    """Blocks together up to some megabytes."""
    start = stop = None
    row, rows = 1, 0
    with path.open("rb") as file:
        for block in fastavro.block_reader(file):
            start = block.offset if start is None else start
            stop, rows = block.offset + block.size, rows + block.num_records
            if stop - start >= BLOCK_BYTES:
                yield Span(number, start, stop, row, rows)
                start, row, rows = None, row + rows, 0
    if start is not None and stop is not None and rows:
        yield Span(number, start, stop, row, rows)


def _units(spans: Sequence[Span]) -> Iterator[Unit]:
    number, together, rows, size = 0, list[Span](), 0, 0
    for span in spans:
        if together and (rows + span.rows > UNIT_ROWS * 1.25 or size > UNIT_BYTES):
            yield Unit(number, tuple(together))
            number, together, rows, size = number + 1, [], 0, 0
        together.append(span)
        rows, size = rows + span.rows, size + span.stop - span.start
    if together:
        yield Unit(number, tuple(together))
