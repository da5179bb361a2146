"""`stream pack` on a model and a sample."""

from __future__ import annotations

import json
import queue
from dataclasses import dataclass
from pathlib import Path

import click
import joblib
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import LogisticRegression

from stream.cli import main, terminal
from stream.manifest import Proof
from stream.store import open_package

FRAME = pd.DataFrame(
    {"age (years)": [20, 30, 40, 50], "churned": ["no", "no", "yes", "yes"], "id": [*"abcd"]}
)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """An estimator file."""
    estimator = LogisticRegression().fit(FRAME[["age (years)"]], FRAME["churned"])
    joblib.dump(estimator, tmp_path / "churn.joblib")
    FRAME.to_csv(tmp_path / "customers.csv", index=False)
    return tmp_path / "churn.joblib"


def _run(*arguments: object) -> int:
    with pytest.raises(SystemExit) as exit_:
        main(["pack", *map(str, arguments)])
    code = exit_.value.code
    assert isinstance(code, int)
    return code


def test_pack_prints_the_version_and_says_what_it_inferred(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The version's folder on stdout, everything else on stderr."""
    out = tmp_path / "churn"

    assert 0 == _run(
        model, "--name", "churn", "--sample", tmp_path / "customers.csv", "--carry", "id", "--out", out
    )

    printed = capsys.readouterr()
    assert f"{(out / 'versions' / '1').resolve()}\n" == printed.out
    assert "called age__years_ since Avro names hold" in printed.err
    assert "left out" in printed.err
    assert ["age__years_", "id"] == [f["name"] for f in json.loads(open_package(out).features)["fields"]]


@pytest.mark.parametrize("name", ["other.csv", "other.jsonl"])
def test_sample_without_any_column_of_the_model_proves_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """Also where the schema has a default for each: the proof would be about defaults alone."""
    frame = pd.DataFrame({"a": [1.0, None, 3.0], "b": [None, 1.0, 2.0]})
    joblib.dump(HistGradientBoostingRegressor().fit(frame, [1.0, 2.0, 3.0]), tmp_path / "m.joblib")
    fields = [{"name": name, "type": ["null", "double"], "default": None} for name in frame]
    (tmp_path / "own.avsc").write_text(json.dumps({"type": "record", "name": "r", "fields": fields}))
    texts = {"other.csv": "A,B\n1,2\n", "other.jsonl": '{"A": 1}\n{}\n'}
    (tmp_path / name).write_text(texts[name])

    code = _run(
        tmp_path / "m.joblib", "--name", "m", "--sample", tmp_path / name, "--schema", tmp_path / "own.avsc",
        "--out", tmp_path / "m",
    )  # fmt: skip

    assert 2 == code
    assert (
        f"{name}: in each of its rows: expected at least one of 'a', 'b', found none"
        in capsys.readouterr().err
    )
    assert not (tmp_path / "m").exists()


def test_pack_from_its_own_schema_prints_json(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A package's features.avsc is a schema like any other; the second version is 2."""
    out = tmp_path / "churn"
    _run(model, "--name", "churn", "--sample", tmp_path / "customers.csv", "--out", out)
    capsys.readouterr()

    features = out / "versions" / "1" / "features.avsc"
    assert 0 == _run(
        model, "--name", "churn", "--schema", features, "--out", out, "--probabilities", "--json"
    )

    printed = json.loads(capsys.readouterr().out)
    assert ("churn", 2, "classifier", ["age__years_"]) == (
        printed["name"], printed["version"], printed["task"], printed["features"]
    )  # fmt: skip
    assert open_package(out).manifest.probabilities


def test_pack_into_the_default_folder(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """models/NAME, from where the command runs."""
    monkeypatch.chdir(tmp_path)

    assert 0 == _run(model, "--name", "churn", "--sample", "customers.csv")
    assert 1 == open_package(tmp_path / "models" / "churn").manifest.version


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--name", "churn"], "--schema FILE.avsc or --sample FILE"),
        (["--sample", "customers.csv"], "--name"),
        (["--name", "churn", "--sample", "gone.csv"], "gone.csv"),
        (["--name", "a/b", "--sample", "customers.csv"], "--name 'a/b'"),
        (["--name", "churn", "--sample", "customers.csv", "--carry", "ident"], "--carry ident"),
        (["--name", "churn", "--sample", "churn.joblib"], ".parquet"),
        (["--name", "churn", "--schema", "customers.csv"], "JSON"),
        (["--name", "churn", "--schema", "churn.joblib"], "churn.joblib: not UTF-8 text"),
    ],
)
def test_bad_usage_exits_2_and_names_it(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    arguments: list[str], message: str,
) -> None:  # fmt: skip
    """Nothing on stdout, nothing written."""
    monkeypatch.chdir(tmp_path)

    assert 2 == _run(model, *arguments)

    printed = capsys.readouterr()
    assert "" == printed.out
    assert message in printed.err
    assert not (tmp_path / "models").exists()


@dataclass
class Typed:
    """Tells whole numbers from others."""

    feature_names_in_: tuple[str, ...] = ("age (years)",)

    def predict(self, x: pd.DataFrame) -> list[float]:
        """By the column's type."""
        return [float(x["age (years)"].dtype.kind == "i")] * len(x)


@pytest.fixture
def cheat(model: Path) -> Path:
    """An estimator that would answer otherwise on the topic, whose schema has floats, than in a notebook."""
    joblib.dump(Typed(), model)
    age = {"name": "age", "type": "double", "feature": "age (years)"}
    (model.parent / "event.avsc").write_text(json.dumps({"type": "record", "name": "E", "fields": [age]}))
    return model


def test_pack_refuses_other_answers_than_the_estimators_own(
    cheat: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 2, with the rows, the column and the way to pack it all the same; nothing is written."""
    sample = tmp_path / "customers.csv"
    schema = tmp_path / "event.avsc"
    asked = ("--name", "churn", "--sample", sample, "--schema", schema, "--out", tmp_path / "churn")

    assert 2 == _run(cheat, *asked)

    said = capsys.readouterr().err
    assert f"{sample}: on 4 of 4 rows" in said
    assert "suspected: 'age (years)' (int64 20 in pandas, float64 20.0 in the package)" in said
    assert "--allow-difference" in said
    assert not (tmp_path / "churn").exists()


def test_pack_with_a_difference_that_is_allowed(
    cheat: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The manifest keeps it, and it is said."""
    out = tmp_path / "churn"
    rows = ("--sample", tmp_path / "customers.csv", "--schema", tmp_path / "event.avsc", "--allow-difference")

    assert 0 == _run(cheat, "--name", "churn", *rows, "--out", out)

    assert Proof(4, 4, allowed=True) == open_package(out).manifest.proof
    assert "4 of 4 rows: published answers differ" in capsys.readouterr().err


def test_long_step_shows_that_it_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a terminal a step that takes its time is a line, once; steps that are over by then are none."""
    monkeypatch.setattr(terminal, "LINE_EVERY_S", 0.02)
    said: queue.SimpleQueue[tuple[str, bool]] = (
        queue.SimpleQueue()
    )  # capsys loses what is written while it reads
    monkeypatch.setattr(click, "echo", lambda text, _, *, err: said.put((text, err)))

    with terminal.steps_shown("packing") as tell:
        tell("reading")
        tell("loading")
        first = said.get(timeout=30)

    assert ("packing: loading", True) == first
    assert said.empty()


def test_quick_steps_say_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """What is over at once needs no sign of life."""
    with terminal.steps_shown("packing") as tell:
        tell("reading")

    assert "" == capsys.readouterr().err
