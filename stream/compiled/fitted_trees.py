"""scikit-learn's fitted trees, one by one: decision trees, and those of histogram boosting."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from stream.compiled.tree_ensemble import Tree

__all__ = ["Splits", "decision_tree", "histogram_tree"]


def decision_tree(estimator: Any, factor: float = 1.0) -> Tree:
    """
    A tree of `sklearn.tree`.

    Args:
        estimator: fitted, with one output.
        factor: each leaf's values are multiplied by it.
    Returns: with thresholds for float32 values, each compared as a double.
    """
    tree = estimator.tree_
    return Tree(
        tree.feature.astype(np.int64),
        tree.threshold.astype(np.float64),
        tree.children_left.astype(np.int64),
        tree.children_right.astype(np.int64),
        tree.missing_go_to_left.astype(np.bool_),
        factor * tree.value[:, 0, :],
    )


class Splits:
    """
    The splits of histogram boosting by category, each as a column of its own.

    A node that asks for a set of categories becomes one that asks a column whether it is ≤ 1/2: the column is 0 for the
    categories that go left, else 1; a table has a row for each category, and a last one for all others.

    Args:
        categories: by column, how many it has, coded 0, 1 …
        width: columns before those of the splits.
    """

    def __init__(self, categories: dict[int, int], width: int) -> None:
        self._categories = categories
        self._width = width
        self._columns: dict[tuple[int, bytes], tuple[int, npt.NDArray[np.float64]]] = {}

    def column(self, feature: int, left: npt.NDArray[np.uint32], *, missing_left: bool) -> int:
        """
        The column of a split.

        Args:
            feature: that it asks.
            left: bits of the categories that go left.
            missing_left: whether all others do.
        Returns: its number in the trees' matrix.
        """
        codes = np.arange(self._categories[feature])
        words = np.append(left, np.zeros(1, left.dtype))  # of codes beyond those that go left
        goes_left = np.append(
            (words[np.minimum(codes // 32, len(left))] >> (codes % 32)) & 1, missing_left
        ).astype(np.bool_)
        key = feature, goes_left.tobytes()
        if key not in self._columns:
            self._columns[key] = self._width + len(self._columns), np.where(goes_left, 0.0, 1.0)
        return self._columns[key][0]

    def tables(self) -> list[tuple[int, npt.NDArray[np.float64], list[int]]]:
        """By feature: its number, a table of shape (categories + 1, splits), the splits' columns."""
        found: dict[int, list[tuple[int, npt.NDArray[np.float64]]]] = {}
        for (feature, _), split in self._columns.items():
            found.setdefault(feature, []).append(split)
        return [
            (feature, np.stack([values for _, values in splits], axis=1), [column for column, _ in splits])
            for feature, splits in found.items()
        ]


def histogram_tree(
    predictor: Any, places: npt.NDArray[np.int64], splits: Splits, output: int, outputs: int
) -> Tree:
    """
    A tree of histogram boosting.

    Args:
        predictor: fitted.
        places: by the booster's column, that of the trees' matrix; of categories not asked.
        splits: takes up those by category.
        output: that it adds to.
        outputs: how many there are.
    """
    nodes = predictor.nodes
    leaf = nodes["is_leaf"].astype(np.bool_)
    feature = np.where(leaf, 0, nodes["feature_idx"].astype(np.int64))
    threshold = nodes["num_threshold"].astype(np.float64)
    column = places[feature]
    missing_left = nodes["missing_go_to_left"].astype(np.bool_)
    for node in np.flatnonzero(nodes["is_categorical"].astype(np.bool_) & ~leaf):
        left = predictor.raw_left_cat_bitsets[nodes["bitset_idx"][node]]
        column[node] = splits.column(int(feature[node]), left, missing_left=bool(missing_left[node]))
        threshold[node] = 0.5
    values = np.zeros((len(nodes), outputs))
    values[:, output] = nodes["value"]
    return Tree(
        column,
        threshold,
        np.where(leaf, -1, nodes["left"].astype(np.int64)),
        np.where(leaf, -1, nodes["right"].astype(np.int64)),
        missing_left,
        values,
    )
