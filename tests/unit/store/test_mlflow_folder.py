"""Model folders as MLflow 3.17 writes them."""

from __future__ import annotations

import json
import os
import pickle
from pathlib import Path
from typing import Any

import joblib
import lightgbm
import numpy as np
import pandas as pd
import pytest
import skops.io
import xgboost
import yaml
from catboost import CatBoostClassifier
from sklearn.linear_model import LogisticRegression

from stream.errors import PackageError
from stream.files import sample_of
from stream.store import PackRequest, pack_estimator_file
from stream.store.artefact import load_estimator
from stream.store.model_file import read_model

X = pd.DataFrame({"b": np.linspace(0, 1, 40), "a": np.linspace(1, -1, 40) ** 2})
Y = (X["a"] > 0.3).astype(int)
SIGNATURE = [
    {"type": "double", "name": "b", "required": True},
    {"type": "double", "name": "a", "required": True},
]


def write_folder(
    folder: Path, flavors: dict[str, Any], files: dict[str, bytes], *, example: bool = True, **keys: Any
) -> Path:
    """A folder with its head: flavours, a signature and, if so, an input example."""
    folder.mkdir(exist_ok=True)
    head: dict[str, Any] = {
        "flavors": {
            **flavors,
            "python_function": {"loader_module": "mlflow.any", "python_version": "3.11.7"},
        },
        "mlflow_version": "3.17.2",
        "signature": {"inputs": json.dumps(SIGNATURE), "outputs": None, "params": None},
        **keys,
    }
    if example:
        head["saved_input_example_info"] = {
            "artifact_path": "input_example.json", "pandas_orient": "split", "type": "dataframe",
        }  # fmt: skip
        rows = {"columns": ["b", "a"], "data": [[0, 1], [1, 2.5]]}
        (folder / "input_example.json").write_text(json.dumps(rows))
    (folder / "MLmodel").write_text(yaml.safe_dump(head))
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def logistic() -> LogisticRegression:
    """Fitted with names."""
    return LogisticRegression().fit(X, Y)


def sklearn_folder(folder: Path, name: str = "model.pkl", **keys: Any) -> Path:
    """A pickled scikit-learn model."""
    about = {
        "pickled_model": name,
        "serialization_format": "cloudpickle",
        "sklearn_version": "1.8.0",
        "code": None,
    }
    return write_folder(folder, {"sklearn": about}, {"model.pkl": pickle.dumps(logistic())}, **keys)


def xgboost_folder(folder: Path, kind: str = "xgboost.sklearn.XGBClassifier") -> Path:
    """A classifier in the library's own format."""
    model = xgboost.XGBClassifier(n_estimators=2, n_jobs=1).fit(X, Y)
    content = bytes(model.get_booster().save_raw("ubj"))
    about = {"data": "model.ubj", "model_class": kind, "xgb_version": "3.2.0"}
    return write_folder(folder, {"xgboost": about}, {"model.ubj": content})


def lightgbm_folder(folder: Path) -> Path:
    """A booster as text."""
    model = lightgbm.LGBMClassifier(n_estimators=2, min_child_samples=2, verbose=-1, n_jobs=1).fit(X, Y)
    about = {"data": "model.lgb", "model_class": "lightgbm.basic.Booster", "lgb_version": "4.7.0"}
    return write_folder(folder, {"lightgbm": about}, {"model.lgb": model.booster_.model_to_string().encode()})


def catboost_folder(folder: Path) -> Path:
    """A classifier in the library's own format."""
    model = CatBoostClassifier(iterations=2, verbose=0, allow_writing_files=False, thread_count=1).fit(X, Y)
    model.save_model(str(folder.parent / "model.cb"))
    about = {"data": "model.cb", "model_type": "CatBoostClassifier", "catboost_version": "1.2.10"}
    content = (folder.parent / "model.cb").read_bytes()
    return write_folder(folder, {"catboost": about}, {"model.cb": content})


@pytest.mark.parametrize("write", [sklearn_folder, xgboost_folder, lightgbm_folder, catboost_folder])
def test_a_folder_of_each_flavour_holds_an_estimator(write: Any, tmp_path: Path) -> None:
    """With the columns of its signature, and its input example."""
    found = read_model(write(tmp_path / "m"))
    estimator = load_estimator(found.content, found.origin)
    assert len(X) == len(estimator.predict(X))  # type: ignore[arg-type]
    assert ("b", "a") == found.columns
    assert found.sample is not None


@pytest.mark.parametrize(
    "objective", ["binary:logistic", "reg:squarederror", "multi:softmax", "rank:pairwise"]
)
def test_a_booster_of_xgboost_says_its_own_numbers(objective: str, tmp_path: Path) -> None:
    """As LightGBM's: of all its trees, also where its training found that fewer were better."""
    rows = xgboost.DMatrix(X, Y)
    chosen = {"objective": objective, "nthread": 1, **({"num_class": 3} if "multi" in objective else {})}
    booster = xgboost.train(chosen, rows, 3)
    booster.set_attr(best_iteration="0", best_score="0.5")
    about = {"data": "model.ubj", "model_class": "xgboost.core.Booster", "xgb_version": "3.2.0"}
    folder = write_folder(tmp_path / "m", {"xgboost": about}, {"model.ubj": bytes(booster.save_raw("ubj"))})
    packed = pack_estimator_file(folder, PackRequest("boosted", tmp_path / "package"))

    estimator: Any = packed.package.model.estimator
    assert ("regressor", ["b", "a"]) == (
        packed.package.manifest.task, [feature.path for feature in packed.package.manifest.features],
    )  # fmt: skip
    assert booster.predict(rows).tolist() == estimator.predict(X).tolist()


def test_the_version_that_fitted_is_kept(tmp_path: Path) -> None:
    """As the flavour says."""
    assert {"scikit-learn": "1.8.0"} == read_model(sklearn_folder(tmp_path / "m")).fitted


def test_a_skops_file_stays_one(tmp_path: Path) -> None:
    """It is opened without pickle, as any."""
    about = {"pickled_model": "model.skops", "serialization_format": "skops"}
    folder = write_folder(tmp_path / "m", {"sklearn": about}, {"model.skops": skops.io.dumps(logistic())})
    found = read_model(folder)
    assert "model.skops" == found.file
    assert isinstance(load_estimator(found.content, found.origin), LogisticRegression)


@pytest.mark.parametrize("name", ["../model.pkl", "/etc/passwd", "sub/../../model.pkl", "", None, 7])
def test_a_path_that_leads_out_of_the_folder_is_refused(name: Any, tmp_path: Path) -> None:
    """Whatever is there."""
    joblib.dump(logistic(), tmp_path / "model.pkl")
    with pytest.raises(PackageError, match="not a file of the folder"):
        read_model(sklearn_folder(tmp_path / "m", name))


def test_a_link_is_refused(tmp_path: Path) -> None:
    """It may lead anywhere."""
    joblib.dump(logistic(), tmp_path / "model.pkl")
    folder = sklearn_folder(tmp_path / "m")
    (folder / "model.pkl").unlink()
    (folder / "model.pkl").symlink_to(tmp_path / "model.pkl")
    with pytest.raises(PackageError, match="is a link"):
        read_model(folder)


def test_a_pipe_is_refused_without_waiting(tmp_path: Path) -> None:
    """Nobody writes into it."""
    joblib.dump(logistic(), tmp_path / "model.pkl")
    folder = sklearn_folder(tmp_path / "m")
    (folder / "model.pkl").unlink()
    os.mkfifo(folder / "model.pkl")
    with pytest.raises(PackageError, match="not a regular file"):
        read_model(folder)


def test_a_class_that_is_not_the_librarys_own_is_never_looked_up(tmp_path: Path) -> None:
    """The head is data."""
    with pytest.raises(PackageError, match="names the class 'os.system'"):
        read_model(xgboost_folder(tmp_path / "m", "os.system"))


def test_a_model_of_another_flavour_is_refused_with_its_names(tmp_path: Path) -> None:
    """And with the way to bring it all the same."""
    with pytest.raises(PackageError, match="its flavours are python_function, pytorch") as caught:
        read_model(write_folder(tmp_path / "m", {"pytorch": {}}, {}))
    assert "mlflow.pyfunc.load_model" in caught.value.hint


@pytest.mark.parametrize("head", [b"\xff\xfe", b"- a\n- b", b"a: [", b"", b"!!python/object:os.system {}"])
def test_a_head_that_is_not_one_is_refused(head: bytes, tmp_path: Path) -> None:
    """Not read as code either."""
    (tmp_path / "MLmodel").write_bytes(head)
    with pytest.raises(PackageError):
        read_model(tmp_path)


def test_the_examples_whole_numbers_are_doubles_where_the_signature_says_so(tmp_path: Path) -> None:
    """JSON writes 1 for 1.0."""
    example = read_model(sklearn_folder(tmp_path / "m")).sample
    assert example is not None
    assert example.columns is not None
    assert ["double", "double"] == [str(kind) for kind in example.columns.types]


def array_folder(folder: Path) -> Path:
    """A model that was fitted on an array, so that only the signature has its columns."""
    model = LogisticRegression().fit(X.to_numpy(), Y)
    about = {"pickled_model": "model.pkl", "sklearn_version": "1.8.0"}
    return write_folder(folder, {"sklearn": about}, {"model.pkl": pickle.dumps(model)}, example=False)


def test_the_signatures_columns_count_where_the_model_has_no_names(tmp_path: Path) -> None:
    """In their order, whatever the sample's is; the sample's other numbers are not taken for columns."""
    sample = sample_of(X[["a", "b"]].assign(extra=1.0))
    packed = pack_estimator_file(
        array_folder(tmp_path / "m"), PackRequest("m", tmp_path / "out"), sample=sample
    )
    assert ["b", "a"] == [feature.name for feature in packed.package.manifest.features]
    expected = "columns of the model (the signature of the model's folder): 1 b, 2 a"
    assert expected in packed.messages


def test_columns_come_before_the_signatures(tmp_path: Path) -> None:
    """Whoever packs may know better."""
    request = PackRequest("m", tmp_path / "out", columns=("a", "b"))
    packed = pack_estimator_file(array_folder(tmp_path / "m"), request, sample=sample_of(X))
    assert ["a", "b"] == [feature.name for feature in packed.package.manifest.features]


def test_a_field_that_only_the_signature_names_is_missed_in_its_name(tmp_path: Path) -> None:
    """Not in that of an option that nobody gave."""
    with pytest.raises(
        PackageError, match="lacks 1 of the 2 columns of the signature of the model's folder: 'b'"
    ):
        pack_estimator_file(
            array_folder(tmp_path / "m"), PackRequest("m", tmp_path / "out"), sample=sample_of(X[["a"]])
        )
