"""`stream train` on a recipe of a few lines."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stream.cli import main
from stream.store import open_package
from tests.unit.training.recipes import write_recipe


def _run(*arguments: object) -> int:
    with pytest.raises(SystemExit) as exit_:
        main(["train", *map(str, arguments)])
    code = exit_.value.code
    assert isinstance(code, int)
    return code


def test_train_packs_and_prints_one_object(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The package opens, and stdout is one JSON object with its place, version, parameters and metrics."""
    out = tmp_path / "package"

    assert _run(write_recipe(tmp_path), "--out", out) == 0

    printed = json.loads(capsys.readouterr().out)
    package = open_package(out)
    assert (str(out), "toy", 1, {"logisticregression__C": 1.0}) == (
        printed["package"], printed["name"], printed["version"], printed["params"],
    )  # fmt: skip
    assert package.manifest.metrics == printed["metrics"]
    assert (("id",), (False, True)) == (package.manifest.carry, package.manifest.classes)


def test_train_again_adds_a_version(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The first version stays, the second is current, and their answers are the same."""
    recipe, out = write_recipe(tmp_path), tmp_path / "package"
    codes = [_run(recipe, "--out", out, "--no-card"), _run(recipe, "--out", out, "--no-card")]
    first, second = map(json.loads, capsys.readouterr().out.splitlines())

    assert ([0, 0], 2, first["metrics"]) == (codes, open_package(out).manifest.version, second["metrics"])


def test_default_folder_is_models_and_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without --out the package is `models/toy`, beneath where one stands."""
    recipe = write_recipe(tmp_path)
    monkeypatch.chdir(tmp_path)

    assert (0, "toy") == (_run(recipe, "--no-card"), open_package(Path("models/toy")).manifest.name)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (('NAME = "toy"', ""), "toy.py: the recipe has no NAME"),
        (("def load", "def lode"), "toy.py: the recipe has no load"),
        (("random.random(400)", "random.random(0)"), "toy.py: load() raised"),
        (('CARRY = ["id"]', 'CARRY = ["y"]'), "y"),
    ],
)
def test_recipe_that_cant_be_used_exits_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], change: tuple[str, str], said: str
) -> None:
    """Exit 2, the reason on stderr without a traceback, nothing on stdout and nothing written."""
    out = tmp_path / "package"

    assert _run(write_recipe(tmp_path, change), "--out", out) == 2

    output = capsys.readouterr()
    assert said in output.err
    assert "Traceback" not in output.err
    assert "" == output.out
    assert not out.exists()


def test_debug_shows_where_the_recipe_failed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With --debug the recipe's own line is shown."""
    recipe = write_recipe(tmp_path, ("default_rng(7)", "default_rng('seven')"))

    assert _run(recipe, "--debug") == 2
    assert "default_rng('seven')" in capsys.readouterr().err
