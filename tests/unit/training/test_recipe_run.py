"""A recipe's whole run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from stream.errors import Refused, SettingsError
from stream.training.recipe import Recipe, read_recipe
from stream.training.recipe_run import run_recipe
from stream.training.search import search
from stream.training.split import folds_of
from stream.training.trained import Step
from tests.unit.training.recipes import write_recipe


@pytest.fixture
def recipe(tmp_path: Path) -> Recipe:
    """The toy recipe."""
    return read_recipe(write_recipe(tmp_path))


def test_run_gives_a_fitted_estimator_with_metrics(recipe: Recipe) -> None:
    """The toy is learnable, and its metrics say what they rest on."""
    trained = run_recipe(recipe)

    assert float(trained.metrics["auc"]) > 0.95
    assert (319, 79, 2) == tuple(
        trained.metrics[name] for name in ("rows_trained", "rows_held_out", "search_candidates")
    )
    assert str(trained.metrics["trained_until"]) < str(trained.metrics["held_out_from"])


def test_labels_are_numpys_booleans(recipe: Recipe) -> None:
    """A nullable boolean target is learned as a boolean, not as objects."""
    assert [False, True] == run_recipe(recipe).estimator.classes_.tolist()
    assert np.dtype(bool) == run_recipe(recipe).estimator.classes_.dtype


def test_same_recipe_gives_the_same_answers(recipe: Recipe) -> None:
    """Two runs: equal metrics, equal parameters, equal probabilities to the last bit."""
    one, two = run_recipe(recipe), run_recipe(recipe)

    assert (one.metrics, one.params) == (two.metrics, two.params)
    rows = one.sample[list(recipe.features)]
    np.testing.assert_array_equal(one.estimator.predict_proba(rows), two.estimator.predict_proba(rows))


def test_the_better_candidate_is_kept(recipe: Recipe) -> None:
    """A regularisation that flattens every probability loses on log loss."""
    assert {"logisticregression__C": 1.0} == run_recipe(recipe).params


def test_held_out_rows_change_nothing_but_the_metrics(recipe: Recipe, tmp_path: Path) -> None:
    """With other outcomes in the held-out part the very same estimator is chosen and fitted."""
    spoilt = read_recipe(
        write_recipe(tmp_path, ("    return pd.DataFrame", "    y[320:] = ~y[320:]\n    return pd.DataFrame"))
    )
    one, two = run_recipe(recipe), run_recipe(spoilt)

    assert (one.params, one.metrics["search_score"]) == (two.params, two.metrics["search_score"])
    rows = one.sample[list(recipe.features)]
    np.testing.assert_array_equal(one.estimator.predict_proba(rows), two.estimator.predict_proba(rows))
    assert one.metrics["auc"] != two.metrics["auc"]


def test_sample_is_of_held_out_rows_with_every_field(recipe: Recipe) -> None:
    """The package's sample has the schema's fields, and none of it was trained on."""
    trained = run_recipe(recipe)

    assert {"id", "at", "x", "colour"} <= set(trained.sample)
    assert str(trained.metrics["trained_until"]) < trained.sample["at"].min().isoformat()


def test_each_candidate_is_told(recipe: Recipe) -> None:
    """Progress counts up to the number of candidates."""
    steps: list[Step] = []
    run_recipe(recipe, steps.append)

    assert [(0, 0), (0, 0), (1, 2), (2, 2), (0, 0)] == [(step.done, step.of) for step in steps]


def test_recipe_without_a_grid_has_one_candidate(tmp_path: Path) -> None:
    """The estimator as it comes is tried like any other."""
    recipe = read_recipe(write_recipe(tmp_path, ('GRID = {"logisticregression__C": [0.001, 1.0]}', "")))

    assert (1, {}) == (run_recipe(recipe).metrics["search_candidates"], run_recipe(recipe).params)


def test_folds_are_tested_on_later_rows_only(recipe: Recipe) -> None:
    """Every fold's fit ends before its test begins, whatever the outcome of the later rows."""
    rows = pd.DataFrame({"x": np.arange(40.0), "colour": pd.Series(["red"] * 40, dtype=object)})
    truth = np.arange(40) % 2 == 0
    folds = folds_of(recipe.split, pd.DataFrame({"at": np.arange(40)}), truth, classes=True)
    first = search(recipe, recipe.estimator(), rows, truth, folds)
    truth[30:] = ~truth[30:]
    # TimeSeriesSplit(3) of 40 rows tests on 10-19, 20-29, 30-39: only the last third of the score may move.
    second = search(recipe, recipe.estimator(), rows, truth, folds)

    assert len(first) == len(second)
    assert first[0].score != second[0].score


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (('"colour": colour', '"color": colour'), "no column 'colour'; it gives id, at, x, color, y"),
        (('{"id": [', '{"ids": ['), "no column 'id'"),
        (('FEATURES = ["x", "colour"]', 'FEATURES = ["x", "y"]'), "target 'y' is among FEATURES"),
        (('"y": y})', '"y": y}).head(0)'), "gives no rows"),
        (("return pd.DataFrame(", "return dict("), r"load\(\) returned a dict"),
        (("+ random.normal(0, 0.1, 400) > 0.5", "> 5"), "all 319 rows to learn from have y = False"),
        (("logisticregression__C", "regression__C"), "Invalid parameter"),
        (("FOLDS = 3", "FOLDS = 3\nSCORING = 'goodness'"), "goodness"),
        (("[0.001, 1.0]", "[0.001, -1.0]"), "failed on neg_log_loss"),
        (
            ("    return make_pipeline(columns, LogisticRegression(random_state=0))", "    return one_hot"),
            "OneHotEncoder is neither",
        ),
    ],
    ids=[
        "feature",
        "carried",
        "leak",
        "empty",
        "no-frame",
        "one-class",
        "grid",
        "scoring",
        "value",
        "transformer",
    ],
)
def test_recipe_that_cant_be_run_says_why(tmp_path: Path, change: tuple[str, str], said: str) -> None:
    """The message names the recipe and what is wrong in it."""
    path = write_recipe(tmp_path, change)

    with pytest.raises((Refused, SettingsError), match=said) as caught:
        run_recipe(read_recipe(path))

    assert str(path) in caught.value.message


@pytest.mark.parametrize(
    "source", ['DATA = "rows.csv"', "def load():\n    return pd.read_csv(PATH, sep=';')"]
)
@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("1,5", "'1,5', a number with a decimal comma"),
        ("17 %", "'17 %', a percentage"),
        ("31.12.2024", "a date as"),
    ],
)
def test_estimator_that_fails_on_texts_names_the_column_and_what_they_seem_to_be(
    tmp_path: Path, source: str, cell: str, said: str
) -> None:
    """As `stream pack` does; the estimator's own words come first."""
    (tmp_path / "rows.csv").write_text("x;y\n" + f"{cell};yes\n{cell};no\n" * 20)
    (tmp_path / "recipe.py").write_text(
        "import pandas as pd\nfrom sklearn.linear_model import LogisticRegression\n"
        f"PATH = {str(tmp_path / 'rows.csv')!r}\n{source}\n"
        'NAME, FEATURES, TARGET, SPLIT = "m", ["x"], "y", "random"\n'
        "def estimator():\n    return LogisticRegression()\n"
    )

    with pytest.raises(
        Refused, match=f"could not convert string .*; column 'x': row 1 has .*{said}"
    ) as caught:
        run_recipe(read_recipe(tmp_path / "recipe.py"))

    assert "decimal=','" in caught.value.hint


def test_regression_is_measured_in_its_unit(tmp_path: Path) -> None:
    """A recipe may predict numbers."""
    recipe = read_recipe(
        write_recipe(
            tmp_path,
            ('y = pd.array(x + random.normal(0, 0.1, 400) > 0.5, dtype="boolean")', "y = pd.array(3 * x)"),
            ("LogisticRegression(random_state=0)", "Ridge(alpha=1e-6)"),
            ("import LogisticRegression", "import Ridge"),
            ('GRID = {"logisticregression__C": [0.001, 1.0]}', ""),
        )
    )

    assert float(run_recipe(recipe).metrics["rmse"]) < 1e-3
