"""
Which type of column each feature is, beyond number, text and time: what the model was fitted on, where it can tell.

To scikit-learn's own transformers and to gradient boosting, whole numbers, booleans and float64 of the same value are
the same, and one block of float64 is the fastest input. A function or class of one's own, CatBoost's categories, or an
encoder that hashes texts can tell: those are given the types that pandas has for the sample.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from stream.errors import PackageError
from stream.manifest import Feature, NullText
from stream.scoring.encoded_texts import known_dates, known_objects, missing_texts
from stream.scoring.fitted_parts import walk
from stream.scoring.frame_columns import NULLABLE
from stream.scoring.native_categories import NativeCategories, native_categories

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["typed_features"]

_PLAIN = ("sklearn", "lightgbm", "xgboost", "imblearn")
"""Libraries whose own transformers and models turn any number into a float, whatever its type."""

_WHOLE = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")

_HELD = {**NULLABLE, **dict.fromkeys(_WHOLE, ("int", "long")), "bool": ("boolean",)}
"""Types of pandas' columns, and the Avro types of numbers and booleans that they hold."""


def typed_features(
    estimator: object, features: Sequence[Feature], owner: pd.DataFrame | None
) -> list[tuple[Feature, ...]]:
    """
    Settle the features' types.

    Args:
        estimator: fitted.
        features: its columns as the schema has them.
        owner: a sample's rows as pandas has them, by the features' names; None without a sample.
    Returns: the features, typed; then what else may be right, for an estimator that raises on the first: dates as
        datetime64, instants without their zone, and the types that the schema alone says.
    Raises: PackageError where a field can't hold the categories that the model was fitted on, or they can't be told.
    """
    names = tuple(feature.name for feature in features)
    objects, nulls = known_objects(estimator, names), missing_texts(estimator, names)
    dates = known_dates(estimator, names)
    tells = any(_tells_types(part.estimator) for part in walk(estimator, names))
    native = native_categories(estimator, names, owner)
    typed = []
    for feature in features:
        column = None if owner is None or feature.name not in owner else owner[feature.name]
        if feature.name in native:
            typed.append(_category(feature, native[feature.name]))
        elif feature.kind == "number" and feature.name in objects:
            typed.append(replace(feature, dtype="object", null=nulls.get(feature.name, "NaN")))
        elif feature.avro == "date" and dates.get(feature.name, tells and _is_dates(column)):
            typed.append(replace(feature, dtype="object"))
        else:
            typed.append(_TYPED[feature.kind](feature, column, tells, nulls.get(feature.name)))
    midnights = [_as_midnights(feature) for feature in typed]
    choices = [typed, midnights, [*map(_without_zone, typed)], [*map(_without_zone, midnights)], features]
    return list(dict.fromkeys(map(tuple, choices)))


def _tells_types(estimator: Any) -> bool:
    """Whether a part may answer differently for 1, 1.0, True and "1"."""
    if isinstance(estimator, str) or estimator is None:
        return False
    library = type(estimator).__module__.partition(".")[0]
    if library == "catboost":
        return bool(estimator.get_cat_feature_indices())
    if type(estimator).__name__ == "FunctionTransformer" and library == "sklearn":
        # Gradient boosting checks its numbers by one of scikit-learn's functions.
        function = getattr(estimator.func, "func", estimator.func)
        return not getattr(function, "__module__", "sklearn").startswith("sklearn.") if function else False
    return library not in _PLAIN


def _category(feature: Feature, known: NativeCategories) -> Feature:
    texts, truths = (all(isinstance(value, kind) for value in known.values) for kind in (str, bool))
    fits = "text" if texts else "boolean" if truths else "number"
    if fits not in (feature.kind, feature.avro) or (fits == "number" and feature.avro == "boolean"):
        raise PackageError(
            f"field {feature.path!r} is of the Avro type {feature.avro}; the model was fitted on categories "
            f"there, such as {known.values[0]!r}",
            step="manifest",
            hint="give the field the categories' own type in the schema, or in the sample",
        )
    return replace(
        feature,
        kind="category",
        dtype=known.dtype,
        categories=known.values,
        ordered=known.ordered,
        unknown=known.unknown,
    )


def _number(feature: Feature, column: pd.Series | None, tells: bool, null: NullText | None) -> Feature:
    if column is None:
        return replace(feature, dtype=_by_schema(feature)) if tells and not feature.nullable else feature
    dtype = column.dtype.name
    if _is_category(column):
        return _owners_category(feature, column) if tells else feature
    if dtype == "float32" and feature.avro == "float":
        return replace(feature, dtype=dtype)
    if not tells:
        return feature
    if feature.avro in _HELD.get(dtype, ()):
        return replace(feature, dtype=dtype)
    if dtype == "object" and feature.avro in ("boolean", "int", "long"):
        return replace(feature, dtype=dtype, null=null or _missing(column))
    return feature


def _by_schema(feature: Feature) -> str:
    return {"int": "int64", "long": "int64", "boolean": "bool"}.get(feature.avro, "")


def _text(feature: Feature, column: pd.Series | None, tells: bool, null: NullText | None) -> Feature:
    """pandas' own texts where the model can tell; an encoder's or imputer's evidence comes first."""
    if null is not None:
        return replace(feature, null=null)
    if column is None or not tells:
        return feature
    if _is_category(column):
        return _owners_category(feature, column)
    dtype = column.dtype.name
    if dtype == "str" or feature.avro in NULLABLE.get(dtype, ()):
        return replace(feature, dtype=dtype)
    return replace(feature, null=_missing(column))


def _time(feature: Feature, column: pd.Series | None, tells: bool, null: NullText | None) -> Feature:
    """The unit and zone of the owner's column; of a csv's, as pandas parses it."""
    import pandas as pd

    if column is None:
        return feature
    if not (column.dtype.kind == "M" or isinstance(column.dtype, pd.DatetimeTZDtype)):
        try:
            column = pd.to_datetime(column, format="ISO8601" if column.dtype.name == "str" else None)
        except (ValueError, TypeError):  # of several zones, or not a time at all: the schema says what it is
            return feature
    dtype = column.dtype.name
    zoned = isinstance(column.dtype, pd.DatetimeTZDtype)
    if zoned and not feature.avro.startswith("timestamp"):
        return feature  # a date or a clock's time has no zone
    return replace(feature, dtype="" if dtype == "datetime64[us]" else dtype)


_TYPED: Mapping[str, Callable[[Feature, Any, bool, NullText | None], Feature]] = {
    "number": _number,
    "text": _text,
    "datetime": _time,
}


def _is_category(column: pd.Series) -> bool:
    import pandas as pd

    return isinstance(column.dtype, pd.CategoricalDtype)


def _owners_category(feature: Feature, column: pd.Series) -> Feature:
    index = column.cat.categories
    values = tuple(index.tolist())
    return replace(
        feature, kind="category", dtype=index.dtype.name, categories=values, ordered=bool(column.cat.ordered)
    )


def _missing(column: pd.Series) -> NullText:
    """What stands for a missing value among objects."""
    gaps = column[column.isna()]
    return "None" if len(gaps) and gaps.iloc[0] is None else "NaN"


def _is_dates(column: pd.Series | None) -> bool:
    """Whether they are Python's dates, as pandas reads those of parquet, Arrow and avro."""
    if column is None or column.dtype != object:
        return False
    values = column[column.notna()]
    return len(values) > 0 and all(type(value) is dt.date for value in values)


def _as_midnights(feature: Feature) -> Feature:
    return replace(feature, dtype="") if feature.kind == "datetime" and feature.dtype == "object" else feature


def _without_zone(feature: Feature) -> Feature:
    if not feature.dtype.startswith("datetime64["):
        return feature
    naive = f"{feature.dtype.partition(',')[0].rstrip(']')}]"
    return replace(feature, dtype="" if np.dtype(naive) == np.dtype("datetime64[us]") else naive)
