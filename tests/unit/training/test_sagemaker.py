"""SageMaker's folders."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stream.errors import SettingsError
from stream.training.sagemaker import BASE_VARIABLE, container, read_order, tell_failure


def _base(folder: Path, **hyperparameters: str) -> Path:
    config = folder / "input" / "config"
    config.mkdir(parents=True)
    (config / "hyperparameters.json").write_text(json.dumps(hyperparameters))
    return folder


def test_container_is_known_by_its_config(tmp_path: Path) -> None:
    """Anywhere else, `stream train` wants a recipe."""
    assert container({BASE_VARIABLE: str(tmp_path)}) is None
    assert tmp_path == container({BASE_VARIABLE: str(_base(tmp_path))})


def test_hyperparameters_are_ours_theirs_and_the_estimators(tmp_path: Path) -> None:
    """All come as texts; SageMaker's own are left alone."""
    base = _base(
        tmp_path, recipe="code/train.py", seed="7", card="false", sagemaker_program='"x.py"',
        _tuning_objective_metric="auc", max_depth="3", criterion="gini", learning_rate='"0.1"',
    )  # fmt: skip
    code = base / "input" / "data" / "code"
    code.mkdir(parents=True)
    (code / "train.py").touch()
    order = read_order(base)

    assert (code / "train.py", base / "model", None, 7, False) == (
        order.recipe, order.out, order.data, order.seed, order.card,
    )  # fmt: skip
    assert {"max_depth": 3, "criterion": "gini", "learning_rate": "0.1"} == order.fixed


def test_recipe_of_the_image_is_taken_as_it_is(tmp_path: Path) -> None:
    """A path that is in no channel is one of the image."""
    assert Path("/app/train.py") == read_order(_base(tmp_path, recipe="/app/train.py")).recipe


@pytest.mark.parametrize(
    ("files", "expected"), [(["rows.csv", ".hidden"], "rows.csv"), (["a.csv", "b.csv"], "")]
)
def test_channel_is_its_one_file_or_the_folder(tmp_path: Path, files: list[str], expected: str) -> None:
    """Hidden files are SageMaker's own affair."""
    channel = _base(tmp_path, recipe="r.py") / "input" / "data" / "training"
    channel.mkdir(parents=True)
    for name in files:
        (channel / name).touch()

    assert channel / expected == read_order(tmp_path).data


@pytest.mark.parametrize(
    ("hyperparameters", "said"),
    [
        ({}, "there is no recipe"),
        ({"recipe": "r.py", "seed": "many"}, "seed: expected a whole number, found 'many'"),
        ({"recipe": "r.py", "card": "perhaps"}, "card: expected true or false"),
        ({"recipe": "r.py", "channel": "rows"}, "there is no channel .*rows; found: none"),
    ],
)
def test_order_that_cant_be_followed_is_refused(
    tmp_path: Path, hyperparameters: dict[str, str], said: str
) -> None:
    """The message names the hyperparameter."""
    with pytest.raises(SettingsError, match=said):
        read_order(_base(tmp_path, **hyperparameters))


@pytest.mark.parametrize("content", ["[]", "{"])
def test_file_that_is_not_hyperparameters_is_refused(tmp_path: Path, content: str) -> None:
    """The file is named."""
    (_base(tmp_path) / "input" / "config" / "hyperparameters.json").write_text(content)

    with pytest.raises(SettingsError, match=r"hyperparameters\.json"):
        read_order(tmp_path)


def test_failure_is_left_where_sagemaker_looks(tmp_path: Path) -> None:
    """In output/failure, as long as SageMaker shows."""
    tell_failure(tmp_path, "x" * 5_000)

    assert "x" * 1_024 == (tmp_path / "output" / "failure").read_text()
