"""Rows without names: values in the order of the schema's fields."""

from __future__ import annotations

from stream.rest.problems import wrong_shape
from stream.rest.served_model import Row, Served
from stream.types import shown

__all__ = ["by_position"]


def by_position(served: Served, row: object, place: str) -> Row:
    """
    Name a row's values.

    Args:
        served: the model.
        row: a list: the features in the schema's order, with the carried fields or without; or the array
            itself for a model that takes one.
        place: where the row is, for messages.
    Raises: Problem 422 when it is not a list, or has another length.
    """
    features = served.unnamed[0]
    if isinstance(row, list):
        for names in served.unnamed:
            if len(row) == len(names) and not (
                len(row) == 1 and served.manifest.inputs == "vector" and not isinstance(row[0], list)
            ):
                return dict(zip(names, row, strict=True))
        if served.manifest.inputs == "vector":
            return {features[0]: row}
    found = f"{len(row)} values" if isinstance(row, list) else shown(row)
    raise wrong_shape(f"{place}: expected {len(features)} values ({', '.join(features)}), found {found}")
