"""A file that another machine reads: the bytes that it was planned with, or none."""

from __future__ import annotations

import pickle
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stream.batch import BlockHashes, Fingerprint, find_inputs, plan_inputs
from stream.errors import SampleError
from stream.files import FORMATS, FileFormat, Limits
from tests.unit.files.written import write

MIB = 1024 * 1024


def content_of(size: int) -> bytes:
    """Bytes of no pattern."""
    return random.Random(size).randbytes(size)


def taken(content: bytes, step: int) -> Fingerprint:
    """The fingerprint, of pieces as they come."""
    hashes = BlockHashes()
    for start in range(0, len(content), step):
        hashes.update(memoryview(content)[start : start + step])
    return hashes.fingerprint()


@pytest.mark.parametrize("size", [0, 1, MIB - 1, MIB, MIB + 1, 2 * MIB, 2 * MIB + 7])
def test_the_same_file_is_read_from_any_place(tmp_path: Path, size: int) -> None:
    """However it came in pieces, and in whatever order it is read."""
    content = content_of(size)
    (tmp_path / "f").write_bytes(content)
    known = pickle.loads(pickle.dumps(taken(content, 70_001)))

    assert taken(content, max(1, size)) == known
    with known.open(tmp_path / "f") as file:
        for start in (size // 2, 0, max(0, size - 3)):
            file.seek(start)
            assert content[start : start + MIB] == file.read(MIB)
        assert max(0, size - 2) == file.seek(-min(2, size), 2)
        assert content[-2:] == file.read()


@pytest.mark.parametrize("at", [0, MIB - 1, MIB, 2 * MIB + 6])
def test_no_byte_of_a_block_that_differs_is_given_out(tmp_path: Path, at: int) -> None:
    """The blocks before it are."""
    content = bytearray(content_of(2 * MIB + 7))
    known = taken(bytes(content), MIB)
    content[at] ^= 1
    (tmp_path / "f").write_bytes(content)
    first = at // MIB * MIB

    with known.open(tmp_path / "f") as file:
        assert content[:first] == file.read(first)
        with pytest.raises(SampleError, match=rf"/f: is not the file .*: bytes {first} to \d+ differ"):
            file.read(1)


@pytest.mark.parametrize("change", [b"", b"more"], ids=["cut", "grown"])
def test_a_file_of_another_length_is_refused_when_it_is_opened(tmp_path: Path, change: bytes) -> None:
    """Parquet and Arrow begin to read at the end."""
    content = content_of(1000)
    (tmp_path / "f").write_bytes(content + change if change else content[:900])

    with pytest.raises(SampleError, match=r"it has \d+ bytes, and had 1000"):
        taken(content, MIB).open(tmp_path / "f")


def read(path: Path) -> Iterator[tuple[list[dict[str, Any]], list[dict[str, Any]]]]:
    """Each span's rows, as they are read by the path, and by the fingerprint."""
    (given,) = find_inputs([str(path)])
    plan = plan_inputs([given], limits=Limits(block_bytes=64, unit_rows=9), prints=True)
    for unit in plan.units:
        for span in unit.spans:
            openers = (None, plan.prints[0].open)
            first, second = (
                [
                    row
                    for chunk in given.chunks(span, list, 5, given.reader(opener))
                    for row in (chunk.rows if isinstance(chunk.rows, list) else chunk.rows.to_pylist())
                ]
                for opener in openers
            )
            yield first, second


@pytest.mark.parametrize("kind", FORMATS.values(), ids=FORMATS)
def test_every_format_is_read_by_its_fingerprint(tmp_path: Path, kind: FileFormat) -> None:
    """The same rows; and another file of the same length gives not one."""
    path = tmp_path / f"f{kind.suffixes[0]}"
    write(path, kind)

    for by_path, by_print in read(path):
        assert by_path == by_print

    (given,) = find_inputs([str(path)])
    plan = plan_inputs([given], prints=True)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(SampleError, match=r"is not the file that the run was planned with: bytes 0 to"):
        list(given.chunks(plan.units[0].spans[0], list, reader=given.reader(plan.prints[0].open)))


def test_a_plan_for_this_machine_alone_takes_no_fingerprints(tmp_path: Path) -> None:
    """They cost a second hash."""
    (tmp_path / "f.csv").write_text("a\n1\n")

    assert () == plan_inputs(find_inputs([str(tmp_path)])).prints
