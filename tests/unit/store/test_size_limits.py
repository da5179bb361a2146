"""Packages that are small on disk and huge in memory: refused before their bytes are read, or within bounds."""

from __future__ import annotations

import hashlib
import io
import json
import os
import tracemalloc
import zipfile
from pathlib import Path

import fastavro
import pytest

from stream.errors import PackageError
from stream.store import Trust, open_package
from tests.unit.store.signed import OURS, THEIRS, packed, replace_file, rewrite

GIB = 1024**3


@pytest.fixture
def version(tmp_path: Path) -> Path:
    """The folder of a signed version."""
    packed(tmp_path / "m", OURS)
    return tmp_path / "m" / "versions" / "1"


def _refusal(version: Path, trust: Trust | None = None) -> tuple[str, bool]:
    """The step that refused a version, and whether that took less than 64 MiB."""
    tracemalloc.start()
    try:
        with pytest.raises(PackageError) as caught:
            open_package(version, trust=trust)
        return caught.value.step, tracemalloc.get_traced_memory()[1] < GIB // 16
    finally:
        tracemalloc.stop()


def _sparse(version: Path, name: str, size: int, claimed: int | None = None) -> None:
    """A file of zeros that takes no room on the disk, and a manifest that says so."""
    with (version / name).open("wb") as file:
        file.truncate(size)
    entry = {"sha256": hashlib.sha256(b"").hexdigest(), "size_bytes": size if claimed is None else claimed}
    rewrite(version, lambda document: document["files"].update({name: entry}))


@pytest.mark.parametrize(
    "name",
    ["model.joblib", "golden.avro", "features.avsc", "prediction.avsc", "events.avsc", "card.html", "x"],
)
def test_sparse_file_of_many_gigabytes_is_refused_at_the_manifest(version: Path, name: str) -> None:
    """Its size alone is too much, whichever file it is."""
    _sparse(version, name, 5 * GIB)

    assert ("manifest", True) == _refusal(version)


def test_files_that_are_too_large_together_are_refused_at_the_manifest(version: Path) -> None:
    """Each of them alone would pass."""
    for i in range(30):
        _sparse(version, f"more-{i}", 200 * 1024**2)

    assert ("manifest", True) == _refusal(version)


@pytest.mark.parametrize("size", [3 * GIB, 1])
def test_file_of_another_size_is_refused_before_it_is_read(version: Path, size: int) -> None:
    """Larger or smaller than the manifest says."""
    _sparse(version, "model.joblib", size, claimed=1000)

    assert ("hash", True) == _refusal(version)


def test_file_that_opening_does_not_need_is_hashed_in_blocks(version: Path) -> None:
    """It may be larger than what is kept in memory."""
    _sparse(version, "card.html", 100 * 1024**2)

    assert ("hash", True) == _refusal(version)


@pytest.mark.parametrize("trust", [Trust((THEIRS.public,)), Trust((OURS.public,)), Trust(require=True)])
def test_nothing_but_the_manifest_is_read_before_the_signature_holds(version: Path, trust: Trust) -> None:
    """The other files are pipes: whoever opened one would know."""
    rewrite(version, lambda document: document.update(created="2026-01-01T00:00:00Z"))
    for file in version.iterdir():
        if not file.name.startswith("manifest."):
            file.unlink()
            os.mkfifo(file)

    if not trust.keys:
        (version / "manifest.sig").unlink()
    assert "signature" == _refusal(version, trust)[0]


def test_limit_is_the_one_that_is_set(version: Path) -> None:
    """To the byte."""
    document = json.loads((version / "manifest.json").read_text())
    total = sum(entry["size_bytes"] for entry in document["files"].values())

    assert ("manifest", True) == _refusal(version, Trust(max_bytes=total - 1))
    assert "m@1" == open_package(version, trust=Trust(max_bytes=total)).manifest.model


def _golden(schema: object, rows: int, size: int) -> bytes:
    stream = io.BytesIO()
    row = {"a": b"\0" * size} if size else {}
    fastavro.writer(stream, fastavro.parse_schema(schema), (row for _ in range(rows)), "deflate")  # type: ignore[arg-type]
    return stream.getvalue()


@pytest.mark.parametrize(
    ("rows", "size"),
    [
        pytest.param(100_000, 0, id="100,000 empty rows"),
        pytest.param(1, 300 * 1024**2, id="300 MiB in 300 KiB", marks=pytest.mark.slow),
    ],
)
def test_golden_rows_that_unpack_to_too_much_are_refused_at_golden(
    version: Path, rows: int, size: int
) -> None:
    """Though their hash is right."""
    fields = [{"name": "a", "type": "bytes"}] if size else []
    replace_file(
        version, "golden.avro", _golden({"type": "record", "name": "R", "fields": fields}, rows, size)
    )

    with pytest.raises(PackageError, match=r"golden\.avro: can't be read: .*(rows|bytes)") as caught:
        open_package(version)

    assert "golden" == caught.value.step


def test_skops_file_that_unpacks_to_too_much_is_refused_at_load(version: Path) -> None:
    """It is a zip archive; what its entries claim is counted before any is read."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("schema.json", b"{}")
        for i in range(2):
            archive.writestr(f"{i}.npy", b"\0" * 1000)
    claimed = stream.getvalue().replace((1000).to_bytes(4, "little"), (2**32 - 2).to_bytes(4, "little"))
    _as_skops(version, claimed)

    assert ("load", True) == _refusal(version)


def _as_skops(version: Path, content: bytes) -> None:
    (version / "model.joblib").unlink()
    rewrite(version, lambda document: document["files"].pop("model.joblib"))
    replace_file(version, "model.skops", content)
