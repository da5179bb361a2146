"""Rows without names, such as a csv without a header: values in the order of the schema's fields."""

from __future__ import annotations

from typing import Any

from stream.rest.problems import wrong_shape
from stream.rest.served_model import Row, Served
from stream.types import shown

__all__ = ["by_position"]


def by_position(served: Served, row: Any, place: str) -> Row:
    """
    Name a row's values.

    Args:
        served: the model.
        row: a list: the features in the schema's order, with the carried fields or without; or the array
            itself for a model that takes one.
        place: where the row is, for messages.
    Raises: Problem 422 when it has another length.
    """
    features, leaves = served.features, served.leaves
    if isinstance(row, list):
        for chosen in (features, leaves):
            if len(row) == len(chosen) and not (
                len(row) == 1 and served.inputs == "vector" and not isinstance(row[0], list)
            ):
                return {leaf.path: value for leaf, value in zip(chosen, row, strict=True)}
        if served.inputs == "vector":
            return {features[0].path: row}
    found = f"{len(row)} values" if isinstance(row, list) else shown(row)
    names = ", ".join(served.names[leaf.path] for leaf in features)
    raise wrong_shape(f"{place}: expected {len(features)} values ({names}), found {found}")
