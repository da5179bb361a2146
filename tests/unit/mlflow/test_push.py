"""What is said of a push before any server is asked, and of inputs that differ."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from stream.cli.main import cli
from stream.errors import SettingsError
from stream.mlflow import PushRequest, push_package, write_model_folder
from stream.settings import MlflowSettings, Settings
from stream.store import open_package
from tests.unit.mlflow.folders import packed

_SILENT = Settings(mlflow=MlflowSettings(tracking_uri="http://127.0.0.1:9"))


@pytest.mark.parametrize(
    ("name", "alias"), [("a/b", None), ("", None), ("a:b", None), ("a", "v1"), ("a", "latest"), ("a", "x y")]
)
def test_a_name_that_mlflow_does_not_take_is_refused_at_once(name: str, alias: str | None) -> None:
    """Nobody is asked."""
    package = open_package("models/flights")
    with pytest.raises(SettingsError, match="MLflow does not take it"):
        push_package(package, PushRequest(name, alias), _SILENT, lambda step: None)


def test_pull_of_a_folder_prints_the_version(tmp_path: Path) -> None:
    """No server is needed; `models/NAME` is where it goes by itself."""
    write_model_folder(packed(tmp_path / "m"), tmp_path / "folder")
    out = tmp_path / "out"
    done = CliRunner().invoke(cli, ["models", "pull", str(tmp_path / "folder"), "--out", str(out), "--json"])
    assert 0 == done.exit_code
    answer = json.loads(done.stdout)
    assert {
        "package": str(out),
        "name": "m",
        "version": 1,
        "pushed": True,
        "new": True,
    }.items() <= answer.items()


def test_export_writes_the_folder(tmp_path: Path) -> None:
    """As a push logs it."""
    packed(tmp_path / "m")
    done = CliRunner().invoke(
        cli, ["export", "--to", "mlflow", str(tmp_path / "m"), "--out", str(tmp_path / "f"), "--json"]
    )
    assert 0 == done.exit_code
    assert str(tmp_path / "f/MLmodel") in json.loads(done.stdout)["files"]
