"""Models of a real MLflow server: which version a name means, and its files."""

from __future__ import annotations

from pathlib import Path

import pytest

from stream.errors import PackageError, Retriable, SettingsError
from stream.mlflow import client, parse
from tests.kafka.process import free_ports
from tests.platforms.mlflow.registering import register_folder, settings_for
from tests.platforms.mlflow.server import MlflowServer

pytestmark = pytest.mark.platform


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Some files, one in a folder."""
    folder = tmp_path / "files"
    (folder / "inner").mkdir(parents=True)
    (folder / "MLmodel").write_text("flavors: {}\n")
    (folder / "inner/a.bin").write_bytes(b"x" * 100_000)
    return folder


def test_alias_names_its_version_and_moves(mlflow_server: MlflowServer, files: Path) -> None:
    """An alias is asked of the server each time."""
    with client(settings_for(mlflow_server.url)) as server:
        first, second = register_folder(server, "moves", files), register_folder(server, "moves", files)
        server.api.set_registered_model_alias("moves", "champion", "1")
        before = server.version_of(parse("models:/moves@champion"))  # type: ignore[arg-type]
        server.api.set_registered_model_alias("moves", "champion", "2")
        after = server.version_of(parse("models:/moves@champion"))  # type: ignore[arg-type]

    assert (1, first.run_id, 2, second.run_id) == (before.version, before.run_id, after.version, after.run_id)


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("models:/absent@x", "champion → 1"),
        ("models:/absent/9", "no version 9 of absent"),
        ("models:/absend@champion", "models there: absent"),
    ],
)
def test_what_is_not_there_is_named_with_what_is(
    mlflow_server: MlflowServer, files: Path, uri: str, said: str
) -> None:
    """A wrong alias, version or name: the message says what the server has."""
    with client(settings_for(mlflow_server.url)) as server:
        register_folder(server, "absent", files)
        server.api.set_registered_model_alias("absent", "champion", "1")
        with pytest.raises(SettingsError, match=said):
            server.version_of(parse(uri))  # type: ignore[arg-type]


def test_files_of_a_version_arrive_with_their_folders(
    mlflow_server: MlflowServer, files: Path, tmp_path: Path
) -> None:
    """Every file of a version, by version and by run."""
    with client(settings_for(mlflow_server.url)) as server:
        made = register_folder(server, "fetched", files)
        for number, uri in enumerate((made, parse(f"runs:/{made.run_id}/model"))):
            into = tmp_path / str(number)
            into.mkdir()
            server.artifacts(uri).fetch_all(into, 200_000)  # type: ignore[arg-type]

            expected = {
                path.relative_to(files): path.read_bytes() for path in files.rglob("*") if path.is_file()
            }
            found = {path.relative_to(into): path.read_bytes() for path in into.rglob("*") if path.is_file()}
            assert expected == found
        with pytest.raises(PackageError, match="at most 1000"):
            server.artifacts(made).fetch("inner/a.bin", tmp_path, 1000)
        with pytest.raises(PackageError, match="nothing is not there"):
            server.artifacts(made).fetch("nothing", tmp_path, 50)


def test_server_that_is_gone_is_retriable() -> None:
    """Nobody listens: try again."""
    (port,) = free_ports(1)
    with (
        client(settings_for(f"http://127.0.0.1:{port}")) as server,
        pytest.raises(Retriable, match="does not answer"),
    ):
        server.version_of(parse("models:/flights@champion"))  # type: ignore[arg-type]
