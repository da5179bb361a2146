"""The nodes of scikit-learn's trees: each within its tree, each with one parent, none asking for a column too many."""

from __future__ import annotations

from typing import Any

import numpy as np

from stream.scoring.index_checks import Unsound, attribute, require, within

__all__ = [
    "check_boosted",
    "check_decision_tree",
    "check_forest",
    "check_histogram_boosted",
    "check_histogram_tree",
    "check_isolation_forest",
    "check_tree",
]

_BITSET_WORDS = 8
"""A set of 256 categories, in words of 32 bits."""


def _check_children(left: Any, right: Any, count: int) -> None:
    """
    Going down from the root ends: each child is a node of the tree, none the root, none the child of two.

    Args:
        left, right: the children of the nodes that have any.
        count: nodes of the tree.
    """
    children = np.concatenate([np.asarray(left, np.int64), np.asarray(right, np.int64)])
    within("a child's number", children, 1, count)
    require(not children.size or int(np.bincount(children).max()) == 1, "a node is the child of two others")


def check_tree(tree: Any) -> None:
    """Of decision trees and forests."""
    count = int(tree.node_count)
    # Its arrays are views of as many nodes as it claims to have: they must not be looked at before.
    require(1 <= count <= tree.capacity, f"has {tree.capacity} nodes, and says {count}")
    left, right, features = tree.children_left, tree.children_right, tree.feature
    inner = left != -1
    _check_children(left[inner], right[inner], count)
    within("a node's column", features[inner], 0, tree.n_features)


def check_decision_tree(estimator: Any) -> None:
    """Its tree is given rows of as many columns as the estimator lets pass."""
    tree = vars(estimator).get("tree_")
    if tree is not None:
        width = attribute(estimator, "n_features_in_")
        require(tree.n_features == width, f"takes {width} columns, its tree {tree.n_features}")


def check_forest(forest: Any) -> None:
    """Only the first tree's columns are counted when a forest is asked."""
    if "estimators_" in vars(forest):
        width = attribute(forest, "n_features_in_")
        for tree in forest.estimators_:
            check_decision_tree(tree)
            _check_width(tree, width)


def check_isolation_forest(forest: Any) -> None:
    """Its trees are given their own columns, or all, and do not count them."""
    if "estimators_" not in vars(forest):
        return
    width = attribute(forest, "n_features_in_")
    for tree, columns in zip(forest.estimators_, forest.estimators_features_, strict=True):
        check_decision_tree(tree)
        _check_width(tree, len(columns))
        require(len(columns) <= width, f"a tree takes {len(columns)} columns of {width}")


def check_boosted(boosted: Any) -> None:
    """Gradient boosting hands its rows to the bare trees."""
    if "estimators_" not in vars(boosted):
        return
    width, outputs = (attribute(boosted, name) for name in ("n_features_in_", "n_trees_per_iteration_"))
    trees = boosted.estimators_
    require(
        isinstance(trees, np.ndarray) and trees.ndim == 2 and trees.shape[1] == outputs,
        f"its trees are not {outputs} per iteration",
    )
    for tree in trees.ravel():
        check_decision_tree(tree)
        _check_width(tree, width)
    _check_start(boosted, width, outputs)


def _check_start(boosted: Any, width: int, outputs: int) -> None:
    """The trees' answers are added to what it begins with, which nobody measures: a column for each."""
    loss, start = (attribute(boosted, name) for name in ("_loss", "init_"))
    expected = loss.n_classes if loss.is_multiclass else 1
    require(outputs == expected, f"has {outputs} trees per iteration, its loss takes {expected}")
    if loss.is_multiclass and not isinstance(start, str):
        found = np.shape(start.predict_proba(np.ones((1, width), np.float32)))
        require(found == (1, outputs), f"begins with {found[-1]} columns for {outputs} trees")


def _check_width(tree: Any, width: int) -> None:
    found = attribute(tree, "n_features_in_")
    require(found == width, f"a tree takes {found} columns, and is given {width}")


def check_histogram_tree(predictor: Any) -> None:
    """Of histogram gradient boosting."""
    nodes = predictor.nodes
    require(isinstance(nodes, np.ndarray) and nodes.ndim == 1 and nodes.size > 0, "has no nodes")
    inner = nodes[nodes["is_leaf"] == 0]
    _check_children(inner["left"], inner["right"], nodes.size)
    within("a node's column", inner["feature_idx"], 0, np.iinfo(np.int64).max)
    chosen = inner[inner["is_categorical"] != 0]
    for sets in (predictor.raw_left_cat_bitsets, predictor.binned_left_cat_bitsets):
        require(
            isinstance(sets, np.ndarray) and sets.ndim == 2 and sets.shape[1] == _BITSET_WORDS,
            "a set of categories has another size",
        )
        within("a node's set of categories", chosen["bitset_idx"], 0, len(sets))


def check_histogram_boosted(boosted: Any) -> None:
    """Its trees are given the columns that its own encoder makes, and do not count them."""
    if "_predictors" not in vars(boosted):
        return
    width = attribute(boosted, "n_features_in_")
    categorical = np.asarray(attribute(boosted, "_bin_mapper").is_categorical_)
    require(
        categorical.shape == (width,), f"takes {width} columns, and knows of {categorical.size} what they are"
    )
    _check_encoder(vars(boosted).get("_preprocessor"), width)
    for trees in boosted._predictors:
        for tree in trees:
            inner = tree.nodes[tree.nodes["is_leaf"] == 0]
            within("a node's column", inner["feature_idx"], 0, width)
            chosen = inner["feature_idx"][inner["is_categorical"] != 0]
            require(bool(np.all(categorical[chosen])), "a node asks a number's column for its category")


def _check_encoder(encoder: Any, width: int) -> None:
    """It makes as many columns as it takes: each is encoded, or handed on."""
    if encoder is None:
        return
    parts = [(part, columns) for _, part, columns in encoder.transformers_ if part != "drop"]
    kinds = [type(part).__name__ for part, _ in parts]
    require(kinds == ["OrdinalEncoder", "FunctionTransformer"], f"its encoder is made of {kinds}")
    chosen = [np.asarray(columns) for _, columns in parts]
    if any(each.dtype != bool or each.shape != (width,) for each in chosen):
        raise Unsound("its encoder's columns are not a choice of its own")
    require(bool(np.all(chosen[0] ^ chosen[1])), "its encoder leaves columns out")
