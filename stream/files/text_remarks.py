"""What is said of a sample's texts, where they may mean something else to whoever brings them."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from stream.errors import SampleError
from stream.files.file_span import Row
from stream.files.tables import Sample
from stream.types import MISSING, date_spelling, number_spelling, type_called

__all__ = ["blank", "check_separated", "text_remarks"]


def blank(value: object) -> bool:
    """Whether a csv's cell has no value, in a column that isn't of texts."""
    return value is None or value in MISSING


def check_separated(sample: Sample, columns: Sequence[str], needed: Collection[str]) -> None:
    """
    Refuse a csv whose separator was not found.

    Args:
        sample: any.
        columns: of it.
        needed: those that a model takes; empty where they are not known.
    Raises: SampleError when it has one column, which is none of them.
    """
    if sample.text and len(columns) == 1 and needed and columns[0] not in needed:
        raise SampleError(
            f"{sample.name}: has one column, {columns[0]!r}, and lacks {', '.join(map(repr, list(needed)[:5]))}",
            hint="name the character that separates its cells: --delimiter ' '",
        )


def text_remarks(sample: Sample, column: str, needed: bool) -> list[str]:
    """
    Look at a column of texts.

    Args:
        sample: its rows.
        column: one that is not known to be of texts.
        needed: whether a model takes it, as far as is known.
    Returns: a sentence for each thing that it may be to others.
    Raises: SampleError when it is needed, comes from a csv, and holds numbers in another spelling.
    """
    rows = [row for row in sample.rows if isinstance(row.values.get(column), str)]
    known = [row for row in rows if row.values[column] not in MISSING]
    if not known:
        return []
    found = _missing_to_pandas(column, rows) if sample.text else []
    number, cell, date = _odd_date(column, known)
    if date is not None:
        return [
            *found,
            f"column {column!r}: row {number} has {cell!r}, {date}, if it is one to the model",
        ]
    odd = next((row for row in known if number_spelling(row.values[column])), None)
    if odd is None or not sample.text or not all(_is_number(row.values[column]) for row in known):
        return found
    what = f"column {column!r}: row {odd.number} has {odd.values[column]!r}, {number_spelling(odd.values[column])}"
    if needed:
        raise SampleError(
            f"{sample.name}: {what}",
            hint="with pandas: read_csv(FILE, sep=…, decimal=',', thousands=…).to_csv(NEW, index=False); or give "
            "--schema with a string, if the model takes it as a text",
        )
    return [*found, what]


def _odd_date(column: str, rows: Sequence[Row]) -> tuple[int, str, str | None]:
    """The first date that isn't ISO, of rows that hold dates until there; else no spelling."""
    dates = type_called("date"), type_called("timestamp-micros")
    for number, values in rows:
        cell = values[column]
        if (spelt := date_spelling(cell)) is not None:
            return number, cell, spelt
        if all(kind.parse_cell(cell) is None for kind in dates):
            break
    return 0, "", None


def _is_number(cell: str) -> bool:
    return number_spelling(cell) is not None or type_called("double").parse_cell(cell) is not None


def _missing_to_pandas(column: str, rows: Sequence[Row]) -> list[str]:
    """A text column is the one place where `NA` is a text: pandas reads it as missing there too."""
    found = next((row for row in rows if row.values.get(column) in MISSING), None)
    if found is None:
        return []
    return [
        f"column {column!r}: row {found.number} has {found.values[column]!r}, which is a text here and no value to "
        "pandas: leave the cell empty if it means that there is no value, or fit the model on texts "
        "(read_csv(…, keep_default_na=False))"
    ]
