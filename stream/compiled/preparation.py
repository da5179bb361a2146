"""scikit-learn's steps before a model as graphs: imputers, scalers, encoders, selections, projections."""

from __future__ import annotations

import itertools
import warnings
from dataclasses import replace
from typing import Any

import numpy as np

from stream.compiled.category_codes import category_codes, is_missing
from stream.compiled.engine_layout import Lexicon
from stream.compiled.onnx_graph import ML, Graph, Unsupported, Value
from stream.compiled.tensor_table import Block, Origin, Table, number_block

__all__ = ["encoded", "imputed", "projected", "rescaled", "selected"]


def imputed(graph: Graph, imputer: Any, table: Table) -> Table:
    """`SimpleImputer`, with its indicator."""
    wanted = imputer.missing_values
    texts = [block.text for block in table.blocks]
    if any(texts):
        if not all(texts):
            raise Unsupported("an imputer is given numbers and texts together")
        return _imputed_texts(graph, imputer, table)
    if not (isinstance(wanted, (int, float)) or is_missing(wanted)):
        raise Unsupported(f"an imputer of numbers looks for {wanted!r}")
    block = table.matrix(graph)
    if is_missing(wanted):
        gaps = graph.is_missing(block.value)
    else:
        gaps = graph.add("Equal", block.value, graph.constant(np.float64(wanted)))
    values = np.array([np.nan if is_missing(one) else float(one) for one in imputer.statistics_])
    if block.element == "float32":
        values = values.astype(np.float32).astype(np.float64)
    kept = [place for place, one in enumerate(values) if imputer.keep_empty_features or not np.isnan(one)]
    filled = graph.add("Where", gaps, graph.constant(values.reshape(1, -1)), block.value)
    found = replace(block, value=filled).taken(graph, kept)
    if imputer.indicator_ is None:
        return Table((found,))
    marked = imputer.indicator_.features_.tolist()
    marks = graph.cast(graph.taken(gaps, marked), "DOUBLE")
    return Table((found, number_block(marks, len(marked))))


def _imputed_texts(graph: Graph, imputer: Any, table: Table) -> Table:
    if imputer.add_indicator or len(imputer.statistics_) != table.width:
        raise Unsupported("an imputer of texts adds an indicator, or drops a column")
    names = {None: "None"}
    looked_for = names.get(imputer.missing_values, "NaN" if is_missing(imputer.missing_values) else "")
    blocks: list[Block] = []
    column = 0
    for block in table.blocks:
        for place in range(block.width):
            one, fill = block.taken(graph, [place]), imputer.statistics_[column]
            column += 1
            if not isinstance(fill, str):
                raise Unsupported(f"an imputer of texts fills in {fill!r}")
            blocks.append(_filled_text(graph, one, fill, looked_for))
    return Table(tuple(blocks))


def _filled_text(graph: Graph, block: Block, fill: str, looked_for: str) -> Block:
    if block.missing is None or block.missing != looked_for:
        return block
    if block.lexicon is not None:
        return _filled_code(graph, block, fill, block.lexicon)
    empty = graph.add(
        "LabelEncoder", block.value, domain=ML, default_int64=0, keys_strings=[""], values_int64s=[1]
    )
    content = graph.constant(np.array([[fill]], object))
    return replace(
        block, value=graph.add("Where", graph.cast(empty, "BOOL"), content, block.value), missing=None
    )


def _filled_code(graph: Graph, block: Block, fill: str, lexicon: Lexicon) -> Block:
    if fill not in lexicon.values:
        raise Unsupported(f"an imputer fills in {fill!r}, which nothing after it knows")
    code = graph.constant(np.array([[lexicon.values.index(fill)]], np.float64))
    gaps = graph.add("Equal", block.value, graph.constant(np.array([[lexicon.missing]], np.float64)))
    return replace(block, value=graph.add("Where", gaps, code, block.value))


def rescaled(graph: Graph, scaler: Any, table: Table) -> Table:
    """`StandardScaler`, `RobustScaler`, `MaxAbsScaler`, `MinMaxScaler`: the same operations in the same order."""
    block = table.matrix(graph)
    if not hasattr(scaler, "max_abs_"):
        block = _in_doubles(block, scaler)
    if hasattr(scaler, "data_min_"):
        found = graph.combined("Mul", block.value, scaler.scale_.reshape(1, -1))
        found = graph.combined("Add", found, scaler.min_.reshape(1, -1))
        found = _clipped(graph, scaler, found)
        return Table((_moved(block, found, -scaler.min_ / scaler.scale_, 1 / scaler.scale_),))
    shift = getattr(scaler, "center_", None)
    if hasattr(scaler, "with_mean"):
        shift = scaler.mean_ if scaler.with_mean else None
    scale = scaler.scale_ if getattr(scaler, "with_std", True) else None
    found = block.value
    if shift is not None:
        found = graph.combined("Sub", found, np.asarray(shift).reshape(1, -1))
    if scale is not None:
        found = graph.combined("Div", found, np.asarray(scale).reshape(1, -1))
    if block.element == "float32":  # one quotient, rounded once more, is float32's own
        found = graph.rounded(found)
    found = _clipped(graph, scaler, found)
    shifts = np.zeros(block.width) if shift is None else np.asarray(shift, np.float64)
    scales = np.ones(block.width) if scale is None else np.asarray(scale, np.float64)
    return Table((_moved(block, found, shifts, scales),))


def _in_doubles(block: Block, step: Any) -> Block:
    """
    What a step computes with.

    Raises: Unsupported where that is float32: how it rounds is its own, and trees after it would decide otherwise.
    """
    if block.element == "float32":
        raise Unsupported(f"{type(step).__name__} is given float32, and computes in it")
    return block


def _clipped(graph: Graph, scaler: Any, value: Value) -> Value:
    """Between the ends of the scaler's range, where it is set to that: `MinMaxScaler`, `MaxAbsScaler`."""
    if not getattr(scaler, "clip", False):
        return value
    ends = getattr(scaler, "feature_range", (-1, 1))
    return graph.add("Clip", value, *(graph.constant(np.float64(end)) for end in ends))


def _moved(block: Block, value: Value, shifts: Any, scales: Any) -> Block:
    """The block with other values = (old - shift) / scale, for what is said of where they are from."""
    origins = [
        None
        if old is None
        else Origin(old.place, old.shift + float(shift) * old.scale, float(scale) * old.scale)
        for old, shift, scale in zip(block.origins, shifts, scales, strict=True)
    ]
    return Block(value, tuple(origins), element=block.element)


def encoded(graph: Graph, encoder: Any, table: Table) -> Table:
    """`OneHotEncoder`, `OrdinalEncoder`, `TargetEncoder`: a category's row of numbers, asked of the encoder itself."""
    blocks: list[Block] = []
    for column, categories in enumerate(encoder.categories_):
        block = table.taken(graph, [column]).blocks[0]
        codes, count = category_codes(graph, block, categories)
        rows = _rows(encoder, column, count)
        blocks.append(number_block(graph.add("Gather", graph.constant(rows), codes, axis=0), rows.shape[1]))
    return Table(tuple(block for block in blocks if block.width))


def _rows(encoder: Any, column: int, count: int) -> Any:
    """What the encoder makes of each category of a column, and of one that it does not know: shape (count + 1, k)."""
    asked = np.empty((count, len(encoder.categories_)), object)
    for other, categories in enumerate(encoder.categories_):
        asked[:, other] = categories if other == column else categories[0]
    known = _asked(encoder, asked)[:, _columns_of(encoder, column)]
    if getattr(encoder, "handle_unknown", "ignore") == "error":
        return np.vstack([known, np.zeros((1, known.shape[1]))])  # the encoder answers no such row
    unknown = asked[:1].copy()
    unknown[0, column] = _stranger(encoder.categories_[column])
    return np.vstack([known, _asked(encoder, unknown)[:, _columns_of(encoder, column)]])


def _asked(encoder: Any, rows: Any) -> Any:
    import pandas as pd

    names = getattr(encoder, "feature_names_in_", None)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a category is not known
        found = encoder.transform(rows if names is None else pd.DataFrame(rows, columns=names, dtype=object))
    return np.asarray(found.toarray() if hasattr(found, "toarray") else found, np.float64)


def _columns_of(encoder: Any, column: int) -> slice:
    """The columns that an encoder makes of one of its own."""
    if hasattr(encoder, "drop_idx_"):
        widths = encoder._n_features_outs
    else:
        per_column = len(encoder.classes_) if getattr(encoder, "target_type_", "") == "multiclass" else 1
        widths = [per_column] * len(encoder.categories_)
    start = sum(widths[:column])
    return slice(start, start + widths[column])


def _stranger(categories: Any) -> object:
    """A value that is none of the categories, and of their kind."""
    present = [value for value in categories if not is_missing(value)]
    if any(isinstance(value, str) for value in present):
        return max(present) + "\x7f"
    return next(float(number) for number in itertools.count() if number not in present)


def selected(graph: Graph, selector: Any, table: Table) -> Table:
    """scikit-learn's feature selection: some of the columns."""
    return table.taken(graph, np.flatnonzero(selector.get_support()).tolist())


def projected(graph: Graph, projection: Any, table: Table) -> Table:
    """`PCA` and `TruncatedSVD`."""
    block = _in_doubles(table.matrix(graph), projection)
    axes = projection.components_.T
    found = graph.add("MatMul", block.value, graph.constant(np.ascontiguousarray(axes, np.float64)))
    mean = getattr(projection, "mean_", None)
    if mean is not None:
        found = graph.combined("Sub", found, mean.reshape(1, -1) @ axes)
    if getattr(projection, "whiten", False):
        scale = np.sqrt(projection.explained_variance_)
        smallest = np.finfo(scale.dtype).eps
        found = graph.combined("Div", found, np.maximum(scale, smallest).reshape(1, -1))
    return Table((number_block(found, axes.shape[1]),))
