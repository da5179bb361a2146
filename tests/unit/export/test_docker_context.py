"""What `stream export --to docker` writes; scripts/image builds such a context."""

from __future__ import annotations

from pathlib import Path

import pytest

from stream.errors import SettingsError
from stream.export import EXPORTERS
from stream.settings import Settings
from stream.store import open_package
from tests.docker.dockerfile import stages
from tests.unit.rest.models import pack_kinds


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """The context of a package called kinds."""
    folder = tmp_path / "context"
    exported = EXPORTERS["docker"].export(
        open_package(pack_kinds(tmp_path / "kinds")), Settings(), {}, folder
    )
    assert set(exported.files) == set(folder.iterdir())
    return folder


def test_everything_that_is_copied_is_in_the_context(written: Path) -> None:
    """Each COPY of its Dockerfile finds its files; nothing compiled is among them."""
    copies = [each.words for stage in stages(written / "Dockerfile") for each in stage.of("COPY")]
    sources = [source for words in copies if not words[0].startswith("--from") for source in words[:-1]]

    assert [] == [each for each in sources if not (written / each).exists()]
    assert {"package", "package.txt"} <= set(sources)
    assert [] == list(written.rglob("__pycache__"))


def test_package_in_the_context_is_the_one_that_was_given(written: Path) -> None:
    """It opens, golden rows and all, and every target has it as its model."""
    assert "kinds" == open_package(written / "package").manifest.name
    assert (
        "COPY package /app/models/kinds\nENV STREAM_MODEL__URI=/app/models/kinds\n"
        in (written / "Dockerfile").read_text()
    )


def test_libraries_of_the_package_are_installed_in_their_locked_versions(written: Path) -> None:
    """scikit-learn by name, as the lock says its version; Python is the base image's."""
    names = (written / "package.txt").read_text().split()

    assert "scikit-learn" in names
    assert "python" not in names


def test_readme_is_three_lines(written: Path) -> None:
    """What it is, how it is built, how it is run."""
    assert 3 == len((written / "README.md").read_text().splitlines())


def test_installation_without_dockerfile_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is written then, and the hint says what to do."""
    monkeypatch.setattr("stream.export.docker_context.__file__", str(tmp_path / "stream/export/x.py"))
    with pytest.raises(SettingsError, match="no Dockerfile") as refused:
        EXPORTERS["docker"].export(
            open_package(pack_kinds(tmp_path / "kinds")), Settings(), {}, tmp_path / "out"
        )

    assert "clone" in str(refused.value.hint)
    assert not (tmp_path / "out").exists()
