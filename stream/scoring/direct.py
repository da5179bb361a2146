"""
Arrow columns → the matrix that a pipeline's first step would make of a DataFrame, without the DataFrame.

A call of a `ColumnTransformer` on pandas costs 3-5 ms whatever the rows, most of it spent on choosing columns and
looking at their names: at 2,000 rows half of a worker's time. For the transformers that are used most, the same
matrix is made here from the columns themselves; the rest of the pipeline is the user's own, called as it is. What
is not known to give the same is left to the DataFrame: no guesses at other transformers, settings and types.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import takewhile
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from stream.manifest import Feature, Manifest
from stream.scoring.answers import Answers, Reader
from stream.scoring.attempt import Raised, attempt
from stream.scoring.blocks import Block, Codes, Floats, Numbers, OneHot, Ordinal, dense, sparse
from stream.scoring.estimator_input import Inputs, X
from stream.scoring.estimators import Estimator
from stream.scoring.fitted_parts import inside, walk
from stream.scoring.linear_sums import LinearSums, linear_sums
from stream.scoring.number_steps import array_steps
from stream.types import Misfit

__all__ = ["Direct", "direct"]

_ON_NUMBERS = frozenset({
    "MaxAbsScaler", "MinMaxScaler", "PolynomialFeatures", "PowerTransformer", "QuantileTransformer",
    "RobustScaler", "SimpleImputer", "StandardScaler",
})  # fmt: skip
"""scikit-learn's transformers that do to an array what they do to a frame of float64 columns."""


@dataclass(frozen=True, slots=True)
class _Matrix:
    """
    The matrix that a pipeline's first step makes, and what comes after it.

    Attributes:
        rest: the estimator's own later steps, or a copy of it that takes the matrix.
        blocks: of the matrix, from left to right.
        is_sparse: whether the rest was fitted on a sparse matrix.
        sums: the rest, asked without a matrix; None where it needs one.
    """

    rest: Estimator
    blocks: tuple[Block, ...]
    is_sparse: bool
    sums: LinearSums | None = None

    def build(self, columns: Mapping[str, pa.Array], numbers: Mapping[str, Floats]) -> X:
        """
        Shape (n, width), an ndarray or a CSR array; where there are `sums`, those, shape (n,).

        Raises: Unknown, or whatever a transformer raises.
        """
        cells = [block.cells(columns, numbers) for block in self.blocks]
        starts = np.cumsum([0, *(block.width for block in self.blocks)]).tolist()
        if self.sums is not None:
            return self.sums.of(cells, starts)
        return sparse(cells, starts) if self.is_sparse else dense(cells, starts)


class Direct:
    """
    The way (see `ways`) into an estimator that takes the matrix.

    Args:
        matrix: how it is made.
        inputs: of the model.
        manifest: of the model.
    """

    name = "direct"
    light = False
    quick_rows = 0

    def __init__(self, matrix: _Matrix, inputs: Inputs, manifest: Manifest) -> None:
        self._matrix = matrix
        self._inputs = inputs
        self._reader = Reader(matrix.sums or matrix.rest, manifest)

    def applies(self, n: int) -> bool:
        """For any batch: it costs less than the DataFrame from the first row on."""
        return True

    def read(self, columns: Mapping[str, pa.Array]) -> Answers | None:
        """None where a row raises, or a category is unknown to an encoder that refuses those or warns of them."""
        misfits: dict[int, Misfit] = {}
        numbers = self._inputs.numbers(columns, misfits)
        if misfits:
            return None
        answers = attempt(partial(self._ask, columns, numbers))
        return None if isinstance(answers, Raised) else answers

    def _ask(self, columns: Mapping[str, pa.Array], numbers: Mapping[str, Floats]) -> Answers:
        return self._reader.read(self._matrix.build(columns, numbers))


def direct(estimator: Estimator, inputs: Inputs, manifest: Manifest) -> Direct | None:
    """
    The way into a fitted estimator without the DataFrame.

    Args:
        estimator: it is never changed; a step that keeps its columns' names is copied (its arrays are shared).
        inputs: of the model.
        manifest: says how its columns are fed.
    Returns: None where there is none.
    """
    matrix = _matrix(estimator, manifest)
    return None if matrix is None else Direct(matrix, inputs, manifest)


def _matrix(estimator: Any, manifest: Manifest) -> _Matrix | None:
    from sklearn import get_config
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
    from sklearn.pipeline import Pipeline

    if manifest.inputs != "frame" or get_config()["transform_output"] != "default":
        return None
    if type(estimator) is Pipeline:
        front = list(takewhile(_on_numbers, (step for _, step in estimator.steps[:-1])))
        rest = estimator.steps[len(front) or 1 :]
        if not rest or not all(hasattr(step, "__sklearn_tags__") for _, step in rest):
            return None
        last = rest[0][1] if len(rest) == 1 else Pipeline(rest)
        if front:
            return _of_numbers(Pipeline(estimator.steps[: len(front)]), last, manifest.features)
        return _through(estimator.steps[0][1], last, manifest.features)
    if type(estimator) in (HistGradientBoostingClassifier, HistGradientBoostingRegressor):
        # Gradient boosting encodes its categories by a ColumnTransformer of its own, if it has any.
        encoder = getattr(estimator, "_preprocessor", None)
        if encoder is not None:
            return _through(encoder, _bare(estimator), manifest.features)
    if type(estimator).__module__.startswith("sklearn."):
        return _of_numbers("passthrough", estimator, manifest.features)
    return None


def _on_numbers(step: Any) -> bool:
    return _passes(step) or (
        type(step).__name__ in _ON_NUMBERS and type(step).__module__.startswith("sklearn.")
    )


def _of_numbers(front: Any, rest: Estimator, features: Sequence[Feature]) -> _Matrix | None:
    """An estimator that takes numbers only, each column of them; `front` is what is done to all columns alike."""
    block = _block(front, list(features))
    named = [part for part in walk(rest, ()) if hasattr(part.estimator, "feature_names_in_")]
    if block is None or len(named) > 1 or any(part.estimator is not rest for part in named):
        return None  # a part inside would warn of names
    return _Matrix(_bare(rest) if named else rest, (block,), is_sparse=False)


def _through(columns: Any, rest: Estimator, features: Sequence[Feature]) -> _Matrix | None:
    from sklearn.compose import ColumnTransformer

    if type(columns) is not ColumnTransformer or _has_output_config(columns):
        return None
    names = tuple(feature.name for feature in features)
    by_name = {feature.name: feature for feature in features}
    blocks: list[Block] = []
    for part in inside(columns, names):
        picked = [by_name[name] for name in part.columns]
        if not picked or (isinstance(part.estimator, str) and part.estimator == "drop"):
            continue
        block = _block(part.estimator, picked)
        if block is None:
            return None
        blocks.append(block)
    weighted = getattr(columns, "transformer_weights", None)
    if weighted or not blocks:
        return None
    is_sparse = bool(columns.sparse_output_)
    sums = linear_sums(rest, sum(block.width for block in blocks)) if is_sparse else None
    return _Matrix(rest, tuple(blocks), is_sparse, sums)


def _block(part: Any, features: list[Feature]) -> Block | None:
    kinds = {feature.kind if not feature.dtype else feature.dtype for feature in features}
    if kinds == {"number"}:
        return _numbers(part, features)
    return _texts(part, features) if kinds == {"text"} else None


def _numbers(part: Any, features: list[Feature]) -> Block | None:
    from sklearn.pipeline import Pipeline

    steps = [step for _, step in part.steps] if type(part) is Pipeline else [part]
    steps = [step for step in steps if not _passes(step)]
    if any(not _on_numbers(step) or _has_output_config(step) for step in steps):
        return None
    bare = tuple(_bare(step) for step in steps)
    x = np.zeros((1, len(features)))
    for step in bare:
        x = step.transform(x)
    if not isinstance(x, np.ndarray):
        return None
    return Numbers(tuple(feature.path for feature in features), bare, x.shape[1], array_steps(bare))


def _passes(step: Any) -> bool:
    """A step that hands on what it gets: `passthrough` as fitted, or gradient boosting's check of its numbers."""
    from sklearn.preprocessing import FunctionTransformer

    if isinstance(step, str):
        return step == "passthrough"
    function = getattr(step, "func", None)
    if type(step) is not FunctionTransformer or function is None:
        return type(step) is FunctionTransformer
    lets_all_pass = getattr(function, "keywords", {}).get("ensure_all_finite", True) is False
    return lets_all_pass and getattr(getattr(function, "func", None), "__name__", "") == "check_array"


def _texts(part: Any, features: list[Feature]) -> Block | None:
    from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

    if type(part) not in (OneHotEncoder, OrdinalEncoder) or _has_output_config(part):
        return None
    if getattr(part, "_infrequent_enabled", True) or len(part.categories_) != len(features):
        return None
    found = [_codes(values, feature) for values, feature in zip(part.categories_, features, strict=True)]
    codes = tuple(code for code in found if code is not None)
    if len(codes) < len(found):
        return None
    if part.dtype is not np.float64:
        return None
    if type(part) is OrdinalEncoder:
        unknown = float(part.unknown_value) if part.handle_unknown == "use_encoded_value" else None
        return Ordinal(codes, float(part.encoded_missing_value), unknown, len(codes))
    if part.drop is not None or part.handle_unknown not in ("ignore", "error"):
        return None
    starts = np.cumsum([0, *(len(values) for values in part.categories_)]).tolist()
    return OneHot(codes, tuple(starts[:-1]), starts[-1], part.handle_unknown == "error")


def _codes(values: npt.NDArray[np.generic], feature: Feature) -> Codes | None:
    """None where a category is not a text, or where a missing text has two categories."""
    listed = values.tolist()
    texts = {value: i for i, value in enumerate(listed) if isinstance(value, str)}
    others = [(i, value) for i, value in enumerate(listed) if not isinstance(value, str)]
    if values.dtype != object or len(others) > 1:
        return None
    missing = None
    if others:
        at, value = others[0]
        if not (value is None or value != value):
            return None
        # To the encoder, None and NaN are two categories.
        missing = at if (value is None) == (feature.null == "None") else None
    return Codes(
        feature.path, pa.array(list(texts), pa.string()), np.array(list(texts.values()), np.int64), missing
    )


def _has_output_config(part: Any) -> bool:
    config = getattr(part, "_sklearn_output_config", {})
    return bool(config.get("transform", "default") != "default")


def _bare(part: Any) -> Any:
    """A copy that takes an array without warning of names; it shares what was fitted."""
    bare = copy.copy(part)
    vars(bare).pop("feature_names_in_", None)
    if "_preprocessor" in vars(bare):
        bare._preprocessor = None  # gradient boosting's own encoder, whose matrix it is given
    return bare
