"""What a training tells its listener."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from stream.errors import Refused
from stream.store import Packed
from stream.training import run_job
from stream.training.card import Card
from stream.training.listener import Listener
from stream.training.recipe import Recipe, read_recipe
from stream.training.search import Candidate, Trial
from stream.training.trained import Metrics, Trained
from stream.training.training_job import Job
from stream.training.version_comparison import Compared
from tests.unit.training.recipes import write_recipe

pytestmark = pytest.mark.slow  # each trains


class _Notes(Listener):
    """Notes each event, and the facts that the manifest is to have."""

    facts = {"mlflow_run_id": "abc"}  # noqa: RUF012  # a property of the base class

    def __init__(self) -> None:
        self.seen: list[object] = []

    def split(self, recipe: Recipe, training: pd.DataFrame, facts: Metrics) -> None:
        self.seen.append(("split", len(training), facts["rows_held_out"]))

    def trying(self, trial: Trial) -> None:
        self.seen.append(("trying", trial.number, trial.of))

    def tried(self, candidate: Candidate) -> None:
        self.seen.append(("tried", candidate.number, len(candidate.scores)))

    def trained(self, trained: Trained) -> None:
        self.seen.append("trained")

    def compared(self, compared: Compared) -> None:
        self.seen.append(compared.verdict)

    def drawn(self, card: Card) -> None:
        self.seen.append([plot.title for plot in card.plots])

    def packed(self, packed: Packed, card: bytes | None) -> None:
        self.seen.append((packed.package.manifest.model, card is not None))

    def turned_down(self, requirement: str, card: bytes | None) -> None:
        self.seen.append((requirement, card is not None))


def test_every_event_is_told_in_order(tmp_path: Path) -> None:
    """Split, each candidate before and after, the result, the card, the package; its facts are in the manifest."""
    notes = _Notes()

    done = run_job(Job(read_recipe(write_recipe(tmp_path)), tmp_path / "out"), listener=notes)

    assert [
        ("split", 319, 79),
        ("trying", 1, 2), ("tried", 1, 3), ("trying", 2, 2), ("tried", 2, 3),
        "trained",
        ["ROC", "Calibration", "Scores", "Confusion", "What it relies on"],
        ("toy@1", True),
    ] == notes.seen  # fmt: skip
    assert done.packed is not None
    assert "abc" == done.packed.package.manifest.metrics["mlflow_run_id"]


def test_model_that_is_turned_down_is_told_as_such(tmp_path: Path) -> None:
    """The comparison, and no package."""
    recipe, out = read_recipe(write_recipe(tmp_path)), tmp_path / "out"
    run_job(Job(recipe, out, card=False))
    notes = _Notes()

    run_job(Job(recipe, out, require="better", card=False), listener=notes)

    assert ["trained", "no clear difference", ("better", False)] == notes.seen[-3:]


def test_candidate_that_fails_was_being_tried(tmp_path: Path) -> None:
    """Whoever keeps a record knows which one it was."""
    change = (
        'GRID = {"logisticregression__C": [0.001, 1.0]}',
        'GRID = {"logisticregression__C": [1.0, -1.0]}',
    )
    notes = _Notes()

    with pytest.raises(Refused):
        run_job(Job(read_recipe(write_recipe(tmp_path, change)), tmp_path / "out"), listener=notes)

    assert [("tried", 1, 3), ("trying", 2, 2)] == notes.seen[-2:]
