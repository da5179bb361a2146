"""
The categories that LightGBM and XGBoost keep of the columns that they were fitted on as pandas' category.

LightGBM puts a value that is not among them with the missing ones. XGBoost says that it raises, but takes some for
their neighbour in the alphabet (3.2): such a row is refused before it is asked. CatBoost keeps no list (it hashes each
value's text), and scikit-learn's encoders take a category's values as they are: neither needs pandas' category.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stream.errors import PackageError
from stream.manifest import Category, Unknown
from stream.scoring.fitted_parts import Part, walk

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["NativeCategories", "native_categories"]

_FOREIGN = re.compile(r"[^A-Za-z0-9_]")


@dataclass(frozen=True, slots=True)
class NativeCategories:
    """
    What a column may hold.

    Attributes:
        values: the categories in the model's order.
        dtype: pandas' type of them.
        ordered: whether their order means something.
        unknown: what the model makes of another value.
    """

    values: tuple[Category, ...]
    dtype: str
    ordered: bool
    unknown: Unknown


def native_categories(
    estimator: object, names: Sequence[str], owner: pd.DataFrame | None = None
) -> dict[str, NativeCategories]:
    """
    The columns that an estimator was fitted on as pandas' category.

    Args:
        estimator: fitted.
        names: its columns.
        owner: a sample's rows as pandas has them: they settle which of LightGBM's lists is whose where the model
            doesn't say, and whether a category is ordered.
    Returns: by column; without a sample, none for those that can't be told.
    Raises: PackageError where a sample doesn't tell either.
    """
    found: dict[str, NativeCategories] = {}
    for part in walk(estimator, tuple(names)):
        for name, categories in _of_part(part, owner):
            found.setdefault(name, categories)
    return found


def _of_part(part: Part, owner: pd.DataFrame | None) -> Iterator[tuple[str, NativeCategories]]:
    if (booster := _booster(part.estimator, "lightgbm", "LGBMModel")) is not None:
        yield from _lightgbm(booster, part.columns, owner)
    elif (booster := _booster(part.estimator, "xgboost", "XGBModel")) is not None:
        yield from _xgboost(booster, part.columns, owner)


def _booster(estimator: Any, library: str, wrapper: str) -> Any:
    """The library's own booster, itself or in its wrapper for scikit-learn."""
    module = sys.modules.get(library)
    if module is None:
        return None
    if isinstance(estimator, module.Booster):
        return estimator
    if isinstance(estimator, getattr(module, wrapper)):
        return estimator.booster_ if library == "lightgbm" else estimator.get_booster()
    return None


def _lightgbm(
    booster: Any, columns: Sequence[str], owner: pd.DataFrame | None
) -> Iterator[tuple[str, NativeCategories]]:
    """One list per column of pandas' category, in their order; ordered ones are numbers to the trees."""
    lists = booster.pandas_categorical
    if not lists:
        return
    kept = booster.feature_name()
    chosen = [kept[place] for place in _categorical_places(booster, kept)]
    found = [_column(name, columns) for name in chosen]
    if len(chosen) != len(lists):
        found = _holders(lists, columns, owner)
    for name, values in zip(found, lists, strict=True):
        if name is not None:
            yield name, NativeCategories(tuple(values), _dtype(values), _ordered(name, owner), "missing")


def _holders(lists: Sequence[Sequence[Category]], columns: Sequence[str], owner: Any) -> list[str | None]:
    """The columns of the lists where ordered categories are among them: by the sample's values."""
    if owner is None:
        return [None] * len(lists)
    declared = [name for name in columns if name in owner and hasattr(owner[name], "cat")]
    if len(declared) == len(lists):
        return list(declared)
    held = {name: set(owner[name].dropna()) for name in columns if name in owner}
    found = [[name for name, values in held.items() if values and values <= set(listed)] for listed in lists]
    if any(len(names) != 1 for names in found):
        raise PackageError(
            f"the model was fitted on {len(lists)} columns of categories, and which they are can't be told",
            step="manifest",
            hint="let these columns of the sample be pandas' category, as when it was fitted: "
            "`frame.astype({column: 'category'}).to_parquet('sample.parquet')` keeps that, a csv or JSON does not",
        )
    return [names[0] for names in found]


def _categorical_places(booster: Any, kept: Sequence[str]) -> list[int]:
    listed = booster.params.get("categorical_column")
    if isinstance(listed, list):
        return sorted(listed)
    facts = booster.dump_model(num_iteration=1)["feature_infos"]
    return [place for place, name in enumerate(kept) if facts.get(name, {}).get("values")]


def _xgboost(
    booster: Any, columns: Sequence[str], owner: pd.DataFrame | None
) -> Iterator[tuple[str, NativeCategories]]:
    """Since 3.1 a booster keeps them, by column."""
    if "c" not in (booster.feature_types or ()) or not hasattr(booster, "get_categories"):
        return
    for kept, values in booster.get_categories(export_to_arrow=True).to_arrow() or ():
        name = _column(kept, columns)
        if values is not None and name is not None:
            listed = values.to_pylist()
            dtype = "str" if isinstance(listed[0], str) else str(values.type.to_pandas_dtype().__name__)
            yield name, NativeCategories(tuple(listed), dtype, _ordered(name, owner), "refused")


def _column(kept: str, columns: Sequence[str]) -> str | None:
    """
    The input's column that a later part knows under this name.

    A ColumnTransformer writes the transformer's name before it, LightGBM changes what is no letter or digit.
    """
    for wanted in (kept, kept.rpartition("__")[2]):
        same = [name for name in columns if wanted == name] or [
            name for name in columns if _FOREIGN.sub("_", name) == wanted
        ]
        if len(same) == 1:
            return same[0]
    return None


def _dtype(values: Sequence[Category]) -> str:
    kinds = {type(value) for value in values}
    known = {bool: "bool", int: "int64", str: "str"}
    return known.get(next(iter(kinds)), "float64") if len(kinds) == 1 else "object"


def _ordered(name: str, owner: Any) -> bool:
    return owner is not None and name in owner and bool(getattr(owner[name].dtype, "ordered", False))
