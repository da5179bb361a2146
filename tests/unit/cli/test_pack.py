"""`stream pack` on a model and a sample."""

from __future__ import annotations

import json
from pathlib import Path

import joblib
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from stream.cli import main
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
