"""`stream.load`: which version, and what can't be opened."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

import stream
from stream.api.loading import path_from
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


@pytest.mark.parametrize(
    ("ask", "what", "found"),
    [
        (lambda: stream.load(None), "the package", "None"),  # type: ignore[arg-type]
        (lambda: stream.load(b"models/m"), "the package", "bytes"),  # type: ignore[arg-type]
        (lambda: stream.load(["models/m"]), "the package", "list"),  # type: ignore[arg-type]
        (lambda: stream.load("models/m", trust=[7]), r"trust\[0\]", "int"),  # type: ignore[list-item]
        (lambda: stream.check(7), "the package", "int"),  # type: ignore[arg-type]
        (lambda: stream.check(config=7), "config", "int"),  # type: ignore[arg-type]
        (lambda: stream.read_predictions(config=7), "config", "int"),  # type: ignore[arg-type]
        (lambda: stream.pack(object(), name="m", schema=7), "schema", "int"),  # type: ignore[arg-type]
        (lambda: stream.pack(object(), name="m", sign=7), "sign", "int"),  # type: ignore[arg-type]
        (lambda: stream.pack(object(), name="m", out=7), "out", "int"),  # type: ignore[arg-type]
    ],
)
def test_what_is_no_path_is_named(ask: Callable[[], object], what: str, found: str) -> None:
    """Which argument, and what it was."""
    with pytest.raises(TypeError, match=f"{what}: expected a path .*, found {found}"):
        ask()


def test_any_kind_of_path_is_one() -> None:
    """As `open` takes it."""
    with os.scandir(Path(__file__).parent) as entries:
        entry = next(entries)

    assert Path(entry.path) == path_from(entry, "it")
