"""Models that skl2onnx compiles, in float32, where there is no graph of our own."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from functools import partial

from stream.compiled import VECTOR
from stream.export.bigquery import sql_name
from stream.manifest import Manifest
from stream.scoring import Raised, attempt, walk

__all__ = ["by_skl2onnx"]


def by_skl2onnx(estimator: object, manifest: Manifest) -> bytes | str:
    """
    Compile a model.

    Args:
        estimator: fitted.
        manifest: its contract.
    Returns: the `.onnx` file; or why there is none.
    """
    if reason := _reason(manifest) or _comparing(estimator, manifest):
        return reason
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about libraries that it looks for, and models that it will refuse
        found = attempt(partial(_converted, estimator, manifest))
    if isinstance(found, Raised):
        said = " ".join(found.message.replace("\\n", " ").split())[:200] or found.exception
        return f"skl2onnx does not compile it: {said}"
    return found


def _reason(manifest: Manifest) -> str | None:
    if manifest.task not in ("classifier", "regressor"):
        return "skl2onnx's graphs are checked for classifiers and regressors only"
    if manifest.score == "decision_function":
        return "its score is a decision function, for which skl2onnx has no output"
    if manifest.inputs == "series":
        return "skl2onnx splits texts into words in its own way"
    odd = [feature.name for feature in manifest.features if feature.kind in ("datetime", "category")]
    return f"skl2onnx has no type for {', '.join(map(repr, odd))}" if odd else None


def _comparing(estimator: object, manifest: Manifest) -> str | None:
    """What has thresholds decides otherwise beside them, where numbers are rounded to float32 before a step."""
    names = tuple(feature.name for feature in manifest.features)
    for part in walk(estimator, names):
        if hasattr(part.estimator, "tree_") or hasattr(part.estimator, "_predictors"):
            return "skl2onnx compares in float32, and it has trees inside"
        if hasattr(part.estimator, "bin_edges_") or type(part.estimator).__name__ == "Binarizer":
            return f"skl2onnx compares in float32, and it has {type(part.estimator).__name__} inside"
    return None


def _converted(estimator: object, manifest: Manifest) -> bytes:
    from skl2onnx.common.data_types import FloatTensorType, StringTensorType
    from skl2onnx.common.utils import InvalidInputLengthException

    if manifest.is_array:
        return _onnx(manifest, estimator, [(VECTOR, FloatTensorType([None, manifest.width]))])
    kinds = {True: StringTensorType, False: FloatTensorType}
    types = [(feature.name, kinds[feature.kind == "text"]([None, 1])) for feature in manifest.features]
    try:
        return _onnx(manifest, estimator, types)
    except InvalidInputLengthException:  # an estimator that takes all columns as one
        return _onnx(manifest, _joined(manifest, estimator), types)


def _onnx(manifest: Manifest, estimator: object, types: Sequence[tuple[str, object]]) -> bytes:
    from skl2onnx import convert_sklearn

    # Not a dictionary for each row but a matrix of probabilities; what BigQuery's runtime reads.
    options = {"zipmap": False} if manifest.task == "classifier" else None
    made = convert_sklearn(
        estimator, sql_name(manifest.name), types, options=options, target_opset={"": 17, "ai.onnx.ml": 3}
    )
    content = made.SerializeToString()
    assert isinstance(content, bytes)
    return content


def _joined(manifest: Manifest, estimator: object) -> object:
    """The estimator behind a step that puts its columns together, which skl2onnx does not do by itself."""
    import pandas as pd
    from sklearn.compose import ColumnTransformer
    from sklearn.pipeline import Pipeline

    names = [feature.name for feature in manifest.features]
    columns = ColumnTransformer([("columns", "passthrough", names)])
    columns.fit(pd.DataFrame({name: [0.0] for name in names}))
    return Pipeline([("columns", columns), ("estimator", estimator)])
