"""`explain_contract()`: what a model takes and answers, as text and as HTML."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import IsolationForest
from sklearn.linear_model import LinearRegression, LogisticRegression, RidgeClassifier

import stream
from tests.unit.rest.models import pack_people


def packed(estimator: Any, folder: Path, y: Any = None, **options: Any) -> stream.Model:
    """A model of two numbers."""
    x = pd.DataFrame({"a": np.arange(30.0) % 7, "b": np.arange(30.0) % 5})
    return stream.pack(estimator.fit(x, y), name="m", sample=x, out=folder, **options)


def test_every_column_and_answer_is_listed(tmp_path: Path) -> None:
    """By the names that callers use, with what may be null or left out."""
    model = stream.load(pack_people(tmp_path / "people"))
    lines = [" ".join(line.split()) for line in str(model.explain_contract()).splitlines()]

    assert "people@1: classifier, packed" in lines[0]
    for line in (
        "body mass (kg) double required; in Avro: body_mass__kg_",
        "age long required",
        "city string or null may be left out",
        "id string carried: may be left out",
        "label string one of 'old', 'young'",
        "score double the probability of 'young', whatever the label",
        "error string null, or why the row has no prediction: all else is null then",
    ):
        assert line in lines


THREE = np.arange(30) % 3


@pytest.mark.parametrize(
    ("estimator", "y", "options", "said"),
    [
        (LogisticRegression(), THREE, {}, "the label's probability"),
        (LogisticRegression(), THREE, {"probabilities": True}, "in the order of the classes: 0, 1, 2"),
        (RidgeClassifier(), THREE, {}, "`decision_function`: the label's; not a probability"),
        (RidgeClassifier(), THREE > 0, {}, "`decision_function`: above 0 is True; not a probability"),
        (IsolationForest(n_estimators=5), None, {}, "`decision_function`: below 0 is an outlier"),
        (IsolationForest(n_estimators=5), None, {}, "1 = as expected, -1 = an outlier"),
        (LinearRegression(), THREE, {}, "the predicted number"),
        (LinearRegression(), np.stack([THREE, THREE]).T, {}, "in the order of the outputs"),
    ],
)
def test_score_says_what_it_means(
    estimator: Any, y: Any, options: dict[str, Any], said: str, tmp_path: Path
) -> None:
    """Where people look for it."""
    assert said in str(packed(estimator, tmp_path / "m", y, **options).explain_contract())


def test_names_are_escaped_in_a_notebook(tmp_path: Path) -> None:
    """A column's name is text, never markup; a control character in it is shown, here as in the plain text."""
    name = "<b>x</b>\x1b\n"
    frame = pd.DataFrame({name: [1.0, 2.0, 4.0]})
    schema = {
        "type": "record", "name": "E", "fields": [{"name": "x", "type": "double", "feature": name}]
    }  # fmt: skip
    model = stream.pack(
        LinearRegression().fit(frame, [0, 1, 2]), name="m", schema=json.dumps(schema), out=tmp_path
    )
    contract = model.explain_contract()

    assert "<b>x" not in contract.html
    assert "&lt;b&gt;x&lt;/b&gt;\\x1b\\n<" in contract.html
    assert "  <b>x</b>\\x1b\\n  double  " in str(contract)
