"""Files that hold a model, but not one that can be opened here: what they are, and the step that gets one of ours."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from stream.errors import PackageError

__all__ = ["contents_of", "refuse_foreign", "step_for"]


@dataclass(frozen=True, slots=True)
class _Foreign:
    """
    A kind of file.

    Attributes:
        what: it is, for people.
        endings: of such files' names, in lower case.
        starts: what its first bytes may be.
        step: what to do with the file of this path and content.
    """

    what: str
    endings: tuple[str, ...]
    starts: tuple[bytes, ...]
    step: Callable[[Path, bytes], str]

    def is_it(self, path: Path, content: bytes) -> bool:
        """By its first bytes, or by its ending where it is no pickle."""
        head = content[:64].lstrip()
        if any(head.startswith(start) for start in self.starts):
            return True
        return path.suffix.lower() in self.endings and not head.startswith((b"\x80", b"\x78"))


def _dumped(code: str, path: Path) -> str:
    target = path.with_suffix(".joblib").name
    return (
        f'python -c "import joblib; {code}; joblib.dump(model, {target!r})" with {path.name!r} beside you, '
        f"then stream pack {target}"
    )


def _xgboost(path: Path, content: bytes) -> str:
    objective = re.search(rb"(binary|multi|rank|reg|count|survival):", content)
    kind = {b"binary": "XGBClassifier", b"multi": "XGBClassifier", b"rank": "XGBRanker"}.get(
        objective.group(1) if objective else b"", "XGBRegressor"
    )
    return _dumped(f"import xgboost; model = xgboost.{kind}(); model.load_model({path.name!r})", path)


def _lightgbm(path: Path, content: bytes) -> str:
    return _dumped(f"import lightgbm; model = lightgbm.Booster(model_file={path.name!r})", path)


def _catboost(path: Path, content: bytes) -> str:
    labels = any(loss in content for loss in (b"Logloss", b"MultiClass", b"CrossEntropy"))
    kind = "CatBoostClassifier" if labels else "CatBoostRegressor"
    return _dumped(f"import catboost; model = catboost.{kind}().load_model({path.name!r})", path)


def _original(path: Path, content: bytes) -> str:
    return "pack the estimator that it was exported from: joblib.dump(estimator, 'model.joblib')"


def _wrapped(path: Path, content: bytes) -> str:
    return (
        "write a class in a module of yours whose `predict(x)` asks it, and joblib.dump an instance: any object "
        "with `predict` can be packed"
    )


def _code(path: Path, content: bytes) -> str:
    return "run it, and let it end with joblib.dump(estimator, 'model.joblib'); or `stream train` a recipe"


def _sample(path: Path, content: bytes) -> str:
    return f"MODEL is the estimator's file, rows are given as --sample {path.name}"


_KINDS = (
    _Foreign("an ONNX graph", (".onnx",), (), _original),
    _Foreign("a PMML document", (".pmml",), (b"<?xml", b"<PMML"), _original),
    _Foreign("an XGBoost model in its own format", (".ubj", ".xgb", ".bst"), (), _xgboost),
    _Foreign("a LightGBM model as text", (".lgb",), (b"tree\nversion",), _lightgbm),
    _Foreign("a CatBoost model in its own format", (".cbm", ".cb"), (b"CBM1",), _catboost),
    _Foreign("a Keras or HDF5 file", (".keras", ".h5", ".hdf5"), (b"\x89HDF",), _wrapped),
    _Foreign("a PyTorch file", (".pt", ".pth", ".ckpt"), (), _wrapped),
    _Foreign("a file of weights", (".safetensors", ".gguf", ".tflite", ".pb"), (b"GGUF",), _wrapped),
    _Foreign("R's own file", (".rds", ".rdata", ".rda"), (), _wrapped),
    _Foreign("a program", (".py", ".ipynb", ".r"), (), _code),
    _Foreign("a file of rows", (".csv", ".parquet", ".jsonl", ".avro", ".feather"), (b"PAR1", b"Obj\x01"), _sample),
)  # fmt: skip


def refuse_foreign(path: Path, content: bytes) -> None:
    """
    Refuse what is known not to be an estimator's file.

    Args:
        path: of the file.
        content: all of it.
    Raises: PackageError (step `load`) that says what it is and what to do with it.
    """
    head = content[:64].lstrip()
    if head.startswith(b"{") and path.suffix.lower() != ".ipynb":
        _refuse_json(path, content)
    for kind in _KINDS:
        if kind.is_it(path, content):
            raise PackageError(
                f"{path}: is {kind.what}, not an estimator's file", step="load", hint=kind.step(path, content)
            )
    if content.startswith(b"PK\x03\x04") and path.suffix.lower() != ".skops":
        raise PackageError(
            f"{path}: is a zip archive",
            step="load",
            hint="name it .skops if skops wrote it; unpack it if a model folder of MLflow is in it",
        )


def _refuse_json(path: Path, content: bytes) -> None:
    if b'"learner"' in content[:400] or b"learner" in content[:20]:
        raise PackageError(
            f"{path}: is an XGBoost model in its own format, not an estimator's file",
            step="load",
            hint=_xgboost(path, content),
        )
    if b'"oblivious_trees"' in content:
        raise PackageError(
            f"{path}: is a CatBoost model as JSON, not an estimator's file",
            step="load",
            hint=_dumped(
                f"import catboost; model = catboost.CatBoost().load_model({path.name!r}, format='json')", path
            ),
        )
    raise PackageError(
        f"{path}: is JSON, not an estimator's file",
        step="load",
        hint="give what joblib.dump(estimator, 'model.joblib') wrote",
    )


def contents_of(held: object) -> str:
    """
    What was found in place of an estimator, for people.

    Args:
        held: by the file.
    Returns: a phrase: its type, and for a collection which of its parts have `predict`.
    """
    if isinstance(held, dict):
        return f"a dict with the keys {', '.join(map(repr, list(held)[:10]))}"
    if isinstance(held, type):
        return f"the class {held.__name__} itself, not an instance"
    if isinstance(held, (list, tuple)):
        return f"a {type(held).__name__} of {', '.join(type(item).__name__ for item in held[:10])}"
    return f"a {type(held).__name__}"


def step_for(held: object, name: str) -> str:
    """
    What to do with a file that holds something else than an estimator.

    Args:
        held: by the file.
        name: of the file.
    Returns: the next step.
    """
    parts: list[tuple[object, object]] = list(
        held.items() if isinstance(held, dict) else enumerate(held) if isinstance(held, (list, tuple)) else ()
    )
    keys = [
        key for key, part in parts if callable(getattr(part, "predict", None)) and not isinstance(part, type)
    ]
    if len(keys) == 1:
        steps = _transformers(parts)
        if not steps:
            return f"joblib.dump(joblib.load({name!r})[{keys[0]!r}], 'model.joblib')"
        return (
            "dump a pipeline of the parts, in the order in which they were fitted: import sklearn.pipeline; "
            f"held = joblib.load({name!r}); "
            f"joblib.dump(sklearn.pipeline.make_pipeline({steps}held[{keys[0]!r}]), 'model.joblib')"
        )
    if keys:
        return f"pack one at a time: joblib.dump(joblib.load({name!r})[{keys[0]!r}], 'model.joblib')"
    if isinstance(held, type):
        return "fit an instance of it, and dump that"
    if hasattr(held, "fit") and hasattr(held, "transform"):
        return "make a pipeline of it and the model that comes after it, and dump that"
    return "save a fitted estimator; a clusterer or outlier detector needs one that can predict new rows"


_OF_TARGETS = ("LabelEncoder", "LabelBinarizer", "MultiLabelBinarizer")
"""Transformers of what is predicted: no step before the model."""


def _transformers(parts: Collection[tuple[object, object]]) -> str:
    """The parts that prepare rows, as Python writes them."""
    return "".join(
        f"held[{key!r}], "
        for key, part in parts
        if callable(getattr(part, "transform", None))
        and not callable(getattr(part, "predict", None))
        and not isinstance(part, type)
        and type(part).__name__ not in _OF_TARGETS
    )
