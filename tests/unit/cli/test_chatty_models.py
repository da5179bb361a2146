"""A model that prints wherever it is asked: stdout stays the command's data."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from stream.cli.main import main

_CLASS = """
import os
from sklearn.linear_model import LogisticRegression

def chat():
    print("one")
    os.write(1, b"two\\n")
    os.system("echo three")

class Chatty(LogisticRegression):
    def __setstate__(self, state):
        chat()
        super().__setstate__(state)

    def predict(self, X):
        chat()
        return super().predict(X)
"""

_SAID = {"one", "two", "three"}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with such an estimator, rows for it, and its package."""
    folder = tmp_path_factory.mktemp("chatty")
    (folder / "chatty_estimator.py").write_text(_CLASS)
    sys.path.insert(0, str(folder))
    from chatty_estimator import Chatty  # type: ignore[import-not-found]

    rows = pd.DataFrame({"a": np.arange(20.0), "b": np.arange(20.0) % 3})
    model: LogisticRegression = Chatty().fit(rows, rows["a"] > 9)
    joblib.dump(model, folder / "model.joblib")
    rows.to_csv(folder / "rows.csv", index=False)
    _run(
        *_PACK,
        str(folder / "model.joblib"),
        "--sample",
        str(folder / "rows.csv"),
        "--out",
        str(folder / "package"),
    )
    yield folder
    sys.path.remove(str(folder))
    del sys.modules["chatty_estimator"]


_PACK = ("pack", "--name", "chatty", "--json")


def _run(*arguments: str) -> object:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    return ended.value.code


@pytest.mark.parametrize(
    "arguments",
    [
        (*_PACK, "model.joblib", "--sample", "rows.csv", "--out", "again"),
        pytest.param(("check", "package", "--json"), marks=pytest.mark.slow),  # these start a process
        pytest.param(("models", "verify", "package", "--json"), marks=pytest.mark.slow),
        pytest.param(("models", "rollback", "package", "--to", "1", "--json"), marks=pytest.mark.slow),
        ("export", "package", "--to", "asyncapi", "--out", "files", "--json"),
        ("sql", "SELECT predict_label(f) AS label FROM 'rows.csv' f LIMIT 1", "--model", "package", "--json"),
        ("batch", "rows.csv", "--model", "package", "--output", "scored", "--processes", "1", "--json"),
    ],
    ids=lambda arguments: arguments[0],
)
def test_what_a_model_prints_is_not_data(
    place: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
) -> None:
    """By Python, past it or by a process of its own: stdout stays one JSON value, for whoever reads it."""
    monkeypatch.chdir(place)

    assert _run(*arguments) in (0, 1)

    out, err = capfd.readouterr()
    assert json.loads(out) is not None
    assert set(err.splitlines()) >= _SAID
