"""An estimator's bytes."""

from __future__ import annotations

import io

import joblib
from sklearn.linear_model import LogisticRegression

from stream.store.artefact import dump_estimator


def _fitted(penalty_name: str) -> LogisticRegression:
    estimator = LogisticRegression().fit([[0.0], [1.0]], [0, 1])
    estimator.note_ = [penalty_name, "lbfgs-and-others"]
    return estimator


def test_which_equal_texts_are_one_object_changes_no_byte() -> None:
    """Another process, or a model that was opened before, may have interned a text or not."""
    once = "lbfgs-and-others"
    again = "".join(["lbfgs", "-and-others"])
    assert once == again
    assert once is not again

    one, other = dump_estimator(_fitted(once)), dump_estimator(_fitted(again))

    assert one == other
    assert ["lbfgs-and-others"] * 2 == joblib.load(io.BytesIO(one)).note_
