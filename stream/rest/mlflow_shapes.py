"""The JSON shapes of MLflow's scoring server: `dataframe_records`, `dataframe_split`, `instances`, `inputs`."""

from __future__ import annotations

from collections.abc import Mapping

from stream.rest.problems import wrong_shape
from stream.rest.rows_by_position import by_position
from stream.rest.served_model import Served
from stream.types import shown

__all__ = ["rows_of"]

_SHAPES = ("dataframe_records", "dataframe_split", "instances", "inputs")


def rows_of(served: Served, content: object) -> list[object]:
    """
    Find the rows of a request.

    Args:
        served: the model.
        content: the body.
    Returns: the rows; one that is not an object does not fit.
    Raises: Problem 422.
    """
    shapes = content if isinstance(content, dict) else {}
    found = [name for name in _SHAPES if name in shapes]
    if len(found) != 1:
        raise wrong_shape(
            f"expected an object with one of {', '.join(_SHAPES)}, found {' and '.join(found) or 'none of them'}"
        )
    name, given = found[0], shapes[found[0]]
    if name == "dataframe_split":
        return _split(given)
    if name == "inputs" and isinstance(given, dict):
        return _columns(given)
    if not isinstance(given, list):
        raise wrong_shape(f"{name}: expected a list, found {shown(given)}")
    if name == "dataframe_records":
        return given
    return [
        row if isinstance(row, dict) else by_position(served, row, f"{name}[{i}]")
        for i, row in enumerate(given)
    ]


def _split(given: object) -> list[object]:
    """`{"columns": […], "data": [[…]]}`."""
    columns = given.get("columns") if isinstance(given, dict) else None
    data = given.get("data") if isinstance(given, dict) else None
    if not isinstance(columns, list) or not isinstance(data, list):
        raise wrong_shape("dataframe_split: expected an object with the lists columns and data")
    if not all(isinstance(name, str) for name in columns) or len(set(columns)) < len(columns):
        raise wrong_shape("dataframe_split: expected columns to be texts, each once")
    rows: list[object] = []
    for number, row in enumerate(data):
        if not isinstance(row, list) or len(row) != len(columns):
            raise wrong_shape(f"dataframe_split: data[{number}]: expected a list of {len(columns)} values")
        rows.append(dict(zip(columns, row, strict=True)))
    return rows


def _columns(given: Mapping[str, object]) -> list[object]:
    """`{"name": […], …}`; a single value is a column of one row."""
    columns = {name: values if isinstance(values, list) else [values] for name, values in given.items()}
    lengths = {len(values) for values in columns.values()}
    if len(lengths) > 1:
        raise wrong_shape(f"inputs: expected columns of equal length, found {sorted(lengths)}")
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
