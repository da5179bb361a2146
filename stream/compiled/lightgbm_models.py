"""
LightGBM's boosters as graphs, from the model that they tell of themselves.

Source: github.com/microsoft/LightGBM, include/LightGBM/tree.h, `NumericalDecision` and `CategoricalDecision`;
src/application/predictor.hpp, `CopyToPredictBuffer`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from stream.compiled.answer_graph import Answer, binary, by_softmax, logistic
from stream.compiled.category_codes import category_codes
from stream.compiled.fitted_trees import Splits
from stream.compiled.onnx_graph import Graph, Unsupported, Value
from stream.compiled.tensor_table import Table
from stream.compiled.thresholds import Thresholds
from stream.compiled.tree_ensemble import Tree, sum_of_leaves
from stream.compiled.tree_models import with_splits

__all__ = ["lightgbm"]

_IDENTITY = ("regression", "regression_l1", "huber", "fair", "quantile", "mape")
_DUST = float(np.float32(1e-35))
"""LightGBM's `kZeroThreshold`; include/LightGBM/meta.h."""

_EXP = ("poisson", "gamma", "tweedie")


def lightgbm(graph: Graph, estimator: Any, table: Table, seen: Thresholds) -> Answer:
    """`LGBMClassifier`, `LGBMRegressor`."""
    told: Mapping[str, Any] = estimator.booster_.dump_model()
    outputs = told["num_tree_per_iteration"]
    if told.get("average_output") or "tree_info" not in told:
        raise Unsupported("its trees are averaged")
    categories = [place for place, coded in enumerate(_coded(table)) if coded]
    known = dict(zip(categories, told.get("pandas_categorical") or (), strict=False))
    if len(known) < len(categories):
        raise Unsupported("it is given texts that it does not know as categories")
    numbers = [place for place in range(table.width) if place not in known]
    columns = {place: column for column, place in enumerate(numbers)}
    codes: dict[int, Value] = {}
    counts: dict[int, int] = {}
    for place, values in known.items():
        block = table.taken(graph, [place]).blocks[0]
        codes[place], counts[place] = category_codes(graph, block, np.array(values, object), missing=False)
    splits = Splits(counts, len(numbers))
    trees = [
        _tree(one["tree_structure"], columns, splits, number % outputs, outputs)
        for number, one in enumerate(told["tree_info"])
    ]
    rest = table.taken(graph, numbers)
    matrix = with_splits(graph, _without_dust(graph, rest) if numbers else rest, splits, codes)
    seen.add(rest.origins, trees)
    return _linked(graph, told["objective"], sum_of_leaves(graph, matrix, trees))


def _without_dust(graph: Graph, table: Table) -> Table:
    """Numbers next to 0 as 0, as its predictor has them."""
    block = table.matrix(graph)
    dust = graph.add("LessOrEqual", graph.add("Abs", block.value), graph.constant(np.float64(_DUST)))
    return Table(
        (replace(block, value=graph.add("Where", dust, graph.constant(np.float64(0)), block.value)),)
    )


def _coded(table: Table) -> list[bool]:
    """By column, whether it is texts, or codes of categories."""
    return [block.text for block in table.blocks for _ in range(block.width)]


def _linked(graph: Graph, objective: str, raw: Value) -> Answer:
    name, *options = objective.split()
    if name == "binary":
        scale = float(dict(option.split(":") for option in options if ":" in option).get("sigmoid", 1.0))
        return binary(graph, raw, logistic(graph, raw if scale == 1.0 else graph.combined("Mul", raw, scale)))
    if name == "multiclass":
        return by_softmax(graph, raw)
    if name in _IDENTITY and "sqrt" not in options:
        return Answer(value=raw)
    if name in _EXP:
        return Answer(value=graph.add("Exp", raw))
    raise Unsupported(f"its objective is {objective}")


def _tree(
    root: Mapping[str, Any], columns: Mapping[int, int], splits: Splits, output: int, outputs: int
) -> Tree:
    """The nodes as they are met from the root, depth by depth."""
    nodes: list[Mapping[str, Any]] = [root]
    feature, threshold, left, right, missing_left = [], [], [], [], []
    values = []
    for node in nodes:  # which grows
        if "split_feature" not in node:
            if "leaf_const" in node or "leaf_coeff" in node:
                raise Unsupported("its leaves are linear models")
            feature.append(0)
            threshold.append(0.0)
            missing_left.append(False)
            left.append(-1)
            right.append(-1)
            values.append(float(node["leaf_value"]))
            continue
        column, limit, missing = _split(node, columns, splits)
        feature.append(column)
        threshold.append(limit)
        missing_left.append(missing)
        left.append(len(nodes))
        right.append(len(nodes) + 1)
        nodes += [node["left_child"], node["right_child"]]
        values.append(0.0)
    found = np.zeros((len(nodes), outputs))
    found[:, output] = values
    return Tree(
        np.array(feature, np.int64), np.array(threshold, np.float64), np.array(left, np.int64),
        np.array(right, np.int64), np.array(missing_left, np.bool_), found,
    )  # fmt: skip


def _split(node: Mapping[str, Any], columns: Mapping[int, int], splits: Splits) -> tuple[int, float, bool]:
    """Column, threshold, and whether a missing value goes left."""
    place = int(node["split_feature"])
    if node["decision_type"] == "==":
        if place in columns:
            raise Unsupported("it takes numbers for categories")
        return splits.column(place, _bits(node["threshold"]), missing_left=False), 0.5, False
    if place not in columns or node["decision_type"] != "<=":
        raise Unsupported(f"it decides by {node['decision_type']}")
    limit = float(node["threshold"])
    match node["missing_type"]:
        case "None":
            return columns[place], limit, limit >= 0.0  # NaN is taken for 0
        case "NaN":
            return columns[place], limit, bool(node["default_left"])
    raise Unsupported("it takes 0 for a missing number")


def _bits(threshold: str) -> Any:
    """The categories that go left, such as `0||3`, as a bitset of 32 each."""
    codes = [int(code) for code in threshold.split("||")]
    found = np.zeros(max(codes) // 32 + 1, np.uint32)
    for code in codes:
        found[code // 32] |= np.uint32(1 << (code % 32))
    return found
