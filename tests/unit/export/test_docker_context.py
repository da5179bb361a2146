"""What `stream export --to docker` writes; scripts/image builds such a context."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from stream.errors import SettingsError
from stream.export import EXPORTERS
from stream.settings import Bytes, ModelSettings, Settings
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


def test_image_asks_of_a_package_what_the_configuration_asks(tmp_path: Path) -> None:
    """Signature, keys, types and size: when it is built, and when it runs. A quote in a value stays in its text."""
    asked = ModelSettings(
        require_signature=True,
        trusted_keys=("-----BEGIN\nkey\n-----END",),
        trusted_types=("a.B", "it's"),
        max_size=Bytes(5),
    )
    package = open_package(pack_kinds(tmp_path / "kinds"))

    EXPORTERS["docker"].export(package, Settings(model=asked), {}, tmp_path)

    [runtime] = [each for each in stages(tmp_path / "Dockerfile") if each.name == "runtime"]
    runs = {name: value for each in runtime.of("ENV") for name, value in each.variables.items()}
    builds = dict(
        word.split("=", 1)
        for line in (tmp_path / "package.env").read_text().splitlines()
        for word in shlex.split(line)[1:]
    )
    assert builds.items() <= runs.items()
    assert ("true", "5") == (
        builds["STREAM_MODEL__REQUIRE_SIGNATURE"],
        builds["STREAM_MODEL__MAX_SIZE"],
    )
    assert list(asked.trusted_keys) == json.loads(builds["STREAM_MODEL__TRUSTED_KEYS"])
    assert list(asked.trusted_types) == json.loads(builds["STREAM_MODEL__TRUSTED_TYPES"])


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
