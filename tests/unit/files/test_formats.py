"""The table of file formats: what each writes it reads again, whole and in parts, compressed or not."""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pytest

from stream.batch import Input, plan_inputs
from stream.errors import SampleError
from stream.files import FORMATS, FileFormat, Limits, format_of, named_format, read_frame
from stream.files.csv_format import CsvFormat

TABLE = pa.table({"id": [f"v{i}" for i in range(40)], "n": pa.array([*range(39), None], pa.int64())})
AVRO = """{"type": "record", "name": "E", "fields": [
    {"name": "id", "type": "string"}, {"name": "n", "type": ["null", "long"]}
]}"""


class GzippedCsv(CsvFormat):
    """A format that is another one, compressed."""

    def opened(self, raw: IO[bytes]) -> IO[bytes]:
        """Unpacked."""
        return gzip.GzipFile(fileobj=raw)  # type: ignore[return-value]


def write(path: Path, kind: FileFormat) -> None:
    """The table in a format."""
    with path.open("wb") as file:
        part = kind.writer(file, TABLE.schema, AVRO)
        for batch in TABLE.to_batches(7):
            part.write_batch(batch)
        part.close()


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

    for name in ("gone.csv", "d.csv"):
        with pytest.raises(SampleError, match=rf"{name}: there is no such file"):
            named_format(tmp_path / name)


def test_a_compressed_format_is_another_way_of_opening(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing else of the format changes; the hash is that of the file as it lies on the disk."""
    kind = GzippedCsv("csv.gz", (".csv.gz",))
    write(tmp_path / "f.csv", FORMATS["csv"])
    path = tmp_path / "f.csv.gz"
    path.write_bytes(gzip.compress((tmp_path / "f.csv").read_bytes()))
    monkeypatch.setitem(FORMATS, kind.name, kind)

    plan = plan_inputs([Input(str(path), kind.name)], limits=Limits(block_bytes=64))

    assert expected(kind) == [row.values for row in kind.rows(path)]
    assert expected(kind) == in_parts(path, kind, Limits(block_bytes=64))
    assert ["id", "n"] == kind.columns(path)
    assert (40, hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_size) == (
        plan.rows, plan.files[0].sha256, plan.files[0].size_bytes
    )  # fmt: skip
