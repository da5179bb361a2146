"""Planned spans and what is read from them: every row once, with its number, whatever the file looks like."""

from __future__ import annotations

import errno
import hashlib
import json
import os
from pathlib import Path
from typing import Any

import fastavro
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stream.batch import Input, find_inputs, plan_inputs
from stream.errors import SampleError
from stream.files import LIMITS, Limits, Span, read_rows

Row = tuple[int, dict[str, Any]]


@pytest.fixture(params=[7, 64, 1 << 20], ids=["7-bytes", "64-bytes", "1-MiB"])
def block(request: pytest.FixtureRequest) -> Limits:
    """Blocks so small that they end anywhere, and one that holds everything."""
    return Limits(block_bytes=request.param)


def read(path: Path, limits: Limits = LIMITS, most: int = 3) -> tuple[list[Row], dict[int, str], list[Span]]:
    """Rows by number, reasons of the broken ones by number, and the spans."""
    (given,) = find_inputs([str(path)])
    made = plan_inputs([given], limits=limits)
    assert hashlib.sha256(path.read_bytes()).hexdigest() == made.files[0].sha256
    spans = [span for unit in made.units for span in unit.spans]
    rows: list[Row] = []
    broken: dict[int, str] = {}
    for span in spans:
        for chunk in given.chunks(span, list, most):
            values = chunk.rows if isinstance(chunk.rows, list) else chunk.rows.to_pylist()
            rows += zip(chunk.numbers, values, strict=True)
            broken |= {number: fault.reason for number, fault in chunk.broken.items()}
    assert made.rows == sum(span.rows for span in spans) == len(rows) + len(broken)
    return rows, broken, spans


CSVS = {
    "plain": "a,b\n1,x\n2,\n3,z\n",
    "no-newline-at-the-end": "a,b\n1,x\n2,y",
    "blank-lines": "a,b\n\n1,x\n\n\n2,y\n\n",
    "windows": "a,b\r\n1,x\r\n\r\n2,y\r\n",
    "quotes": 'a,b\n"1","x"\n2,"a,b"\n"3","say ""hi"""\n',
    "newlines-in-quotes": 'a,b\n1,"x\ny\n\nz"\n2,"\n"\n3,"a\r\nb"\n4,plain\n',
    "quoted-empty": 'a,b\n"",""\n1,""\n',
    "quote-within-a-cell": 'a,b\n1,5" pipe\n2,"x\ny"\n3,6" pipe\n',
    "byte-order-mark": "\ufeffa,b\n1,x\n",
    "quoted-header": '"a","b"\n1,x\n',
    "header-only": "a,b\n",
    "header-without-newline": "a,b",
    "empty": "",
    "one-column": "a\n1\n\n2\n",
    "old-mac": "a,b\r1,x\r2,y\r",
    "unicode": "a,b\n1,naïve ✈\n2,٣\n",
    "ends-within-a-block": "a,b\n" + "".join(f"{i},{'x' * (i % 13)}\n" for i in range(50)),
    "many-quotes": "a,b\n" + "".join(f'"{i}","{"y," * (i % 3)}\n"\n' for i in range(30)),
}


@pytest.mark.parametrize("name", CSVS)
def test_a_csv_has_the_rows_that_its_reader_finds(tmp_path: Path, block: Limits, name: str) -> None:
    """Cut anywhere, by quotes and newlines of every kind: the cells are those of `stream produce`."""
    path = tmp_path / "f.csv"
    path.write_bytes(CSVS[name].encode())

    rows, broken, _ = read(path, block)

    assert {} == broken
    assert list(enumerate((row.values for row in read_rows(path)), 1)) == rows


def test_a_large_csv_is_cut(tmp_path: Path) -> None:
    """Regular quotes don't keep it in one piece."""
    path = tmp_path / "f.csv"
    path.write_text(CSVS["many-quotes"])

    _, _, spans = read(path, Limits(block_bytes=64))

    assert all(span.plain for span in spans)
    assert len(spans) > 3


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a,b\n1,x\n2\n3,z\n", {2: "malformed_row"}),
        ("a,b\n1,x,y\n2,z\n", {1: "malformed_row"}),
        ('a,b\n1,x\n2,"x"y\n3,z\n', {2: "malformed_row"}),
        ('a,b\n1,x\n2,"never closed\n3,z\n', {2: "malformed_row"}),
        (b"a,b\n1,\xff\n2,y\n", {1: "invalid_utf8"}),
    ],
    ids=["too-few", "too-many", "after-a-quote", "open-quote", "no-utf8"],
)
def test_a_broken_line_is_a_dead_row_of_its_own(
    tmp_path: Path, block: Limits, text: str | bytes, expected: dict[int, str]
) -> None:
    """Its neighbours keep their numbers."""
    path = tmp_path / "f.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())

    rows, broken, _ = read(path, block)

    assert expected == broken
    assert sorted(set(range(1, len(rows) + len(broken) + 1)) - set(broken)) == [number for number, _ in rows]


def test_jsonl_is_cut_between_lines(tmp_path: Path, block: Limits) -> None:
    """Blank lines are not rows; a line that is not an object is a dead row."""
    path = tmp_path / "f.jsonl"
    lines = ['{"a": 1}', "", '{"a": "é\\n"}', "[1]", "{", "  ", '{"a": null}']
    path.write_bytes("\r\n".join(lines).encode() + b'\n{"a": "\xff"}')

    rows, broken, _ = read(path, block)

    assert [(1, {"a": 1}), (2, {"a": "é\n"}), (5, {"a": None})] == rows
    assert {3: "malformed_row", 4: "malformed_row", 6: "invalid_utf8"} == broken


def test_parquet_row_groups_are_cut_and_kept(tmp_path: Path) -> None:
    """A large group becomes several spans, a small one a span."""
    path = tmp_path / "f.parquet"
    pq.write_table(pa.table({"a": range(57)}), path, row_group_size=25)

    rows, broken, spans = read(path, Limits(unit_rows=10), 4)

    assert ({}, [(i + 1, {"a": i}) for i in range(57)]) == (broken, rows)
    assert [8, 8, 9, 8, 8, 9, 7] == [span.rows for span in spans]


def test_avro_is_cut_between_blocks(tmp_path: Path, block: Limits) -> None:
    """Whatever its codec."""
    schema: Any = {"type": "record", "name": "E", "fields": [{"name": "a", "type": "long"}]}
    path = tmp_path / "f.avro"
    with path.open("wb") as file:
        fastavro.writer(file, schema, [{"a": i} for i in range(40)], codec="deflate", sync_interval=8)

    rows, broken, spans = read(path, block)

    assert ({}, [(i + 1, {"a": i}) for i in range(40)]) == (broken, rows)
    assert (len(spans) > 1) == (block.block_bytes < 1 << 20)


def test_partitions_are_columns_of_texts(tmp_path: Path) -> None:
    """Unless the file has the column; a folder of rows without a value is null."""
    for folder, values in (
        ("y=2013/m=1", {"a": 1}),
        ("y=__HIVE_DEFAULT_PARTITION__/m=a%20b", {"a": 2, "m": "own"}),
    ):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "f.jsonl").write_text(json.dumps(values))
        pq.write_table(pa.Table.from_pylist([values]), tmp_path / folder / "f.parquet")
    for given in find_inputs([str(tmp_path)]):
        (unit,) = plan_inputs([given]).units
        (chunk,) = given.chunks(unit.spans[0], list)
        rows = chunk.rows if isinstance(chunk.rows, list) else chunk.rows.to_pylist()

        y, m = ("2013", "1") if "2013" in given.path else (None, "own")
        assert [{"a": 1 if y else 2, "y": y, "m": m}] == rows
        assert isinstance(chunk.text, frozenset)
        assert "y" in chunk.text


def test_a_file_that_changed_is_refused(tmp_path: Path) -> None:
    """Rows that were planned and are not there would shift every number behind them."""
    path = tmp_path / "f.csv"
    path.write_text("a\n1\n2\n")
    given = Input(str(path), "csv")
    (unit,) = plan_inputs([given]).units
    path.write_text("a\n123\n")

    with pytest.raises(SampleError, match="expected 2 rows from row 1 on, found 1"):
        list(given.chunks(unit.spans[0], list))


CORRUPT = {
    **{f"{how}.parquet": ("parquet", how) for how in ("snappy", "gzip")},
    **{f"{how}.avro": ("avro", how) for how in ("deflate", "xz", "bzip2")},
}


@pytest.mark.parametrize(("kind", "codec"), CORRUPT.values(), ids=CORRUPT)
def test_bytes_that_cannot_be_decompressed_are_the_named_files(tmp_path: Path, kind: str, codec: str) -> None:
    """Among many, one must know which; whatever error its library has for it."""
    path = tmp_path / f"f.{kind}"
    rows = [{"a": f"{i * 7919 % 1000} {i}"} for i in range(3_000)]
    if kind == "parquet":
        pq.write_table(pa.Table.from_pylist(rows), path, compression=codec, use_dictionary=False)
    else:
        schema = {"type": "record", "name": "R", "fields": [{"name": "a", "type": "string"}]}
        with path.open("wb") as file:
            fastavro.writer(file, schema, rows, codec=codec)
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 40] = bytes(range(200, 240))
    path.write_bytes(content)

    with pytest.raises(SampleError, match=rf"{path}: can't be read: \S"):
        read(path)


def test_a_disks_error_has_the_files_name() -> None:
    """The system's own has none where it comes from reading an open file."""
    given = Input("/data/f.csv", "csv")

    with pytest.raises(OSError, match="/data/f.csv") as caught, given.reading():
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    assert errno.EIO == caught.value.errno
