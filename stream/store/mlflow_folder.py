"""
A model folder of MLflow → an estimator's bytes, and what the folder says of it.

`MLmodel` is read as data: no module that it names is imported but the library of its flavour, and its list of
trusted types is not believed. See <https://mlflow.org/docs/latest/ml/model/> for the format.
"""

from __future__ import annotations

import json
import stat
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from stream.errors import PackageError
from stream.files import Sample, sample_of
from stream.scoring import Raised, attempt
from stream.store.artefact import dump_estimator
from stream.store.folder import MAX_VERSION_BYTES
from stream.store.libraries import distributions_of
from stream.store.pack_request import Brought

__all__ = ["MLMODEL", "read_mlflow_folder"]

MLMODEL = "MLmodel"

_MAX_HEAD_BYTES = 1_000_000

_MAX_EXAMPLE_BYTES = 64 * 1024**2
"""MLflow's examples are a few rows; as Python's objects they take ten times as much."""


def read_mlflow_folder(folder: Path) -> Brought:
    """
    Read a model folder as `mlflow.*.save_model` writes it.

    Args:
        folder: with a file `MLmodel`.
    Returns: the model of its scikit-learn, LightGBM, XGBoost, CatBoost or statsmodels flavour; columns by its
        signature, and its input example as a sample, where these have names.
    Raises: PackageError (step `load`) if it has none of these, or a file of it is missing or not in the folder.
    """
    head = _head(folder)
    flavors = head.get("flavors")
    flavors = flavors if isinstance(flavors, dict) else {}
    for name, read in _FLAVORS.items():
        about = flavors.get(name)
        if isinstance(about, dict):
            inputs = _inputs(head)
            return replace(
                read(folder, about),
                fitted=_fitted(name, about),
                columns=tuple(inputs),
                sample=_example(folder, head, inputs),
            )
    raise PackageError(
        f"{folder}: its flavours are {', '.join(map(str, flavors)) or 'none'}; one of {', '.join(_FLAVORS)} is needed",
        step="load",
        hint="load it with mlflow.pyfunc.load_model, write a class in a module of yours whose `predict(x)` asks it, "
        "and joblib.dump an instance",
    )


def _head(folder: Path) -> dict[str, Any]:
    content = _read(folder, MLMODEL, _MAX_HEAD_BYTES)
    try:
        head = yaml.safe_load(content)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise _refusal(folder, f"{MLMODEL} is not YAML: {error}") from error
    if not isinstance(head, dict):
        raise _refusal(folder, f"{MLMODEL} is not a mapping")
    return head


def _refusal(folder: Path, message: str) -> PackageError:
    return PackageError(f"{folder}: {message}", step="load", hint="save the model again with MLflow")


def _read(folder: Path, name: object, limit: int = MAX_VERSION_BYTES) -> bytes:
    """A regular file of the folder: names that lead out of it, and links, are refused."""
    if (
        not isinstance(name, str)
        or not name
        or PurePosixPath(name).is_absolute()
        or ".." in PurePosixPath(name).parts
    ):
        raise _refusal(folder, f"{MLMODEL} names {name!r}, which is not a file of the folder")
    path = folder / name
    if path.resolve() != folder.resolve() / name:
        raise _refusal(folder, f"{name} is a link")
    try:
        state = path.stat()
        if not stat.S_ISREG(state.st_mode):
            raise _refusal(folder, f"{name} is not a regular file")
        if state.st_size > limit:
            raise _refusal(folder, f"{name} is larger than {limit} bytes")
        return path.read_bytes()
    except OSError as error:
        raise _refusal(folder, f"{name} can't be read: {error.strerror}") from error


def _sklearn(folder: Path, about: Mapping[str, Any]) -> Brought:
    return _pickled(folder, about.get("pickled_model"))


def _pickled(folder: Path, name: Any) -> Brought:
    file = "model.skops" if str(name).endswith(".skops") else "model.joblib"
    return Brought(_read(folder, name), file, f"{folder}/{name}")


def _lightgbm(folder: Path, about: Mapping[str, Any]) -> Brought:
    name = about.get("data")
    found = _pickled(folder, name)
    if not found.content.startswith(b"tree\n"):
        return found
    import lightgbm

    return _rebuilt(folder, lambda: lightgbm.Booster(model_str=found.content.decode()))


def _xgboost(folder: Path, about: Mapping[str, Any]) -> Brought:
    import xgboost

    classes = ("Booster", "XGBClassifier", "XGBRegressor", "XGBRanker", "XGBRFClassifier", "XGBRFRegressor")
    kind = _class(folder, about.get("model_class"), xgboost, classes)
    content = bytearray(_read(folder, about.get("data")))

    def load() -> object:
        model = kind()
        model.load_model(content)
        return model

    return _rebuilt(folder, load)


def _catboost(folder: Path, about: Mapping[str, Any]) -> Brought:
    import catboost

    classes = ("CatBoost", "CatBoostClassifier", "CatBoostRegressor", "CatBoostRanker")
    kind = _class(folder, about.get("model_type"), catboost, classes)
    content = _read(folder, about.get("data"))
    return _rebuilt(folder, lambda: kind().load_model(blob=content))


def _statsmodels(folder: Path, about: Mapping[str, Any]) -> Brought:
    return _pickled(folder, about.get("data"))


def _class(folder: Path, name: Any, module: Any, known: tuple[str, ...]) -> Any:
    """One of the library's own classes; what else the file names is never looked up."""
    short = str(name).rpartition(".")[2]
    if short not in known:
        raise _refusal(folder, f"{MLMODEL} names the class {name!r}; expected one of {', '.join(known)}")
    return getattr(module, short)


def _rebuilt(folder: Path, load: Callable[[], object]) -> Brought:
    loaded = attempt(load)
    if isinstance(loaded, Raised):
        raise _refusal(folder, f"loading it raised {loaded.exception}: {loaded.message}")
    return Brought(dump_estimator(loaded), "model.joblib", str(folder))


_FLAVORS = {
    "sklearn": _sklearn,
    "lightgbm": _lightgbm,
    "xgboost": _xgboost,
    "catboost": _catboost,
    "statsmodels": _statsmodels,
}
"""How the estimator of each flavour is had."""

_VERSIONS = {
    "sklearn": "sklearn_version",
    "lightgbm": "lgb_version",
    "xgboost": "xgb_version",
    "catboost": "catboost_version",
    "statsmodels": "statsmodels_version",
}
"""The key of the version that fitted, by flavour; flavours are called as the library's module."""


def _fitted(flavor: str, about: Mapping[str, Any]) -> dict[str, str]:
    version = about.get(_VERSIONS[flavor])
    owners = distributions_of([flavor])[flavor]
    return {owners[0] if owners else flavor: version} if isinstance(version, str) else {}


def _inputs(head: Mapping[str, Any]) -> dict[str, str]:
    """The signature's inputs, name → type; none unless all have names."""
    signature = head.get("signature")
    text = signature.get("inputs") if isinstance(signature, dict) else None
    try:
        inputs = json.loads(text) if isinstance(text, str) else []
    except ValueError:
        return {}
    named = [each for each in inputs if isinstance(each, dict) and isinstance(each.get("name"), str)]
    return {each["name"]: str(each.get("type")) for each in named} if len(named) == len(inputs) else {}


def _example(folder: Path, head: Mapping[str, Any], inputs: Mapping[str, str]) -> Sample | None:
    """The input example as a sample; what the signature calls double is double, though JSON writes 1 for 1.0."""
    about = head.get("saved_input_example_info")
    if (
        not isinstance(about, dict)
        or about.get("type") != "dataframe"
        or about.get("pandas_orient") != "split"
    ):
        return None
    import pandas as pd

    content = _read(folder, about.get("artifact_path"), _MAX_EXAMPLE_BYTES)
    loaded = attempt(partial(_frame, content))
    if not isinstance(loaded, pd.DataFrame):
        raise _refusal(folder, f"{about.get('artifact_path')} is not a table of rows")
    doubles = [name for name in loaded.columns if inputs.get(name) in ("double", "float")]
    return sample_of(loaded.astype(dict.fromkeys(doubles, "float64")))


def _frame(content: bytes) -> object:
    import pandas as pd

    table = json.loads(content)
    return pd.DataFrame(table["data"], columns=table["columns"])
