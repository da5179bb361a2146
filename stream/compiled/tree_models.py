"""scikit-learn's models of trees as graphs: single trees, forests, gradient boosting, histogram boosting."""

from __future__ import annotations

from typing import Any

import numpy as np

from stream.compiled.answer_graph import Answer, binary, by_softmax, by_vote, logistic
from stream.compiled.category_codes import category_codes
from stream.compiled.fitted_trees import Splits, decision_tree, histogram_tree
from stream.compiled.onnx_graph import Graph, Unsupported, Value
from stream.compiled.tensor_table import Table
from stream.compiled.thresholds import Thresholds
from stream.compiled.tree_ensemble import Tree, sum_of_leaves

__all__ = ["boosting", "forest", "histogram_boosting", "single_tree", "with_splits"]


def single_tree(graph: Graph, estimator: Any, table: Table, seen: Thresholds) -> Answer:
    """A decision tree: a classifier's leaves hold the classes' shares."""
    return _voted(graph, estimator, _summed(graph, table, [decision_tree(estimator)], seen))


def forest(graph: Graph, estimator: Any, table: Table, seen: Thresholds) -> Answer:
    """A random forest, or extra trees: the trees' mean."""
    members = estimator.estimators_
    total = _summed(graph, table, [decision_tree(member) for member in members], seen)
    mean = graph.combined("Div", total, len(members))
    return _voted(graph, estimator, mean)


def boosting(graph: Graph, estimator: Any, table: Table, seen: Thresholds) -> Answer:
    """Gradient boosting: where it starts, and each tree's part of the way."""
    if estimator.init is not None and estimator.init != "zero":
        raise Unsupported(f"it starts from another estimator ({type(estimator.init_).__name__})")
    start = estimator._raw_predict_init(np.zeros((1, estimator.n_features_in_), np.float32))
    outputs = estimator.estimators_.shape[1]
    trees = []
    for step in estimator.estimators_:
        for output, member in enumerate(step):
            tree = decision_tree(member, estimator.learning_rate)
            values = np.zeros((len(tree.left), outputs))
            values[:, output] = tree.values[:, 0]
            trees.append(Tree(tree.feature, tree.threshold, tree.left, tree.right, tree.missing_left, values))
    raw = graph.combined("Add", _summed(graph, table, trees, seen), start.reshape(1, -1))
    match type(estimator._loss).__name__:
        case "HalfBinomialLoss":
            return binary(graph, raw, logistic(graph, raw), at_zero=True)
        case "ExponentialLoss":
            twice = graph.combined("Mul", raw, 2)
            return binary(graph, raw, logistic(graph, twice), at_zero=True)
        case "HalfMultinomialLoss":
            return by_softmax(graph, raw)
    return Answer(value=raw)


def histogram_boosting(graph: Graph, estimator: Any, table: Table, seen: Thresholds) -> Answer:
    """Histogram gradient boosting, with its own encoder of categories."""
    categorical = estimator.is_categorical_
    mask = np.zeros(table.width, np.bool_) if categorical is None else np.asarray(categorical, np.bool_)
    numbers = table.taken(graph, np.flatnonzero(~mask).tolist())
    codes, counts = {}, {}
    if mask.any():
        encoder = estimator._preprocessor.named_transformers_["encoder"]
        for column, (place, known) in enumerate(zip(np.flatnonzero(mask), encoder.categories_, strict=True)):
            block = table.taken(graph, [int(place)]).blocks[0]
            # All that is missing or not known takes the way of a missing value.
            codes[column], counts[column] = category_codes(graph, block, known, missing=False)
    # The encoder puts the categories first: the booster's columns are in that order.
    places = np.append(np.zeros(len(codes), np.int64), np.arange(numbers.width))
    splits = Splits(counts, numbers.width)
    outputs = estimator.n_trees_per_iteration_
    trees = [
        histogram_tree(member, places, splits, output, outputs)
        for step in estimator._predictors
        for output, member in enumerate(step)
    ]
    matrix = with_splits(graph, numbers, splits, codes)
    seen.add(numbers.origins, trees)
    summed = sum_of_leaves(graph, matrix, trees)
    start = np.asarray(estimator._baseline_prediction, np.float64).reshape(1, -1)
    return _linked(graph, estimator, graph.combined("Add", summed, start))


def with_splits(graph: Graph, numbers: Table, splits: Splits, codes: dict[int, Value]) -> Value:
    """The trees' matrix: the numbers, and a column for each split by category, in their order."""
    tables = splits.tables()
    parts = [numbers.matrix(graph).value] if numbers.width else []
    parts += [
        graph.add("Gather", graph.constant(content), codes[feature], axis=0) for feature, content, _ in tables
    ]
    if not parts:  # neither: all trees are bare leaves
        raise Unsupported("none of its trees asks any column")
    made = [column for _, _, columns in tables for column in columns]
    order = [*range(numbers.width), *(numbers.width + int(place) for place in np.argsort(made))]
    joined = graph.joined(parts)
    return joined if order == list(range(len(order))) else graph.taken(joined, order)


def _linked(graph: Graph, estimator: Any, raw: Value) -> Answer:
    match type(estimator._loss).__name__:
        case "HalfBinomialLoss":
            return binary(graph, raw, logistic(graph, raw))
        case "HalfMultinomialLoss":
            return by_softmax(graph, raw)
    match type(estimator._loss.link).__name__:
        case "IdentityLink":
            return Answer(value=raw)
        case "LogLink":
            return Answer(value=graph.add("Exp", raw))
        case link:
            raise Unsupported(f"its loss has the link {link}")


def _voted(graph: Graph, estimator: Any, values: Value) -> Answer:
    return by_vote(graph, values) if hasattr(estimator, "classes_") else Answer(value=values)


def _summed(graph: Graph, table: Table, trees: list[Tree], seen: Thresholds) -> Value:
    """The sum over trees that were fitted on float32: each number is rounded to that, and compared as a double."""
    block = table.matrix(graph)
    seen.add(block.origins, trees)
    return sum_of_leaves(graph, graph.rounded(block.value), trees)
