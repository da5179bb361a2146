"""`stream.load`: which version, and what can't be opened."""

from __future__ import annotations

from pathlib import Path

import pytest

import stream
from tests.acceptance import visits


def test_version_is_the_current_or_the_one_that_is_named(tmp_path: Path) -> None:
    """By number, or by its folder; a loaded one stays what it is."""
    visits.packed(tmp_path / "visits")
    first = stream.load(tmp_path / "visits")
    visits.packed(tmp_path / "visits")

    assert 1 == first.version
    assert 2 == stream.load(str(tmp_path / "visits")).version
    assert 1 == stream.load(tmp_path / "visits", 1).version
    assert 1 == stream.load(tmp_path / "visits" / "versions" / "1").version
    assert ["visits", "visits@1"] == [first.name, first.manifest.model]
    assert "visits@1: classifier" in repr(first)


@pytest.mark.parametrize(
    ("address", "hint"),
    [
        ("models:/flights@champion", "stream.pack"),
        ("runs:/1234/model", "stream.pack"),
        ("s3://bucket/flights", "copy the package here"),
        ("https://host/flights", "copy the package here"),
    ],
)
def test_address_elsewhere_is_refused_with_a_way(address: str, hint: str) -> None:
    """Not looked for as a folder of that name."""
    with pytest.raises(stream.PackageError, match=rf"{address.split('@', maxsplit=1)[0]}.*\n  try: .*{hint}"):
        stream.load(address)


def test_folder_that_is_no_package_is_refused(tmp_path: Path) -> None:
    """With the step that failed."""
    with pytest.raises(stream.PackageError, match="step manifest"):
        stream.load(tmp_path / "nothing")
