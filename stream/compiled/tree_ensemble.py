"""
Trees as ONNX has them: one `TreeEnsembleRegressor` whose sum is a double's.

The operator compares doubles, and adds in doubles, but its output is float32. So each leaf's value is split into parts,
each a multiple of a power of two coarse enough for the sum over all trees to fit float32's 24 bits: the parts' sums are
exact, and added as doubles they are the sum of the values. Three parts carry 72 bits.

Source: github.com/onnx/onnx, docs/Operators-ml.md, `TreeEnsembleRegressor` of opset 3.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from stream.compiled.onnx_graph import ML, Graph, Unsupported, Value

__all__ = ["Tree", "sum_of_leaves"]

_BITS = 24
"""Of float32's significand."""

_PARTS = 3

_LARGEST_POWER = 1_000
"""Of two: leaves that are smaller still are brought as near to 1 as a double can be."""

Doubles = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Tree:
    """
    A tree of n nodes, the root first.

    Attributes:
        feature: shape (n,), the column that a node asks.
        threshold: shape (n,); a value ≤ threshold goes left.
        left: shape (n,), the next node; -1 for a leaf.
        right: shape (n,).
        missing_left: shape (n,), whether NaN goes left.
        values: shape (n, k), of leaves; other nodes' don't count.
    """

    feature: Integers
    threshold: Doubles
    left: Integers
    right: Integers
    missing_left: npt.NDArray[np.bool_]
    values: Doubles

    @property
    def leaves(self) -> npt.NDArray[np.bool_]:
        """Which nodes are leaves, shape (n,)."""
        return self.left < 0


def sum_of_leaves(graph: Graph, matrix: Value, trees: Sequence[Tree]) -> Value:
    """
    What the leaves add up to.

    Args:
        graph: where it is computed.
        matrix: doubles, shape (rows, columns).
        trees: one at least, all with the same number of values per leaf.
    Returns: doubles, shape (rows, k).
    Raises: Unsupported where the sum may be infinite.
    """
    leaves = np.concatenate([tree.values[tree.leaves] for tree in trees])
    largest = float(sum(np.abs(tree.values[tree.leaves]).max() for tree in trees))
    if not math.isfinite(largest):
        raise Unsupported("the sum of its leaves may be larger than a double")
    # As near to 1 as a power of two brings it: float32 has a shorter range than double.
    power = 2.0 ** min(-math.frexp(largest)[1], _LARGEST_POWER)
    parts = _parts(leaves * power, largest * power, len(trees))
    found = graph.add(
        "TreeEnsembleRegressor", matrix, domain=ML, aggregate_function="SUM", post_transform="NONE",
        n_targets=sum(part.shape[1] for part in parts), **_nodes(trees), **_leaves(trees, parts),
    )  # fmt: skip
    total = graph.cast(found, "DOUBLE")
    width = trees[0].values.shape[1]
    # Smallest first: what is lost by rounding is then less than half a unit of the last place of the sum.
    pieces = [graph.taken(total, range(number * width, (number + 1) * width)) for number in range(len(parts))]
    summed = pieces[-1]
    for piece in reversed(pieces[:-1]):
        summed = graph.add("Add", summed, piece)
    return summed if power == 1.0 else graph.combined("Mul", summed, 1 / power)


def _nodes(trees: Sequence[Tree]) -> dict[str, object]:
    leaves = np.concatenate([tree.leaves for tree in trees])
    return {
        "nodes_treeids": np.repeat(np.arange(len(trees)), [len(tree.left) for tree in trees]).tolist(),
        "nodes_nodeids": np.concatenate([np.arange(len(tree.left)) for tree in trees]).tolist(),
        "nodes_featureids": np.where(leaves, 0, np.concatenate([tree.feature for tree in trees])).tolist(),
        "nodes_modes": np.where(leaves, "LEAF", "BRANCH_LEQ").tolist(),
        "nodes_values_as_tensor": _tensor(
            np.where(leaves, 0.0, np.concatenate([tree.threshold for tree in trees]))
        ),
        "nodes_truenodeids": np.where(leaves, 0, np.concatenate([tree.left for tree in trees])).tolist(),
        "nodes_falsenodeids": np.where(leaves, 0, np.concatenate([tree.right for tree in trees])).tolist(),
        "nodes_missing_value_tracks_true": np.where(
            leaves, 0, np.concatenate([tree.missing_left for tree in trees])
        ).tolist(),
    }


def _leaves(trees: Sequence[Tree], parts: Sequence[Doubles]) -> dict[str, object]:
    """A row per leaf and target whose value isn't 0, and at least one per leaf."""
    weights = np.hstack(parts)
    wanted = weights != 0.0
    wanted[:, 0] |= ~wanted.any(axis=1)
    which, targets = np.nonzero(wanted)
    numbers = np.concatenate([np.full(int(tree.leaves.sum()), i) for i, tree in enumerate(trees)])
    places = np.concatenate([np.flatnonzero(tree.leaves) for tree in trees])
    return {
        "target_treeids": numbers[which].tolist(),
        "target_nodeids": places[which].tolist(),
        "target_ids": targets.tolist(),
        "target_weights_as_tensor": _tensor(weights[which, targets]),
    }


def _parts(rest: Doubles, largest: float, trees: int) -> list[Doubles]:
    """Leaves' values, shape (leaves, k), as a sum of arrays of that shape; arrays of zeros are left out."""
    parts: list[Doubles] = []
    while len(parts) < _PARTS and (not parts or rest.any()):
        unit = 2.0 ** (math.frexp(largest)[1] + 1 - _BITS) if largest else 1.0
        part = np.rint(rest / unit) * unit
        parts.append(part)
        rest = rest - part  # exact: both are multiples of the value's last place
        largest = trees * unit / 2
    return parts


def _tensor(values: Doubles) -> object:
    from onnx import numpy_helper

    return numpy_helper.from_array(values.astype(np.float64), "values")
