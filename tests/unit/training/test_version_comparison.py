"""A new model beside the version in use."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import LinearRegression

from stream.errors import SettingsError
from stream.store import Package, PackRequest, pack
from stream.training.model_metrics import Answers, Sheet, answers_of
from stream.training.trained import Trained
from stream.training.version_comparison import compare


def _package(trained: Trained, folder: Path, estimator: object = None) -> Package:
    wish = PackRequest(trained.recipe.name, folder / "p", metrics=trained.metrics)
    used = trained.estimator if estimator is None else estimator
    return pack(used, wish, schema=trained.schema, sample=trained.sample).package


def _worse(trained: Trained) -> object:
    """The same estimator, fitted to the classes turned round."""
    rows, truth = trained.training[list(trained.recipe.features)], trained.training["y"].to_numpy()
    return clone(trained.estimator).fit(rows, ~truth)


def test_same_model_makes_no_difference(toy: Trained, tmp_path: Path) -> None:
    """Scored through its package's contract, a model is as good as it is: not a bit of difference."""
    compared = compare(toy, _package(toy, tmp_path))

    assert ("no clear difference", "toy@1", 79, 0, "") == (
        compared.verdict, compared.model, compared.rows, compared.unscored, compared.caveat,
    )  # fmt: skip
    assert {0.0} == {round(one.difference, 12) for one in compared.metrics.values()}


def test_better_and_worse_are_told(toy: Trained, tmp_path: Path) -> None:
    """A model that learned the opposite is worse, and the other way round; the interval says so."""
    turned = _worse(toy)
    new = compare(toy, _package(toy, tmp_path / "one", turned))
    rows = toy.held_out[list(toy.recipe.features)]
    bad = replace(toy, estimator=turned, sheet=Sheet(answers_of(turned, rows), toy.sheet.truth))
    old = compare(bad, _package(toy, tmp_path / "two"))

    assert ("better", "worse") == (new.verdict, old.verdict)
    judged = new.metrics["log_loss"]
    assert judged.interval is not None
    assert judged.interval[0] < judged.difference < judged.interval[1] < 0
    assert new.sentence.startswith("Better than toy@1: log_loss ")


def test_several_classes_are_compared_by_probabilities(several: Trained, tmp_path: Path) -> None:
    """The package publishes one score; the comparison has every class's probability all the same."""
    compared = compare(several, _package(several, tmp_path))

    assert {"accuracy", "f1_macro", "log_loss"} == set(compared.metrics)
    assert compared.metrics["log_loss"].used == pytest.approx(several.figures["log_loss"], rel=1e-9)


def test_numbers_are_compared(numbers: Trained, tmp_path: Path) -> None:
    """A straight line beside a forest: the difference is that of the two's own figures."""
    rows = numbers.training[list(numbers.recipe.features)]
    line = LinearRegression().fit(rows, numbers.training[numbers.recipe.target])
    compared = compare(numbers, _package(numbers, tmp_path, line))
    said = line.predict(numbers.held_out[list(numbers.recipe.features)])
    expected = Sheet(Answers("regressor", said), numbers.sheet.truth).figures()["rmse"]

    assert expected == pytest.approx(compared.metrics["rmse"].used)


def test_rows_that_the_old_version_cant_score_are_counted_and_left_out(toy: Trained, tmp_path: Path) -> None:
    """A null where the old contract allows none: compared on the others, for both."""
    package = _package(toy, tmp_path)
    held_out = toy.held_out.copy()
    held_out.loc[[0, 5], "x"] = np.nan
    compared = compare(replace(toy, held_out=held_out), package)

    assert (77, 2) == (compared.rows, compared.unscored)


def test_rows_that_none_can_be_scored_of_are_refused(toy: Trained, tmp_path: Path) -> None:
    """A column that the old version needs is gone: said, with the way out."""
    package = _package(toy, tmp_path)

    with pytest.raises(
        SettingsError, match=r"toy@1 can't score any of the held-out rows: .*colour"
    ) as caught:
        compare(replace(toy, held_out=toy.held_out.drop(columns="colour")), package)

    assert "--no-compare" in caught.value.hint


def test_other_questions_cant_be_compared(toy: Trained, several: Trained, tmp_path: Path) -> None:
    """Two classes beside three."""
    with pytest.raises(SettingsError, match="several@1 can't be compared with the new model"):
        compare(toy, _package(several, tmp_path))


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"trained_until": "2024-02-01T00:00:00+00:00"}, "its figures may flatter it"),
        ({"trained_until": "2024-01-01 00:00"}, ""),
        ({"trained_until": "long ago"}, "not known which rows"),
    ],
    ids=["overlap", "earlier", "unclear"],
)
def test_version_that_may_have_seen_the_rows_is_said_to(
    toy: Trained, tmp_path: Path, facts: dict[str, str], said: str
) -> None:
    """What it learned from reaches into the held-out rows, or nobody knows."""
    package = _package(toy, tmp_path)
    metrics = {**package.manifest.metrics, **facts}
    if said.startswith("not known"):
        metrics.pop("rows_sha256")
    caveat = compare(toy, replace(package, manifest=replace(package.manifest, metrics=metrics))).caveat

    assert said in caveat
    assert bool(said) == bool(caveat)


def test_random_split_of_other_rows_may_overlap(several: Trained, tmp_path: Path) -> None:
    """Other rows were drawn from: some of those held out now may have been learned from then."""
    package = _package(several, tmp_path)
    metrics = {**package.manifest.metrics, "rows_sha256": "0" * 64}

    assert "" == compare(several, package).caveat
    other = replace(package, manifest=replace(package.manifest, metrics=metrics))
    assert "it is not known which rows" in compare(several, other).caveat
