"""Models that are no estimator's file: each refused with a step that works."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import lightgbm
import numpy as np
import pandas as pd
import pytest
import xgboost
from catboost import CatBoostClassifier, CatBoostRegressor
from sklearn.cluster import DBSCAN
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import LabelEncoder, StandardScaler

from stream.errors import PackageError
from stream.store import PackRequest, pack_estimator_file
from stream.store.artefact import load_estimator
from stream.store.model_file import read_model

X = pd.DataFrame({"b": np.linspace(0, 1, 40), "a": np.linspace(1, -1, 40) ** 2})
Y = (X["a"] > 0.3).astype(int)


def xgboost_json(path: Path) -> Any:
    """A classifier by its own `save_model`."""
    model = xgboost.XGBClassifier(n_estimators=2, n_jobs=1).fit(X, Y)
    model.save_model(path)
    return model


def xgboost_regressor(path: Path) -> Any:
    """A regressor."""
    model = xgboost.XGBRegressor(n_estimators=2, n_jobs=1).fit(X, X["a"])
    model.save_model(path)
    return model


def lightgbm_text(path: Path) -> Any:
    """A booster by its own `save_model`."""
    model = lightgbm.LGBMClassifier(n_estimators=2, min_child_samples=2, verbose=-1, n_jobs=1).fit(X, Y)
    model.booster_.save_model(path)
    return model.booster_


def catboost_binary(path: Path) -> Any:
    """A classifier by its own `save_model`."""
    model = CatBoostClassifier(iterations=2, verbose=0, allow_writing_files=False, thread_count=1).fit(X, Y)
    model.save_model(str(path))
    return model


def catboost_json(path: Path) -> Any:
    """A regressor as JSON; what `CatBoost` itself predicts is the regression's value."""
    model = CatBoostRegressor(iterations=2, verbose=0, allow_writing_files=False, thread_count=1).fit(
        X, X["a"]
    )
    model.save_model(str(path), format="json")
    return model


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("m.json", xgboost_json),
        ("m.ubj", xgboost_json),
        ("m.json", xgboost_regressor),
        ("m.txt", lightgbm_text),
        ("m.cbm", catboost_binary),
        ("c.json", catboost_json),
    ],
)
def test_a_librarys_own_format_is_refused_with_a_step_that_works(
    name: str, write: Callable[[Path], Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line of code in the hint leaves a file that loads, and answers as the model that was saved."""
    monkeypatch.chdir(tmp_path)
    own = write(Path(name))

    with pytest.raises(PackageError) as caught:
        read_model(Path(name))

    code = caught.value.hint.split('"')[1]
    exec(code, {})
    target = Path(name).with_suffix(".joblib")
    assert f"stream pack {target}" in caught.value.hint
    found: Any = load_estimator(target.read_bytes(), str(target))
    np.testing.assert_allclose(found.predict(X), own.predict(X), rtol=1e-6)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("m.onnx", b"\x08\x07\x12\x04skl2", "an ONNX graph"),
        ("m.pmml", b'<?xml version="1.0"?><PMML/>', "a PMML document"),
        ("m.keras", b"PK\x03\x04", "a Keras or HDF5 file"),
        ("weights", b"\x89HDF\r\n\x1a\n", "a Keras or HDF5 file"),
        ("m.pt", b"PK\x03\x04", "a PyTorch file"),
        ("m.safetensors", b"\x40\0\0\0\0\0\0\0{}", "a file of weights"),
        ("m.rds", b"\x1f\x8b", "R's own file"),
        ("train.py", b"import sklearn", "a program"),
        ("train.ipynb", b'{"cells": []}', "a program"),
        ("rows.csv", b"a,b\n1,2\n", "a file of rows"),
        ("rows.bin", b"PAR1", "a file of rows"),
        ("m.json", b'{"weights": [1]}', "JSON"),
        ("m.zip", b"PK\x03\x04", "a zip archive"),
    ],
)
def test_what_is_no_estimators_file_is_called_by_its_name(
    name: str, content: bytes, says: str, tmp_path: Path
) -> None:
    """By its ending or its first bytes; nothing is unpickled."""
    (tmp_path / name).write_bytes(content)
    with pytest.raises(PackageError) as caught:
        read_model(tmp_path / name)
    assert f"{tmp_path / name}: is {says}" in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize(
    ("held", "says", "step"),
    [
        (
            {"scaler": StandardScaler(), "model": LogisticRegression()},
            "a dict with the keys 'scaler', 'model'",
            "make_pipeline(held['scaler'], held['model'])",
        ),
        ([1, LogisticRegression()], "a list of int, LogisticRegression", "[1]"),
        (LogisticRegression, "the class LogisticRegression itself", "fit an instance"),
        (StandardScaler(), "a StandardScaler", "make a pipeline"),
        (DBSCAN(), "a DBSCAN", "predict new rows"),
        (np.arange(3), "a ndarray", "save a fitted estimator"),
        (None, "a NoneType", "save a fitted estimator"),
        (X, "a DataFrame", "save a fitted estimator"),
    ],
)
def test_a_pickle_of_something_else_says_what_it_holds(
    held: object, says: str, step: str, tmp_path: Path
) -> None:
    """And what to dump instead."""
    joblib.dump(held, tmp_path / "m.joblib")
    with pytest.raises(PackageError) as caught:
        pack_estimator_file(tmp_path / "m.joblib", PackRequest("m", tmp_path / "out"), schema="{}")
    assert f"holds {says}" in caught.value.message
    assert step in caught.value.hint


def test_the_step_for_a_dict_makes_a_file_that_loads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The code of the hint, as it is."""
    monkeypatch.chdir(tmp_path)
    joblib.dump({"features": ["a"], "clf": LogisticRegression().fit(X, Y)}, "m.joblib")
    with pytest.raises(PackageError) as caught:
        load_estimator(Path("m.joblib").read_bytes(), "m.joblib")
    exec(caught.value.hint, {"joblib": joblib})
    assert isinstance(load_estimator(Path("model.joblib").read_bytes(), "model.joblib"), LogisticRegression)


@pytest.mark.parametrize("kind", [dict, list, tuple])
def test_the_step_for_a_model_and_its_scaler_keeps_both(
    kind: type, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The model alone would answer for rows that nobody scaled; an encoder of labels prepares no rows."""
    monkeypatch.chdir(tmp_path)
    scaler = StandardScaler().fit(X)
    parts = [scaler, LabelEncoder().fit(Y), LogisticRegression().fit(scaler.transform(X), Y)]
    joblib.dump(dict(enumerate(parts)) if kind is dict else kind(parts), "m.joblib")
    with pytest.raises(PackageError) as caught:
        load_estimator(Path("m.joblib").read_bytes(), "m.joblib")
    exec(caught.value.hint.split(": ", 1)[1], {"joblib": joblib})
    model: Any = load_estimator(Path("model.joblib").read_bytes(), "model.joblib")
    assert [StandardScaler, LogisticRegression] == [type(step) for _, step in model.steps]


def test_a_text_is_called_no_pickle(tmp_path: Path) -> None:
    """Whatever exception the unpickler chose."""
    with pytest.raises(PackageError) as caught:
        load_estimator(b"hello", "m.joblib")
    assert "not a joblib or pickle file" in str(caught.value.hint)


@pytest.mark.parametrize("name", ["m.joblib", "m.pkl", "model", "m.txt"])
def test_a_pickle_is_a_pickle_whatever_it_is_called(name: str, tmp_path: Path) -> None:
    """Also compressed."""
    for compress in (0, 3, ("gzip", 3), ("lzma", 3)):
        joblib.dump(LogisticRegression(), tmp_path / name, compress=compress)
        assert "model.joblib" == read_model(tmp_path / name).file


def test_a_folder_that_is_a_package_is_called_so(tmp_path: Path) -> None:
    """It is what packing makes."""
    (tmp_path / "versions").mkdir()
    with pytest.raises(PackageError, match="is a model package already"):
        read_model(tmp_path)


def test_a_folder_of_something_else_names_what_is_missing(tmp_path: Path) -> None:
    """MLflow's head."""
    (tmp_path / "notes.json").write_text(json.dumps({}))
    with pytest.raises(PackageError, match="without MLmodel"):
        read_model(tmp_path)
