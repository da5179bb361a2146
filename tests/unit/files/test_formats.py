"""The table of file formats: what each writes it reads again, whole and in parts, compressed or not."""

from __future__ import annotations

import gzip
import hashlib
import re
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from stream.batch import Input, find_inputs, plan_inputs
from stream.errors import SampleError
from stream.files import (
    FORMATS,
    FileFormat,
    Limits,
    format_of,
    named_format,
    read_frame,
    read_rows,
    text_format,
)
from tests.unit.files.written import SQUEEZE, TABLE, write


def expected(kind: FileFormat) -> list[dict[str, Any]]:
    """Its rows as the format has them."""
    if not kind.text:
        return list(TABLE.to_pylist())
    texts = TABLE.set_column(1, "n", TABLE["n"].cast(pa.string()))
    return list(texts.to_pylist())


def in_parts(path: Path, kind: FileFormat, limits: Limits) -> list[dict[str, Any]]:
    """Rows by spans and chunks."""
    with kind.open(path) as file:
        spans = list(kind.spans(file, limits))
    rows: list[dict[str, Any]] = []
    for span in spans:
        for chunk in kind.chunks(path, span, list, 5):
            assert {} == chunk.broken
            rows += chunk.rows if isinstance(chunk.rows, list) else chunk.rows.to_pylist()
    return rows


@pytest.mark.parametrize("kind", FORMATS.values(), ids=FORMATS)
def test_a_format_reads_what_it_writes(tmp_path: Path, kind: FileFormat) -> None:
    """Row by row, in parts and as a frame: the same rows, and the columns that are declared are theirs."""
    path = tmp_path / f"f{kind.suffixes[-1]}"
    write(path, kind)

    assert expected(kind) == [row.values for row in kind.rows(path)]
    assert expected(kind) == in_parts(path, kind, Limits(block_bytes=64, unit_rows=9))
    assert [row["id"] for row in expected(kind)] == read_frame(path)["id"].tolist()
    assert kind.columns(path) in (None, ["id", "n"])


@pytest.mark.parametrize("kind", FORMATS.values(), ids=FORMATS)
def test_a_name_says_the_format_whatever_its_case(kind: FileFormat) -> None:
    """By its ending."""
    for suffix in kind.suffixes:
        assert kind is format_of(Path(f"a.b/some.file{suffix}"))
        assert kind is format_of(Path(f"F{suffix.upper()}"))
    assert format_of(Path(f"f{kind.suffixes[0]}.bak")) is None
    assert format_of(Path(kind.name)) is None


def test_a_file_that_is_not_there_is_refused_by_name(tmp_path: Path) -> None:
    """As is a folder that has a data file's name."""
    (tmp_path / "d.csv").mkdir()

    for name, what in (("gone.csv", "there is no such file"), ("d.csv", "is a folder")):
        with pytest.raises(SampleError, match=rf"{name}: {what}"):
            named_format(tmp_path / name)


@pytest.mark.parametrize("kind", FORMATS.values(), ids=FORMATS)
def test_a_plan_hashes_the_file_as_it_lies_on_the_disk(tmp_path: Path, kind: FileFormat) -> None:
    """A compressed file is one span, since it can't be read from its middle."""
    path = tmp_path / f"f{kind.suffixes[0]}"
    write(path, kind)

    plan = plan_inputs([Input(str(path), kind.name)], limits=Limits(block_bytes=64))

    assert (40, hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_size) == (
        plan.rows, plan.files[0].sha256, plan.files[0].size_bytes
    )  # fmt: skip
    if "." in kind.name:
        assert 1 == sum(len(unit.spans) for unit in plan.units)


@pytest.mark.parametrize("suffix", SQUEEZE)
def test_compressed_file_in_several_members_is_read_to_its_end(tmp_path: Path, suffix: str) -> None:
    """Compressed files may be concatenated."""
    path = tmp_path / f"f.csv{suffix}"
    path.write_bytes(SQUEEZE[suffix](b"a\n1\n2\n") + SQUEEZE[suffix](b"3\n"))

    assert [{"a": "1"}, {"a": "2"}, {"a": "3"}] == [row.values for row in read_rows(path)]


@pytest.mark.parametrize("suffix", SQUEEZE)
@pytest.mark.parametrize("cut", [0.5, 0])
def test_compressed_file_that_is_not_whole_is_named(tmp_path: Path, suffix: str, cut: float) -> None:
    """Half of one, and one that is not compressed at all."""
    content = "".join(f"{i * 7919 % 1009}\n" for i in range(50_000)).encode()
    whole = SQUEEZE[suffix](b"a\n" + content) if cut else content
    path = tmp_path / f"f.csv{suffix}"
    path.write_bytes(whole[: int(len(whole) * (cut or 1))])

    with pytest.raises(SampleError, match=rf"f\.csv\{suffix}: can't be read: it is not a whole"):
        plan_inputs(find_inputs([str(path)]))


@pytest.mark.parametrize("quoted", [False, True], ids=["plain", "irregular-quotes"])
def test_compressed_csv_of_several_blocks_has_each_row_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quoted: bool
) -> None:
    """It is cut into blocks while it is read, with its rows numbered on."""
    monkeypatch.setattr(text_format, "LIMITS", Limits(block_bytes=100))
    lines = [f'{i},{i}" pipe' if quoted and i == 50 else f"{i},x" for i in range(60)]
    path = tmp_path / "f.csv.gz"
    path.write_bytes(gzip.compress("\n".join(["n,t", *lines]).encode()))
    (given,) = find_inputs([str(path)])
    (span,) = plan_inputs([given]).units[0].spans

    chunks = list(given.chunks(span, list, 50))

    assert len(chunks) > 1
    assert list(range(1, 61)) == [number for chunk in chunks for number in chunk.numbers]
    rows = [row for c in chunks for row in (c.rows if isinstance(c.rows, list) else c.rows.to_pylist())]
    assert [str(i) for i in range(60)] == [row["n"] for row in rows]


@pytest.mark.parametrize(
    ("name", "way"),
    [
        ("f.xlsx", "pd.read_excel('f.xlsx').to_parquet('f.parquet')"), ("f.ODS", "pd.read_excel('f.ODS')"),
        ("f.orc", "pd.read_orc"), ("f.pkl", "pd.read_pickle"), ("f.h5", "pd.read_hdf"), ("f.zip", "unzip f.zip"),
        ("f.txt", "f.csv"), ("f.parquet.gz", "gunzip f.parquet.gz"), ("f.sqlite", "read_sql"), ("f", "convert it"),
    ],
)  # fmt: skip
def test_format_that_is_not_read_is_refused_with_the_way(tmp_path: Path, name: str, way: str) -> None:
    """What to type, with the file's own name."""
    (tmp_path / name).write_bytes(b"x")

    with pytest.raises(SampleError, match=r"expected a file called \.parquet, \.csv") as caught:
        named_format(tmp_path / name)

    assert way in str(caught.value.hint)


@pytest.mark.parametrize("name", ["f.json", "f.jsonl"])
@pytest.mark.parametrize(
    ("bad", "says"),
    [
        ('{"id": "b", "n": 1, "id": "c"}', "an object has the key 'id' twice"),
        ('{"id": {"x": 1, "x": "]}"}}', "an object has the key 'x' twice"),
        ('{"id": "b", "n": NaN}', "NaN is not JSON"),
        (f'{{"id": -Infinity, "n": {"9" * 5_000}}}', "-Infinity is not JSON"),
    ],
)
def test_row_that_json_does_not_have_is_broken_alone(tmp_path: Path, name: str, bad: str, says: str) -> None:
    """In an array as in lines: its neighbours are read; as a sample the file is refused, with the row."""
    rows = ['{"id": "a"}', bad, '{"id": "d"}']
    path = tmp_path / name
    path.write_text("\n".join(rows) if name.endswith("l") else f"[{', '.join(rows)}]")
    kind = FORMATS[path.suffix[1:]]
    with kind.open(path) as file:
        spans = list(kind.spans(file, Limits()))

    chunks = [chunk for span in spans for chunk in kind.chunks(path, span, list, 5)]
    [(number, fault)] = [one for chunk in chunks for one in chunk.broken.items()]

    assert [{"id": "a"}, {"id": "d"}] == [row for chunk in chunks for row in chunk.rows]
    assert [2, "malformed_row"] == [number, fault.reason]
    assert says in fault.message
    with pytest.raises(SampleError, match=re.escape(says)):
        list(read_rows(path))
