"""What would be refused at the end of a training is refused before its search."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stream.errors import PackageError, SettingsError
from stream.training.recipe import read_recipe
from stream.training.recipe_run import run_recipe
from stream.training.trained import Step
from stream.training.training_job import Job, run_job
from tests.unit.training.recipes import write_kind, write_recipe

CHEAT = ("    return make_pipeline(columns, LogisticRegression(random_state=0))", "    return Cheat()")

CHEATS = (
    'NAME = "toy"',
    '''
from sklearn.dummy import DummyClassifier


class Cheat(DummyClassifier):
    def __init__(self, random_state=0):
        super().__init__(strategy="constant", constant=True, random_state=random_state)


NAME = "toy"''',
)
"""A class of the recipe's own can't be pickled: it would be found when packing."""

WHOLE = '''
"""Counts of visits, to an estimator that tells whole numbers from others."""

import pandas as pd

from tests.unit.training.whole_numbers import WholeNumbers

NAME = "whole"
SCHEMA = "visits.avsc"
FEATURES = ["visits"]
TARGET = "spent"
SPLIT = "random"
FOLDS = 2


def load():
    return pd.DataFrame({"visits": range(60), "spent": [float(i % 7) for i in range(60)]})


def estimator():
    return WholeNumbers()
'''


def _whole(folder: Path) -> Path:
    """A recipe whose rows have whole numbers, and whose events have floats."""
    field = {"name": "visits", "type": "double"}
    (folder / "visits.avsc").write_text(json.dumps({"type": "record", "name": "V", "fields": [field]}))
    path = folder / "whole.py"
    path.write_text(WHOLE)
    return path


def _refused(path: Path, error: type[Exception], match: str) -> list[Step]:
    """Run a recipe that is refused; the steps that came before."""
    steps: list[Step] = []
    with pytest.raises(error, match=match):
        run_job(Job(read_recipe(path), path.parent / "out", card=False), tell=steps.append)
    assert not (path.parent / "out").exists()
    return steps


def test_estimator_that_cant_be_pickled_is_refused_before_the_search(tmp_path: Path) -> None:
    """No candidate is fitted for a model that could not be packed."""
    path = write_recipe(tmp_path, CHEATS, CHEAT, ('GRID = {"logisticregression__C": [0.001, 1.0]}', ""))
    steps = _refused(path, PackageError, "can't be pickled")

    assert not any(step.of for step in steps)


def test_estimator_whose_answers_would_differ_is_refused_before_the_search(tmp_path: Path) -> None:
    """The owner's own frame has whole numbers, a worker's has not; the message says when it was found."""
    path = _whole(tmp_path)
    steps = _refused(path, PackageError, r"tried on \d+ rows before the search: .* another answer .*'visits'")

    assert not any(step.of for step in steps)


def test_difference_that_is_allowed_is_trained_and_packed(tmp_path: Path) -> None:
    """The manifest says so."""
    path = _whole(tmp_path)
    done = run_job(Job(read_recipe(path), tmp_path / "out", card=False, allow_difference=True))

    assert done.packed is not None
    proof = done.packed.package.manifest.proof
    assert proof is not None
    assert proof.allowed
    assert 0 < proof.different <= proof.rows


@pytest.mark.parametrize("judge", ["auc", "rmse"])
def test_judge_of_another_kind_is_refused_before_the_search(tmp_path: Path, judge: str) -> None:
    """Three classes have neither an area under a curve nor an error in a unit."""
    path = write_kind(tmp_path, "several", ('GROUP = "shop"', f'GROUP = "shop"\nJUDGE = "{judge}"'))
    steps = _refused(path, SettingsError, f"JUDGE is '{judge}', which these answers don't have")

    assert not any(step.of for step in steps)


def test_rehearsal_changes_no_metric(tmp_path: Path) -> None:
    """It draws from generators of its own: the training is the same with it and without."""
    recipe = read_recipe(write_recipe(tmp_path))
    seen: list[str] = []
    rehearsed = run_recipe(recipe, rehearse=lambda _, schema, rows: seen.append(f"{len(rows)} {schema}"))

    assert 1 == len(seen)
    assert seen[0].startswith("200 ")
    assert run_recipe(recipe).metrics == rehearsed.metrics
