"""Which of the known categories a value is, as a number: the last number is for all others."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from stream.compiled.engine_layout import Lexicon
from stream.compiled.onnx_graph import ML, Graph, Unsupported, Value
from stream.compiled.tensor_table import Block

__all__ = ["category_codes", "is_missing"]


def is_missing(value: object) -> bool:
    """Whether a category is None or NaN."""
    return value is None or value != value


def category_codes(
    graph: Graph, block: Block, categories: npt.NDArray[Any], *, missing: bool = True
) -> tuple[Value, int]:
    """
    The codes of a column.

    Args:
        graph: where they are computed.
        block: of one column.
        categories: that are known, in the encoder's order.
        missing: whether a missing value that is among the categories has its own code, or that of all others.
    Returns: whole numbers, shape (n,), and how many categories have one.
    Raises: Unsupported where the categories are not of the column's type.
    """
    known = [value.item() if isinstance(value, np.generic) else value for value in categories]
    present = [(code, value) for code, value in enumerate(known) if not is_missing(value)]
    gaps = [code for code, value in enumerate(known) if is_missing(value)] if missing else []
    count = len(known) if missing else len(present)
    if block.lexicon is not None:
        wanted = _wanted(known, gaps, block) if missing else None
        return _of_codes(
            graph, block, block.lexicon, count, {value: code for code, value in present}, wanted
        ), count
    if block.text:
        return graph.flat(_of_texts(graph, block, known, count, present, gaps)), count
    return _of_numbers(graph, block, count, present, gaps), count


def _wanted(known: list[Any], gaps: list[int], block: Block) -> int | None:
    """The code of a missing value: None and NaN are two categories, and the one that the model is given counts."""
    return next((code for code in gaps if (known[code] is None) == (block.missing == "None")), None)


def _of_codes(
    graph: Graph, block: Block, lexicon: Lexicon, count: int, present: dict[Any, int], gap: int | None
) -> Value:
    """The encoder's code for each of the lexicon's."""
    if not present.keys() <= set(lexicon.values):
        raise Unsupported("it encodes a column by categories that are not known of the column")
    codes = [present.get(value, count) for value in lexicon.values]
    order = graph.constant(np.array([*codes, count if gap is None else gap, count], np.int64))
    return graph.add("Gather", order, graph.flat(graph.cast(block.value, "INT64")), axis=0)


def _of_texts(
    graph: Graph,
    block: Block,
    known: list[Any],
    count: int,
    present: list[tuple[int, Any]],
    gaps: list[int],
) -> Value:
    if not all(isinstance(value, str) for _, value in present):
        raise Unsupported("it encodes a column of texts by categories that are none")
    keys = {value: code for code, value in present}
    if block.missing is not None:
        if "" in keys:
            raise Unsupported(
                "a text that is missing stands as the empty one, which is a category of its own"
            )
        wanted = _wanted(known, gaps, block)
        keys[""] = count if wanted is None else wanted
    return graph.add(
        "LabelEncoder", block.value, domain=ML, default_int64=count,
        keys_strings=list(keys), values_int64s=list(keys.values()),
    )  # fmt: skip


def _of_numbers(
    graph: Graph, block: Block, count: int, present: list[tuple[int, Any]], gaps: list[int]
) -> Value:
    if not all(isinstance(value, (int, float)) for _, value in present):
        raise Unsupported("it encodes a column of numbers by categories that are none")
    values = np.array([[float(value) for _, value in present]])
    matches = [graph.add("Equal", block.value, graph.constant(values))] if present else []
    codes = [code for code, _ in present]
    if gaps:
        matches.append(graph.is_missing(block.value))
        codes.append(gaps[0])
    if not matches:
        raise Unsupported("it encodes a column of which it knows no value")
    # The first that matches; a last column that always does stands for all others.
    hits = [graph.cast(match, "DOUBLE") for match in matches]
    never = graph.add(
        "Mul", graph.cast(graph.is_missing(block.value), "DOUBLE"), graph.constant(np.float64(0))
    )
    hits.append(graph.add("Add", never, graph.constant(np.float64(0.5))))
    first = graph.add("ArgMax", graph.joined(hits), axis=1, keepdims=0)
    order = graph.constant(np.array([*codes, count], np.int64))
    return graph.add("Gather", order, first, axis=0)
