"""A model as ONNX, where it compiles, and proven on the golden rows to answer as it did."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from stream.errors import PackageError
from stream.export.bigquery import sql_name
from stream.extras import require
from stream.manifest import Manifest
from stream.scoring import Raised, attempt, columns_of
from stream.store import Golden, Package
from stream.types import type_called

__all__ = ["Compiled", "compile_onnx", "model_ddl"]

_TOLERANCE = 1e-5
"""ONNX's operators for models compute in float32: |difference| ≤ 1e-5 · max(1, |value|), as for float32 answers."""

_SHOWN = 3
"""Rows named in a message."""

_VECTOR = "features"
"""The one input of a model that was fitted on plain arrays."""

T = TypeVar("T")

Feed = dict[str, npt.NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Compiled:
    """
    A model that compiled and answers the same.

    Attributes:
        content: of the `.onnx` file.
        inputs: name and type (`float`, `string`) of each.
        outputs: names.
        rows: golden rows that were compared.
        left_out: golden rows that could not be asked: ONNX has no text that is null.
        difference: the largest between two scores or values.
    """

    content: bytes
    inputs: tuple[tuple[str, str], ...]
    outputs: tuple[str, ...]
    rows: int
    left_out: int
    difference: float


def compile_onnx(package: Package, golden: Golden) -> Compiled:
    """
    Compile a model, and ask it for its golden rows.

    Args:
        package: opened.
        golden: its golden rows.
    Returns: the compiled model; labels are equal, scores and values within 1e-5 · max(1, |value|).
    Raises: PackageError when the model does not compile, or answers differently, with the rows; SettingsError when
        skl2onnx is not installed.
    """
    require("exporting to ONNX", "onnx", "skl2onnx", "onnxruntime")
    import onnxruntime

    manifest = package.manifest
    _check_kind(manifest)
    content = _converted(package)
    session = _guarded(manifest, partial(onnxruntime.InferenceSession, content))
    asked = [i for i, event in enumerate(golden.events) if _can_be_asked(manifest, event)]
    if not asked:
        raise _refusal(manifest, "every golden row has a text that is null, which ONNX can't hold")
    inputs = tuple(
        (each.name, each.type.removeprefix("tensor(").removesuffix(")")) for each in session.get_inputs()
    )
    feed = _feed(manifest, [golden.events[i] for i in asked], [name for name, _ in inputs])
    outputs = _guarded(manifest, partial(session.run, None, feed))
    found = _answers(manifest, outputs, len(asked))
    difference = _compared(manifest, asked, [golden.answers[i] for i in asked], found)
    names = tuple(each.name for each in session.get_outputs())
    return Compiled(content, inputs, names, len(asked), len(golden.events) - len(asked), difference)


def model_ddl(manifest: Manifest, compiled: Compiled, dataset: str, bucket: str) -> str:
    """
    `CREATE MODEL` for BigQuery, with a query that uses it.

    Args:
        manifest: of the model.
        compiled: the model.
        dataset: `project.dataset`, where the model goes.
        bucket: `gs://…`, a folder that holds the compiled model.
    Returns: a script for BigQuery, ending with a newline.
    Source: cloud.google.com/bigquery/docs/reference/standard-sql/bigqueryml-syntax-create-onnx
    """
    model = f"`{dataset}.{sql_name(manifest.name)}_{manifest.version}`"
    kinds = {"float": "FLOAT64", "string": "STRING"}
    if not manifest.is_array:
        columns = ",\n".join(
            f"--   CAST({_column(feature.path)} AS {kinds[kind]}) AS `{name}`"
            for feature, (name, kind) in zip(manifest.features, compiled.inputs, strict=True)
        )
    else:
        columns = f"--   [{', '.join(feature.path for feature in manifest.features)}] AS {_VECTOR}"
    return f"""\
-- {manifest.model} inside BigQuery: first copy model.onnx, alone, to {bucket}.
-- A number that is missing must be NaN: IFNULL(x, CAST('nan' AS FLOAT64)).
CREATE OR REPLACE MODEL {model}
OPTIONS (MODEL_TYPE = 'ONNX', MODEL_PATH = '{bucket}/*');

-- SELECT {", ".join(compiled.outputs)}
-- FROM ML.PREDICT(MODEL {model}, (SELECT
{columns}
-- FROM `{dataset}.TABLE`));
"""


def _column(path: str) -> str:
    return ".".join(f"`{part}`" for part in path.split("."))


def _check_kind(manifest: Manifest) -> None:
    if manifest.task not in ("classifier", "regressor"):
        raise _refusal(manifest, f"a {manifest.task} can't be exported, only a classifier or a regressor")
    if manifest.score == "decision_function":
        raise _refusal(manifest, "its score is a decision function, for which ONNX has no output")
    if manifest.inputs == "series":
        raise _refusal(
            manifest, "it reads a sequence of texts, which the compiler splits into words in its own way"
        )
    times = [feature.name for feature in manifest.features if feature.kind == "datetime"]
    if times:
        raise _refusal(manifest, f"ONNX has no dates and times, and it takes {', '.join(map(repr, times))}")
    categories = [feature.name for feature in manifest.features if feature.kind == "category"]
    if categories:
        raise _refusal(
            manifest, f"ONNX has no categories of pandas, and it takes {', '.join(map(repr, categories))}"
        )


def _converted(package: Package) -> bytes:
    from skl2onnx.common.data_types import FloatTensorType, StringTensorType
    from skl2onnx.common.utils import InvalidInputLengthException

    manifest, estimator = package.manifest, package.model.estimator
    if manifest.is_array:
        call = partial(_onnx, manifest, estimator, [(_VECTOR, FloatTensorType([None, manifest.width]))])
        return bytes(_guarded(manifest, call))
    kinds = {True: StringTensorType, False: FloatTensorType}
    types = [(feature.name, kinds[feature.kind == "text"]([None, 1])) for feature in manifest.features]

    def convert() -> bytes:
        try:
            return _onnx(manifest, estimator, types)
        except InvalidInputLengthException:  # an estimator that takes all columns as one, such as bare trees
            return _onnx(manifest, _joined(manifest, estimator), types)

    return bytes(_guarded(manifest, convert))


def _onnx(manifest: Manifest, estimator: object, types: Sequence[tuple[str, object]]) -> bytes:
    from skl2onnx import convert_sklearn

    # Not a dictionary for each row but a matrix of probabilities.
    options = {"zipmap": False} if manifest.task == "classifier" else None
    content = convert_sklearn(estimator, sql_name(manifest.name), types, options=options).SerializeToString()
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


def _guarded(manifest: Manifest, call: Callable[[], T]) -> T:
    """The compiler and its runtime raise errors of many kinds for what they can't do."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about libraries that it looks for, and models that it will refuse
        result = attempt(call)
    if isinstance(result, Raised):
        reason = " ".join(result.message.split())[:300] or result.exception
        raise _refusal(manifest, f"it does not compile: {result.exception}: {reason}")
    return result


def _refusal(manifest: Manifest, reason: str) -> PackageError:
    return PackageError(
        f"{manifest.model} can't be exported to ONNX: {reason}",
        hint="let BigQuery call `stream serve`: stream export --to bigquery",
    )


def _can_be_asked(manifest: Manifest, event: Mapping[str, object]) -> bool:
    columns = columns_of([event], [feature for feature in manifest.features if feature.kind == "text"])
    return not any(column.null_count for column in columns.values())


def _feed(manifest: Manifest, events: Sequence[Mapping[str, object]], inputs: Sequence[str]) -> Feed:
    """What the runtime is asked; its inputs are in the features' order, each under a name that ONNX allows."""
    columns = columns_of(events, manifest.features)
    if manifest.inputs == "vector":
        rows = columns[manifest.features[0].path].to_pylist()
        return {_VECTOR: np.array(rows, np.float32)}
    arrays: list[npt.NDArray[Any]] = []
    for feature in manifest.features:
        values: npt.NDArray[Any] = np.array(columns[feature.path].to_pylist(), dtype=object)
        # None becomes NaN, True 1.
        typed = values if feature.kind == "text" else values.astype(np.float64).astype(np.float32)
        arrays.append(typed.reshape(-1, 1))
    if manifest.inputs == "matrix":
        return {_VECTOR: np.hstack(arrays)}
    return dict(zip(inputs, arrays, strict=True))


def _answers(manifest: Manifest, outputs: Sequence[Any], count: int) -> list[dict[str, object]]:
    """The runtime's outputs as a prediction has them."""
    first = np.asarray(outputs[0]).reshape(count)
    if manifest.task == "regressor":
        return [{"value": float(value)} for value in first]
    kind: Any = type_called(manifest.answer).python
    labels = [kind(label) for label in first.tolist()]
    if manifest.score is None:
        return [{"label": label} for label in labels]
    classes = list(manifest.classes or ())
    scores = np.asarray(outputs[1], np.float64)
    which = [1 if len(classes) == 2 else classes.index(label) for label in labels]
    return [
        {"label": label, "score": float(row[place])}
        for label, row, place in zip(labels, scores, which, strict=True)
    ]


def _compared(
    manifest: Manifest,
    numbers: Sequence[int],
    expected: Sequence[Mapping[str, object]],
    found: Sequence[Mapping[str, object]],
) -> float:
    """The largest difference of a number; raises when an answer is another."""
    largest, wrong = 0.0, []
    for number, golden, answer in zip(numbers, expected, found, strict=True):
        for field, value in answer.items():
            known = golden[field]
            if isinstance(value, float) and isinstance(known, float):
                difference = abs(known - value)
                same = difference <= _TOLERANCE * max(1.0, abs(known))
                largest = largest if math.isnan(difference) else max(largest, difference)
            else:
                same = known == value
            if not same:
                wrong.append(f"row {number}: {field} was {known!r}, is {value!r}")
    if wrong:
        more = f"; and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
        raise _refusal(
            manifest,
            f"compiled, it answers differently on its golden rows: {'; '.join(wrong[:_SHOWN])}{more}",
        )
    return largest
