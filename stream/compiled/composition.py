"""Estimators made of others: pipelines, transformers by column, unions; and the table of all that is known."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from stream.compiled.answer_graph import Answer
from stream.compiled.lightgbm_models import lightgbm
from stream.compiled.linear_models import (
    linear_classifier,
    linear_regressor,
    logistic_regression,
    perceptron,
    ridge_classifier,
)
from stream.compiled.onnx_graph import Graph, Unsupported
from stream.compiled.preparation import encoded, imputed, projected, rescaled, selected
from stream.compiled.tensor_table import Block, Origin, Table
from stream.compiled.thresholds import Thresholds
from stream.compiled.tree_models import boosting, forest, histogram_boosting, single_tree

__all__ = ["MODELS", "OTHERS", "STEPS", "answered"]

MODELS: Mapping[str, Callable[[Graph, Any, Table, Thresholds], Answer]] = {
    **dict.fromkeys(("HistGradientBoostingClassifier", "HistGradientBoostingRegressor"), histogram_boosting),
    **dict.fromkeys(("RandomForestClassifier", "RandomForestRegressor"), forest),
    **dict.fromkeys(("ExtraTreesClassifier", "ExtraTreesRegressor"), forest),
    **dict.fromkeys(("GradientBoostingClassifier", "GradientBoostingRegressor"), boosting),
    **dict.fromkeys(("DecisionTreeClassifier", "DecisionTreeRegressor"), single_tree),
    **dict.fromkeys(("ExtraTreeClassifier", "ExtraTreeRegressor"), single_tree),
    **dict.fromkeys(
        ("LogisticRegression", "LogisticRegressionCV", "LinearDiscriminantAnalysis"), logistic_regression
    ),
    **dict.fromkeys(
        (
            "LinearRegression", "Ridge", "RidgeCV", "Lasso", "LassoCV", "LassoLars", "Lars", "ElasticNet",
            "ElasticNetCV", "BayesianRidge", "ARDRegression", "HuberRegressor", "TheilSenRegressor",
            "QuantileRegressor", "OrthogonalMatchingPursuit", "SGDRegressor", "LinearSVR", "PoissonRegressor",
            "GammaRegressor", "TweedieRegressor",
        ),
        linear_regressor,
    ),
    "SGDClassifier": linear_classifier,
    **dict.fromkeys(("RidgeClassifier", "RidgeClassifierCV", "LinearSVC", "Perceptron"), ridge_classifier),
    **dict.fromkeys(("MLPClassifier", "MLPRegressor"), perceptron),
}  # fmt: skip
"""scikit-learn's models by class → how each becomes a graph."""

OTHERS: Mapping[str, Callable[[Graph, Any, Table, Thresholds], Answer]] = dict.fromkeys(
    ("lightgbm.sklearn.LGBMClassifier", "lightgbm.sklearn.LGBMRegressor"), lightgbm
)
"""Other libraries' models by the full name of their class."""

STEPS: Mapping[str, Callable[[Graph, Any, Table], Table]] = {
    "SimpleImputer": imputed,
    **dict.fromkeys(("StandardScaler", "RobustScaler", "MaxAbsScaler", "MinMaxScaler"), rescaled),
    **dict.fromkeys(("OneHotEncoder", "OrdinalEncoder", "TargetEncoder"), encoded),
    **dict.fromkeys(("PCA", "TruncatedSVD"), projected),
    **dict.fromkeys(
        (
            "VarianceThreshold", "SelectKBest", "SelectPercentile", "SelectFpr", "SelectFdr", "SelectFwe",
            "GenericUnivariateSelect", "SelectFromModel", "RFE", "RFECV", "SequentialFeatureSelector",
        ),
        selected,
    ),
}  # fmt: skip
"""scikit-learn's steps before a model by class → how each becomes a graph."""

_WRAPPERS: Mapping[str, str] = {
    **dict.fromkeys(
        ("GridSearchCV", "RandomizedSearchCV", "HalvingGridSearchCV", "HalvingRandomSearchCV"),
        "best_estimator_",
    ),
    "FrozenEstimator": "estimator",
}
"""Classes that answer as what they hold → where they hold it."""


def answered(graph: Graph, estimator: Any, table: Table, seen: Thresholds) -> Answer:
    """
    What an estimator answers.

    Args:
        graph: takes up the nodes.
        estimator: fitted.
        table: its input.
        seen: takes up the trees' thresholds.
    Raises: Unsupported with the reason.
    """
    name = _class_of(estimator)
    if name == "Pipeline":
        for _, step in estimator.steps[:-1]:
            table = _prepared(graph, step, table)
        return answered(graph, estimator.steps[-1][1], table, seen)
    if name in _WRAPPERS:
        return answered(graph, getattr(estimator, _WRAPPERS[name]), table, seen)
    way = MODELS.get(name) or OTHERS.get(name)
    if way is None:
        raise Unsupported(f"there is no graph for {name}")
    if len(getattr(estimator, "classes_", (0, 1))) < 2:
        raise Unsupported("it knows one class only")
    return way(graph, estimator, table, seen)


def _prepared(graph: Graph, step: Any, table: Table) -> Table:
    """A step's output: it has no names, or those of its input."""
    if step is None or step == "passthrough":
        return table
    name = _class_of(step)
    match name:
        case "Pipeline":
            for _, part in step.steps:
                table = _prepared(graph, part, table)
            return table
        case "ColumnTransformer":
            return _by_column(graph, step, table)
        case "FeatureUnion":
            return _side_by_side(
                [
                    _weighted(graph, step, part_name, _prepared(graph, part, table))
                    for part_name, part in step.transformer_list
                    if part != "drop"
                ]
            )
        case "FunctionTransformer" if step.func is None:
            return table
        case _ if name in STEPS:
            return STEPS[name](graph, step, table)
    if hasattr(step, "fit_resample") and not hasattr(step, "transform"):
        return table  # it changes training rows only
    raise Unsupported(f"there is no graph for {name}")


def _by_column(graph: Graph, transformer: Any, table: Table) -> Table:
    """Each part with its columns, in the order in which they were fitted."""
    found = []
    known = getattr(transformer, "feature_names_in_", None)
    for name, part, _ in transformer.transformers_:
        places = transformer._transformer_to_input_indices[name]
        if part == "drop" or not len(places):
            continue
        if known is not None and table.names is not None:
            places = [table.names.index(known[place]) for place in places]
        chosen = table.taken(graph, places)
        found.append(_weighted(graph, transformer, name, _prepared(graph, part, Table(chosen.blocks))))
    return _side_by_side(found)


def _weighted(graph: Graph, step: Any, name: str, table: Table) -> Table:
    """A part's output, times the weight that its transformer has for it."""
    weight = (step.transformer_weights or {}).get(name)
    if weight is None or not table.blocks:
        return table
    block = table.matrix(graph)
    value = graph.combined("Mul", block.value, np.full((1, block.width), weight, np.float64))
    origins = [
        None if old is None or not weight else Origin(old.place, old.shift, old.scale / float(weight))
        for old in block.origins
    ]
    return Table((Block(value, tuple(origins)),))


def _side_by_side(tables: list[Table]) -> Table:
    return Table(tuple(block for table in tables for block in table.blocks))


def _class_of(estimator: Any) -> str:
    """Its class: scikit-learn's own by its name, others, and what somebody derived from one, by the full name."""
    kind = type(estimator)
    own = kind.__module__.startswith(("sklearn.", "imblearn."))
    return kind.__name__ if own else f"{kind.__module__}.{kind.__qualname__}"
