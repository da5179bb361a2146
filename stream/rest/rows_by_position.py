"""
Rows without names: values in the order of the schema's fields.

A table's columns have names, or pandas' labels of columns without names (0, 1, …), or nothing at all. Names count where
one of them is a field's; labels, or nothing, are by position; all else is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from stream.rest.problems import wrong_shape
from stream.rest.served_model import Row, Served
from stream.table import quoted
from stream.types import AvroType, List, Misfit, shown

__all__ = [
    "MakeRow",
    "by_position",
    "is_labels",
    "is_list",
    "items_read",
    "listed",
    "named_values",
    "row_maker",
    "widths",
]

_SHOWN = 40
"""Names that a message lists."""

MakeRow: TypeAlias = Callable[[Sequence[object]], Row]
"""Names the values of a row, which are as many as the columns."""


def by_position(served: Served, row: object, place: str) -> Row:
    """
    Name a row's values.

    Args:
        served: the model.
        row: a list: the features in the schema's order, with the carried fields or without; or the array
            itself for a model that takes one; a value for a model of one column.
        place: where the row is, for messages.
    Raises: Problem 422 when it is not a list, or has another length.
    """
    features = served.unnamed[0]
    if isinstance(row, list):
        for names in served.unnamed:
            if len(row) == len(names) and not (
                served.is_vector and not is_list(row[names.index(features[0])])
            ):
                return dict(zip(names, row, strict=True))
        if served.is_vector:
            return {features[0]: row}
    elif len(features) == 1 and not served.is_vector and not isinstance(row, dict):
        return {features[0]: row}
    found = f"{len(row)} values" if isinstance(row, list) else shown(row)
    raise wrong_shape(f"{place}: expected {named_values(served)}, found {found}")


def row_maker(served: Served, labels: Sequence[object], place: str) -> MakeRow:
    """
    Find out what the columns of a table are.

    Args:
        served: the model.
        labels: of n columns, as the request has them.
        place: where they are, for messages.
    Returns: a function that takes n values in the columns' order.
    Raises: Problem 422 when they are not texts or whole numbers, each once; or when none is a feature.
    """
    names = [str(label) for label in labels if isinstance(label, str | int) and not isinstance(label, bool)]
    if len(names) < len(labels) or len(set(names)) < len(names):
        raise wrong_shape(f"{place}: expected texts or whole numbers, each once, found {shown(labels)}")
    if served.names_feature(names):
        return lambda values: dict(zip(names, values, strict=True))
    if not is_labels(names) or len(names) not in widths(served):
        raise wrong_shape(
            f"{place}: none of {quoted(names)} is a field of {served.title}, which takes {named_values(served)}"
        )
    order = sorted(range(len(names)), key=lambda i: int(names[i]))
    return lambda values: by_position(served, [values[i] for i in order], place)


def items_read(served: Served, row: Row) -> Row:
    """A row of texts, such as cells of a csv, whose texts are numbers where they are the items of a vector."""
    if not served.is_vector:
        return row
    name = served.unnamed[0][0]
    texts = row.get(name)
    kind = served.features[0].type
    if not isinstance(texts, list) or not isinstance(kind, List):
        return row
    return {**row, name: [_item(kind.item, text) for text in texts]}


def _item(kind: AvroType, text: str | None) -> object:
    """The value of a text; the text itself where it is none, which is refused when the row is read."""
    try:
        return kind.reader(nullable=False, text=True)(text)
    except Misfit:
        return text


def is_labels(names: Sequence[str]) -> bool:
    """Whether the names are pandas' labels of n columns without names: 0, 1, … n - 1, in any order."""
    return bool(names) and set(names) == {str(i) for i in range(len(names))}


def widths(served: Served) -> set[int]:
    """How many values a row without names may have."""
    return {len(names) for names in served.unnamed} | ({served.manifest.width} if served.is_vector else set())


def named_values(served: Served, width: int | None = None, what: str = "values") -> str:
    """
    Args:
        served: the model.
        width: of a row without names; None for the features alone.
        what: the values are called.
    Returns: what such a row has, for messages.
    """
    if served.is_vector and width not in {len(names) for names in served.unnamed}:
        return f"{served.manifest.width} {what}, those of {served.unnamed[0][0]!r}"
    names = next((names for names in served.unnamed if len(names) == width), served.unnamed[0])
    return f"{len(names)} {what[:-1] if len(names) == 1 else what} ({listed(names)})"


def listed(names: Sequence[str]) -> str:
    """Names as a list in a message; only the first of very many."""
    return ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")


def is_list(value: object) -> bool:
    """Whether a value is a vector, rather than one of its items: a list, a csv cell with a JSON list, or nothing."""
    return value is None or isinstance(value, list) or (isinstance(value, str) and value.lstrip()[:1] == "[")
