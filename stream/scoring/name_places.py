"""
Where each library's estimators keep the names and the number of their columns.

No row imports its library: the class's own module says which one it is.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import Any, TypeAlias

from stream.scoring.attempt import Raised, attempt
from stream.scoring.fitted_parts import Names

__all__ = ["libraries_of", "names_of", "width_of"]

_Place: TypeAlias = Callable[[Any], Any]


def libraries_of(estimator: object) -> frozenset[str]:
    """The top-level packages of an estimator's class and its bases."""
    return frozenset(kind.__module__.partition(".")[0] for kind in type(estimator).__mro__) - {"builtins"}


def names_of(estimator: object) -> Names | None:
    """
    The names that one estimator keeps itself.

    Args:
        estimator: fitted; its parts are not asked.
    Returns: in its own order, made-up ones too; None where it keeps none, or was fitted on columns without names.
    """
    for place in _places(estimator, _NAMES):
        names = attempt(lambda place=place: place(estimator))  # type: ignore[misc]
        if not isinstance(names, Raised) and names is not None and len(names):
            return tuple(str(name) for name in names)
    return None


def width_of(estimator: object) -> int | None:
    """The number of columns that one estimator keeps itself; None where it keeps none."""
    for place in _places(estimator, _WIDTHS):
        width = attempt(lambda place=place: int(place(estimator)))  # type: ignore[misc]
        if isinstance(width, int) and width > 0:
            return width
    return None


def _places(estimator: object, table: dict[str, _Place]) -> list[_Place]:
    """Those of its libraries, then scikit-learn's, whose attributes others set as well."""
    return [place for library, place in table.items() if library in {*libraries_of(estimator), "sklearn"}]


def _of_statsmodels(results: Any) -> Iterable[str] | None:
    """Of the design matrix; of the data itself where a formula made that; none where it was an array."""
    data = results.model.data
    if getattr(data, "formula", None) is not None:
        return _in_formula(data)
    return results.model.exog_names if type(data).__name__ == "PandasData" else None


def _in_formula(data: Any) -> list[str]:
    """The columns that a formula's right side reads, in the order in which it names them."""
    spec = getattr(data, "model_spec", None)
    spec = data.design_info if spec is None else spec
    terms = [factor.name() for factor in spec.factor_infos]
    found = [name for term in terms for name in _variables(ast.parse(term, mode="eval"))]
    known = getattr(data, "frame", None)
    return list(dict.fromkeys(name for name in found if known is None or name in known.columns))


def _variables(tree: ast.AST) -> Iterable[str]:
    """Names that are neither called nor modules, and those that are quoted: `np.log(a) + Q("b c")` has a and b c."""
    match tree:
        case ast.Name():
            yield tree.id
        case ast.Call(func=ast.Name(id="Q"), args=[ast.Constant(value=str(quoted))]):
            yield quoted
        case ast.Call():
            for given in (*tree.args, *(word.value for word in tree.keywords)):
                yield from _variables(given)
        case ast.Attribute(value=ast.Name()):
            return
        case _:
            for part in ast.iter_child_nodes(tree):
                yield from _variables(part)


_NAMES: dict[str, _Place] = {
    "catboost": attrgetter("feature_names_"),
    "lightgbm": lambda model: model.feature_name() if hasattr(model, "feature_name") else model.feature_name_,
    "statsmodels": _of_statsmodels,
    "xgboost": lambda model: (
        model.feature_names if hasattr(model, "feature_names") else model.feature_names_in_
    ),
    "sklearn": attrgetter("feature_names_in_"),
}
"""By library, the names; `sklearn` stands for all that follow its convention."""

_WIDTHS: dict[str, _Place] = {
    "catboost": lambda model: len(model.feature_names_),
    "lightgbm": lambda model: model.num_feature() if hasattr(model, "num_feature") else model.n_features_in_,
    "statsmodels": lambda results: len(results.model.exog_names),
    "xgboost": lambda model: model.num_features() if hasattr(model, "num_features") else model.n_features_in_,
    "sklearn": attrgetter("n_features_in_"),
}
"""The number, likewise."""
