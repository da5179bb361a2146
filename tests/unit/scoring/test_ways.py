"""Ways to a model's answers: each is believed once it was seen to be right."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pytest

from stream.scoring import Model
from stream.scoring.answers import Answers
from stream.scoring.ways import Trial
from tests.unit.scoring.models import feature, manifest, raising_on

MANIFEST = manifest(feature("x"), inputs="matrix")


@dataclass
class Scripted:
    """A way that adds `error` to the model's own answers, for batches of `least` rows or more; None if `silent`."""

    name: str
    error: float = 0.0
    least: int = 1
    silent: bool = False
    light: bool = False
    quick_rows: int = 0
    asked: list[int] = field(default_factory=list)

    def applies(self, n: int) -> bool:
        """See `Way.applies`."""
        return n >= self.least

    def read(self, columns: Mapping[str, pa.Array]) -> Answers | None:
        """See `Way.read`."""
        self.asked.append(len(columns["x"]))
        return None if self.silent else {"value": columns["x"].to_numpy() + self.error}


def _model(*ways: Scripted, guilty: set[float] | None = None) -> Model:
    model = Model(raising_on(guilty or set()), MANIFEST)
    model.ways = tuple(Trial(way, MANIFEST) for way in ways)
    return model


def _score(model: Model, *values: float) -> list[float]:
    found: list[float] = model.score({"x": pa.array(values)}, len(values)).columns["value"].to_pylist()
    return found


def _passed(model: Model) -> list[tuple[str, bool]]:
    return [(trial.way.name, trial.passed) for trial in model.ways]


def test_way_that_differs_is_forgotten_and_the_others_are_believed() -> None:
    """Both are on trial with the first batch; the DataFrame's answers are given."""
    wrong, right = Scripted("wrong", error=0.5), Scripted("right")
    model = _model(wrong, right)

    assert [1.0, 2.0] == _score(model, 1.0, 2.0)
    assert [("right", True)] == _passed(model)
    assert [3.0] == _score(model, 3.0)
    assert ([2], [2, 1]) == (wrong.asked, right.asked)


def test_way_is_asked_only_for_batches_that_it_applies_to() -> None:
    """Small ones go to the next; its trial waits for a large one, and the next is not asked then."""
    large, any_size = Scripted("large", least=3), Scripted("any")
    model = _model(large, any_size)

    _score(model, 1.0)
    assert [("large", False), ("any", True)] == _passed(model)
    _score(model, 1.0, 2.0, 3.0)
    assert [("large", True), ("any", True)] == _passed(model)
    _score(model, 1.0, 2.0, 3.0, 4.0)
    _score(model, 5.0)

    assert ([3, 4], [1, 1]) == (large.asked, any_size.asked)


def test_way_without_an_answer_leaves_the_batch_to_the_next() -> None:
    """It stays on trial."""
    silent, other = Scripted("silent", silent=True), Scripted("other")
    model = _model(silent, other)

    assert [[1.0], [2.0]] == [_score(model, 1.0), _score(model, 2.0)]
    assert [("silent", False), ("other", True)] == _passed(model)


def test_batch_with_a_fault_ends_no_trial() -> None:
    """The rows that were answered are not those that the way answered."""
    way = Scripted("way")
    model = _model(way, guilty={2.0})

    assert [1.0] == _score(model, 1.0, 2.0)
    assert [("way", False)] == _passed(model)
    assert [np.pi] == _score(model, np.pi)
    assert [("way", True)] == _passed(model)


@pytest.mark.parametrize(("silent", "rows", "asked"), [(False, 2, 1), (False, 3, 0), (True, 2, 1)])
def test_quick_answers_are_those_of_a_way_that_takes_no_time(silent: bool, rows: int, asked: int) -> None:
    """For as many rows as it answers so; where it is not certain, there is none: the estimator is not asked."""
    quick = Scripted("quick", silent=silent, light=True, quick_rows=2)
    model = Model(raising_on({1.0}), MANIFEST)
    model.ways = (Trial(quick, MANIFEST, passed=True),)
    columns = {"x": pa.array([1.0] * rows)}

    found = model.score_quickly(columns, rows) if model.is_quick(rows) else None

    assert asked == len(quick.asked)
    assert (None if silent or rows > 2 else [1.0] * rows) == (
        None if found is None else found.columns["value"].to_pylist()
    )
