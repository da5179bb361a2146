"""
A model folder of MLflow → an estimator's bytes, and what the folder says of it.

`MLmodel` is read as data: no module that it names is imported but the library of its flavour, and its list of
trusted types is not believed. See <https://mlflow.org/docs/latest/ml/model/> for the format.
"""

from __future__ import annotations

import stat
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from stream.errors import PackageError
from stream.files import Sample
from stream.scoring import Raised, attempt
from stream.store.artefact import dump_estimator
from stream.store.bounded_yaml import NotYaml, read_yaml
from stream.store.folder import MAX_VERSION_BYTES, MLMODEL
from stream.store.libraries import distributions_of
from stream.store.mlflow_example import example_rows
from stream.store.mlflow_signature import VECTOR, Signature, Unreadable, event_schema, read_signature
from stream.store.pack_request import Brought

__all__ = ["read_mlflow_folder", "read_mlflow_head"]

_MAX_HEAD_BYTES = 1_000_000

_MAX_EXAMPLE_BYTES = 64 * 1024**2
"""MLflow's examples are a few rows; as Python's objects they take ten times as much."""


def read_mlflow_folder(folder: Path, *, trusted: bool = True) -> Brought:
    """
    Read a model folder as `mlflow.*.save_model` writes it.

    Args:
        folder: with a file `MLmodel`.
        trusted: whether whoever wrote it is trusted like the owner of a pickle; else what would run code of it is
            refused: bare pickles, and models whose answers are made by modules of its own.
    Returns: the model of its scikit-learn, LightGBM, XGBoost, CatBoost or statsmodels flavour; columns and events by
        its signature, and its input example as a sample.
    Raises: PackageError (step `load`) if it has none of these, or a file of it is missing or not in the folder.
    """
    head = read_mlflow_head(folder)
    flavors = head.get("flavors")
    flavors = flavors if isinstance(flavors, dict) else {}
    for name, read in _FLAVORS.items():
        about = flavors.get(name)
        if isinstance(about, dict):
            notes = _own_code(folder, flavors, trusted)
            found = read(folder, about)
            if found.pickled and not trusted:
                file = found.origin.rpartition("/")[2]
                raise _strangers(folder, f"{file} is a bare pickle, which runs code when it is opened")
            notes += _asked(flavors)
            return _contract(folder, head, replace(found, fitted=_fitted(name, about), notes=tuple(notes)))
    raise PackageError(
        f"{folder}: its flavours are {', '.join(map(str, flavors)) or 'none'}; one of {', '.join(_FLAVORS)} is needed",
        step="load",
        hint="load it with mlflow.pyfunc.load_model, write a class in a module of yours whose `predict(x)` asks it, "
        "and joblib.dump an instance",
    )


def _own_code(folder: Path, flavors: Mapping[str, Any], trusted: bool) -> list[str]:
    """What the folder would have MLflow import of its own; none of it is imported here."""
    pyfunc = flavors.get("python_function")
    pyfunc = pyfunc if isinstance(pyfunc, dict) else {}
    loader = pyfunc.get("loader_module")
    if loader is not None and not str(loader).startswith("mlflow."):
        if not trusted:
            raise _strangers(
                folder, f"its answers are made by a module of its own (loader_module {loader!r})"
            )
        return [
            f"{MLMODEL} has a loader_module of its own, {loader!r}: it was not asked, only the estimator itself"
        ]
    codes = [about.get("code") for about in flavors.values() if isinstance(about, dict) and about.get("code")]
    if codes and not trusted:
        raise _strangers(folder, f"it brings modules of its own (code {codes[0]!r})")
    return (
        [f"{MLMODEL} brings modules of its own ({codes[0]!r}), which are not imported from there"]
        if codes
        else []
    )


def _asked(flavors: Mapping[str, Any]) -> list[str]:
    """Where MLflow's own answer is another method's."""
    pyfunc = flavors.get("python_function")
    method = pyfunc.get("predict_fn", "predict") if isinstance(pyfunc, dict) else "predict"
    return (
        []
        if method == "predict"
        else [f"MLflow asks this model for {method!r}; a package publishes label and score"]
    )


def _strangers(folder: Path, what: str) -> PackageError:
    return PackageError(
        f"{folder}: {what}",
        step="load",
        hint='log it with skops (mlflow.sklearn.log_model(…, serialization_format="skops")) or in its library\'s own '
        "format; if you trust whoever may write to that registry, [mlflow] trusted = true",
    )


def _contract(folder: Path, head: Mapping[str, Any], found: Brought) -> Brought:
    """What events look like, by the signature and the input example; each of the two may be missing."""
    notes = list(found.notes)
    signature, schema = None, None
    try:
        signature = read_signature(head)
        schema = None if signature is None else event_schema(signature, folder.name)
    except Unreadable as trouble:
        notes.append(f"the signature says nothing of events: {trouble}")
    sample = None
    about = head.get("saved_input_example_info")
    if isinstance(about, dict):
        place = str(about.get("artifact_path"))
        content = _read(folder, about.get("artifact_path"), _MAX_EXAMPLE_BYTES)
        try:
            sample = example_rows(content, about, signature, place)
        except Unreadable as trouble:
            notes.append(f"the input example {place} is left out: {trouble}")
    notes += _disagreements(signature, sample)
    unnamed = signature is not None and signature.columns is None
    return replace(
        found,
        columns=tuple(signature.columns or ()) if signature is not None else (),
        vector=VECTOR if unnamed or (signature is None and _is_vector(sample)) else None,
        schema=schema,
        sample=sample,
        notes=tuple(notes),
    )


def _is_vector(sample: Sample | None) -> bool:
    return sample is not None and sample.columns is not None and sample.columns.names == [VECTOR]


def _disagreements(signature: Signature | None, sample: Sample | None) -> list[str]:
    """What the two say differently, a sentence each."""
    if signature is None:
        return []
    found = []
    if signature.params:
        found.append(
            f"the signature has params, {', '.join(signature.params)}: events have none, and the model is asked without"
        )
    if sample is None or sample.columns is None:
        return found
    wanted = [VECTOR] if signature.columns is None else list(signature.columns)
    if more := [name for name in sample.columns.names if name not in wanted]:
        found.append(
            f"the input example has columns that the signature lacks: {', '.join(map(repr, more[:5]))}"
        )
    if less := [name for name in wanted if name not in sample.columns.names]:
        found.append(
            f"the signature has inputs that the input example lacks: {', '.join(map(repr, less[:5]))}"
        )
    return found


def read_mlflow_head(folder: Path) -> dict[str, Any]:
    """`MLmodel` of a folder, as data. Raises: PackageError (step `load`) if it can't be read."""
    content = _read(folder, MLMODEL, _MAX_HEAD_BYTES)
    try:
        head = read_yaml(content)
    except NotYaml as error:
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
    return Brought(_read(folder, name), file, f"{folder}/{name}", pickled=file == "model.joblib")


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
        if kind is not xgboost.Booster:
            model = kind()
            model.load_model(content)
            return model
        # A Booster takes no table; this class does, and says the same numbers: where it knows of the best iteration,
        # it would stop there, and a Booster does not.
        booster = xgboost.Booster(model_file=content)
        booster.set_attr(best_iteration=None, best_score=None)
        model = xgboost.XGBRegressor()
        model.load_model(booster.save_raw())
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
