"""
The JSON shapes of MLflow's scoring server: `dataframe_records`, `dataframe_split`, `instances`, `inputs`; and
SageMaker's, a list of rows.

Source: mlflow.org/docs/latest, "Local Inference Server", "Accepted Input Formats".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from stream.rest.problems import wrong_shape
from stream.rest.rows_by_position import MakeRow, by_position, row_maker
from stream.rest.served_model import Row, Served
from stream.types import shown

__all__ = ["listed_rows", "row_of", "rows_of"]

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
    if isinstance(content, list):
        return listed_rows(served, content, "")
    shapes = content if isinstance(content, dict) else {}
    found = [name for name in _SHAPES if name in shapes]
    if len(found) != 1:
        raise wrong_shape(
            f"expected an object with one of {', '.join(_SHAPES)}, or a list of rows, found "
            f"{' and '.join(found) or 'none of them'}"
        )
    return _shaped(served, found[0], shapes[found[0]])


def listed_rows(served: Served, rows: Sequence[object], place: str, *, lists: bool = True) -> list[object]:
    """
    The rows of a list.

    Args:
        served: the model.
        rows: as the request has them.
        place: where the list is, for messages.
        lists: as `row_of`.
    Raises: Problem 422, as `row_of`.
    """
    return [row_of(served, row, f"{place}[{i}]", lists=lists) for i, row in enumerate(rows)]


def row_of(served: Served, row: object, place: str, *, lists: bool = True) -> object:
    """
    A row.

    Args:
        served: the model.
        row: an object, whose keys may be the labels of columns without names; a list by position, or a value.
        place: where it is, for messages.
        lists: whether a row may be a list or a value; else such a row is left as it is, and does not fit.
    Raises: Problem 422 when it has another number of values than the model has features.
    """
    if isinstance(row, dict):
        if "0" in row and not served.names_feature(row):
            row = row_maker(served, list(row), place)(list(row.values()))
        return _without_nat(served, row)
    return _without_nat(served, by_position(served, row, place)) if lists else row


def _without_nat(served: Served, row: object) -> object:
    """A row without pandas' NaT, which MLflow's clients write as a text, in its fields of dates and times."""
    if served.times and isinstance(row, dict) and "NaT" in row.values():
        return {
            name: None if value == "NaT" and name in served.times else value for name, value in row.items()
        }
    return row


def _shaped(served: Served, name: str, given: object) -> list[object]:
    """The rows of one of the shapes."""
    if name == "dataframe_split":
        return [_without_nat(served, row) for row in _split(served, given)]
    if name == "inputs" and isinstance(given, dict):
        return [_without_nat(served, row) for row in _columns(served, given)]
    if not isinstance(given, list):
        raise wrong_shape(f"{name}: expected a list, found {shown(given)}")
    return listed_rows(served, given, name, lists=name != "dataframe_records")


def _split(served: Served, given: object) -> list[object]:
    """`{"columns": […], "index": […], "data": [[…]]}`, of which only the data must be there."""
    data = given.get("data") if isinstance(given, dict) else None
    if not isinstance(given, dict) or not isinstance(data, list):
        raise wrong_shape(
            f"dataframe_split: expected an object with the lists columns and data, found {shown(given)}"
        )
    index = given.get("index")
    if isinstance(index, list) and len(index) != len(data):
        raise wrong_shape(f"dataframe_split: index has {len(index)} entries, data {len(data)}")
    columns = given.get("columns")
    if columns is None or (columns == [] == data):
        return [by_position(served, row, f"dataframe_split: data[{i}]") for i, row in enumerate(data)]
    if not isinstance(columns, list):
        raise wrong_shape(f"dataframe_split: columns: expected a list, found {shown(columns)}")
    make = row_maker(served, columns, "dataframe_split: columns")
    return [_cells(make, row, len(columns), i) for i, row in enumerate(data)]


def _cells(make: MakeRow, row: object, width: int, number: int) -> Row:
    if width == 1 and not isinstance(row, list | dict):
        return make([row])
    if not isinstance(row, list) or len(row) != width:
        raise wrong_shape(f"dataframe_split: data[{number}]: expected a list of {width} values")
    return make(row)


def _columns(served: Served, given: Mapping[str, object]) -> list[object]:
    """`{"name": […], …}`; a single value is a column of one row."""
    columns = {name: values if isinstance(values, list) else [values] for name, values in given.items()}
    lengths = {len(values) for values in columns.values()}
    if len(lengths) > 1:
        raise wrong_shape(f"inputs: expected columns of equal length, found {sorted(lengths)}")
    make = row_maker(served, list(columns), "inputs")
    return [make(row) for row in zip(*columns.values(), strict=True)]
