"""`stream train` on a recipe of a few lines."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from stream.cli import main
from stream.errors import PackageError
from stream.store import open_package, versions
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


@pytest.mark.slow
def test_train_again_adds_a_version(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The first version stays, the second is current, and their answers are the same."""
    recipe, out = write_recipe(tmp_path), tmp_path / "package"
    codes = [_run(recipe, "--out", out, "--no-card"), _run(recipe, "--out", out, "--no-card")]
    first, second = map(json.loads, capsys.readouterr().out.splitlines())

    assert ([0, 0], 2, first["metrics"]) == (codes, open_package(out).manifest.version, second["metrics"])


def test_what_a_recipe_prints_is_not_data(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """By Python, by a process of its own or past both: stdout stays one object, for whoever reads it."""
    recipe = write_recipe(tmp_path)
    prints = "import os\nprint('one')\nos.system('echo two')\nos.write(1, b'three\\n')\n"
    recipe.write_text(recipe.read_text().replace("import ", f"{prints}import ", 1))

    assert 0 == _run(recipe, "--out", tmp_path / "package", "--no-card")

    out, err = capfd.readouterr()
    assert "toy" == json.loads(out)["name"]
    assert {"one", "two", "three"} <= set(err.splitlines())


@pytest.mark.slow
def test_a_key_is_trained_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Started again, it finds its version, also behind a newer one; another key trains."""
    command = (
        write_recipe(tmp_path),
        "--out",
        tmp_path / "package",
        "--no-card",
        "--no-compare",
        "--run-key",
    )
    codes = [_run(*command, key) for key in ("monday", "tuesday", "monday")]
    first, second, again = map(json.loads, capsys.readouterr().out.splitlines())

    assert [0, 0, 0] == codes
    assert [(1, False), (2, False), (1, True)] == [
        (each["version"], each["found"]) for each in (first, second, again)
    ]
    assert {**first["metrics"], "run_key": "monday"} == again["metrics"]
    assert [] == list(tmp_path.glob(".key-*"))


@pytest.mark.slow
def test_a_version_that_never_became_current_is_trained_again(tmp_path: Path) -> None:
    """Killed between the version and `current`, the first attempt has put no model into use."""
    command = (
        write_recipe(tmp_path),
        "--out",
        tmp_path / "package",
        "--no-card",
        "--no-compare",
        "--run-key",
    )
    assert [0, 0] == [_run(*command, key) for key in ("monday", "tuesday")]
    (tmp_path / "package" / "current").write_text("1\n")

    assert (0, 3) == (_run(*command, "tuesday"), open_package(tmp_path / "package").manifest.version)


def test_an_empty_key_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A template that came out empty would make all trainings one."""
    assert 2 == _run(write_recipe(tmp_path), "--out", tmp_path / "package", "--run-key", "")
    assert "is empty" in capsys.readouterr().err


@pytest.mark.slow
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
        (
            ('NAME = "toy"', 'NAME = "toy'),
            "toy.py: the recipe raised SyntaxError: unterminated string literal",
        ),
        (("+ random.normal(0, 0.1, 400) > 0.5", "> 5"), "all 319 rows to learn from have y = False"),
        (("> 0.5, dtype", "> 0.5, copy=True, dtyp"), "toy.py: load() raised TypeError"),
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


@pytest.mark.slow
def test_worse_model_is_not_packed_where_that_is_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 1, the verdict on stderr and in the object, the card where it was wished, no second version."""
    recipe, out, card = write_recipe(tmp_path), tmp_path / "package", tmp_path / "cards" / "no.html"
    flat = ("--set", "logisticregression__C=0.0001")

    assert _run(recipe, "--out", out, "--no-card") == 0
    capsys.readouterr()
    assert _run(recipe, "--out", out, *flat, "--require", "not-worse", "--card", card) == 1

    output = capsys.readouterr()
    printed = json.loads(output.out)
    assert ("worse", None, None) == (
        printed["comparison"]["verdict"], printed["version"], printed["card"],
    )  # fmt: skip
    assert "Worse than toy@1: log_loss " in output.err
    assert "nothing was packed: --require not-worse does not hold" in output.err
    assert [1] == versions(out)
    assert "not packed" in card.read_text("utf-8")


@pytest.mark.slow
def test_card_is_a_file_of_the_version(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is where the object says, its hash is in the manifest, and a changed one refuses the version."""
    out = tmp_path / "package"
    assert _run(write_recipe(tmp_path), "--out", out) == 0
    card = Path(json.loads(capsys.readouterr().out)["card"])

    package = open_package(out)
    assert out / "versions" / "1" / "card.html" == card
    assert hashlib.sha256(card.read_bytes()).hexdigest() == package.manifest.files["card.html"].sha256
    assert () == package.notes
    card.write_bytes(card.read_bytes().replace(b"toy", b"boy"))
    with pytest.raises(PackageError, match=r"card\.html: its sha256 is"):
        open_package(out)


def test_package_in_use_that_cant_be_opened_is_said_before_the_training(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The step, the reason, and two ways on; with --no-compare it trains."""
    recipe, out = write_recipe(tmp_path), tmp_path / "package"
    assert _run(recipe, "--out", out, "--no-card") == 0
    (out / "versions" / "1" / "model.joblib").write_bytes(b"spoilt")
    capsys.readouterr()

    assert _run(recipe, "--out", out, "--no-card") == 2
    err = capsys.readouterr().err
    assert "the version to compare with: " in err
    assert "--no-compare" in err
    assert "candidate" not in err
    assert _run(recipe, "--out", out, "--no-card", "--no-compare") == 0


def test_seed_and_fixed_parameters_take_the_recipe_s_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The grid no longer tries what is fixed, and an unknown parameter is named."""
    recipe, out = write_recipe(tmp_path), tmp_path / "package"
    assert _run(recipe, "--out", out, "--no-card", "--seed", 5, "--set", "logisticregression__C=0.5") == 0
    printed = json.loads(capsys.readouterr().out)

    assert (1, 5, {"logisticregression__C": 0.5}) == (
        printed["metrics"]["search_candidates"], printed["metrics"]["seed"], printed["params"],
    )  # fmt: skip
    assert _run(recipe, "--out", out, "--no-card", "--set", "depth=3") == 2
    assert "the estimator has no parameter 'depth'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--require", "better", "--no-compare"), "needs a comparison"),
        (("--compare", "x", "--no-compare"), "contradict"),
        (("--card", "x", "--no-card"), "contradict"),
        (("--set", "alpha"), "expected NAME=VALUE"),
        (("--data", "x.csv"), "has no DATA"),
        (("--compare", "nowhere"), "nowhere"),
    ],
)
def test_options_that_contradict_each_other_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], said: str
) -> None:
    """Exit 2, before anything is trained."""
    assert _run(write_recipe(tmp_path), *options) == 2
    output = capsys.readouterr()
    assert said in output.err
    assert "candidate" not in output.err


def test_sagemaker_learns_why_it_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 2, and the reason in output/failure as it is on stderr; no package is left."""
    config, code = tmp_path / "input" / "config", tmp_path / "input" / "data" / "code"
    config.mkdir(parents=True)
    code.mkdir(parents=True)
    write_recipe(code, ("def load", "def lode"))
    (config / "hyperparameters.json").write_text('{"recipe": "code/toy.py"}')
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(tmp_path))

    assert _run() == 2

    failure = (tmp_path / "output" / "failure").read_text()
    assert "toy.py: the recipe has no load and no DATA" in failure
    assert failure in capsys.readouterr().err
    assert not (tmp_path / "model").exists()


@pytest.mark.parametrize(
    ("arguments", "config", "said"),
    [
        ((), False, "Missing argument 'RECIPE'"),
        (("--seed", "1"), False, "Missing argument 'RECIPE'"),
        (("--seed", "1"), True, "without RECIPE no options are taken: seed"),
    ],
)
def test_without_recipe_and_container_it_is_a_usage_error(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    config: bool,
    said: str,
) -> None:
    """Whoever forgot the recipe is told so; in a container no option is silently ignored."""
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(tmp_path))
    if config:
        (tmp_path / "input" / "config").mkdir(parents=True)

    assert _run(*arguments) == 2
    assert said in capsys.readouterr().err
