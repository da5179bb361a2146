"""Exports of a package that is a registry's: called as the registry calls it, and opened wherever they go."""

from __future__ import annotations

import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from stream.export import EXPORTERS
from stream.export.model_archive import package_entries, write_archive
from stream.manifest import Registered
from stream.mlflow import write_model_folder
from stream.settings import Settings
from stream.store import Package, open_package, write_registered
from tests.unit.rest.models import pack_kinds


@pytest.fixture(params=["shop", "my model $HOME ü"])
def registered(tmp_path: Path, request: pytest.FixtureRequest) -> Package:
    """Version 1 of a package, which its registry calls version 7 of another name."""
    folder = pack_kinds(tmp_path / "kinds")
    write_registered(folder, Registered(request.param, 7, f"models:/{request.param}/7", "run7"))
    return open_package(folder)


def _archive(package: Package, folder: Path) -> Path:
    write_archive(package, folder / "model.tar.gz")
    with tarfile.open(folder / "model.tar.gz") as archive:
        archive.extractall(folder / "package", filter="data")
    return folder / "package"


def _docker(package: Package, folder: Path) -> Path:
    EXPORTERS["docker"].export(package, Settings(), {}, folder)
    return folder / "package"


def _mlflow(package: Package, folder: Path) -> Path:
    write_model_folder(package, folder)
    return folder / "package"


@pytest.mark.parametrize("export", [_archive, _docker, _mlflow])
def test_export_opens_under_the_registrys_name(
    export: Callable[[Package, Path], Path], registered: Package, tmp_path: Path
) -> None:
    """The folder is called by the number that its manifest says, the version by the registry's."""
    folder = tmp_path / "out"
    folder.mkdir()
    found = open_package(export(registered, folder)).manifest

    assert registered.manifest.model == found.model
    assert registered.manifest.registered == found.registered


def test_dockerfile_of_any_name_copies_two_paths(registered: Package, tmp_path: Path) -> None:
    """A space in it would be a third."""
    _docker(registered, tmp_path / "out")
    [line] = [
        line
        for line in (tmp_path / "out/Dockerfile").read_text().splitlines()
        if line.startswith("COPY package /")
    ]

    assert 3 == len(line.split())
    assert "$" not in line


def test_package_of_this_machine_has_no_registrys_file(tmp_path: Path) -> None:
    """Its archive has the version's files alone, as ever."""
    names = [name for name, _ in package_entries(open_package(pack_kinds(tmp_path / "kinds")))]

    assert "registered.json" not in names
    assert {"current", "versions/1/manifest.json"} <= set(names)
