"""What encoders and imputers know of their columns: the texts, the dates, and what stood for a missing text."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from stream.manifest import NullText
from stream.scoring.fitted_parts import Part, walk
from stream.scoring.native_categories import native_categories

__all__ = ["known_dates", "known_objects", "known_texts", "missing_texts"]


def missing_texts(estimator: object, names: Sequence[str]) -> dict[str, NullText]:
    """
    What stood for a missing text in each column when the estimator was fitted.

    pandas 3 reads a missing text as NaN, older ones and hand-made frames hold None. To an encoder these are
    two categories, and an imputer fills the one it was set for only: given the other, a model gives a
    wrong answer, and no warning.

    Args:
        estimator: fitted.
        names: its columns.
    Returns: by column, what its fitted encoders and imputers show; a column without evidence is left out.
    """
    found: dict[str, NullText] = {}
    for part in walk(estimator, tuple(names)):
        for name, evidence in _evidence(part):
            if found.get(name) != "None":
                found[name] = evidence
    return found


def known_texts(estimator: object, names: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """
    The texts that the estimator's encoders know, by column.

    Args:
        estimator: fitted.
        names: its columns.
    Returns: the categories that are texts, for each column whose own encoder has some: one fitted on whole numbers or
        booleans knows no text.
    """
    known = {name: found.values for name, found in native_categories(estimator, names).items()}
    for part in walk(estimator, tuple(names)):
        known |= {name: tuple(values) for name, values in _encoded(part)}
    texts = {name: tuple(text for text in values if isinstance(text, str)) for name, values in known.items()}
    return {name: found for name, found in texts.items() if found}


def known_objects(estimator: object, names: Sequence[str]) -> frozenset[str]:
    """
    The columns that an encoder was fitted on as Python objects that are no texts: booleans with gaps, whole numbers of
    a column of objects.

    Args:
        estimator: fitted.
        names: its columns.
    """
    return frozenset(
        name
        for part in walk(estimator, tuple(names))
        for name, values in _encoded(part)
        if values.dtype == object and any(_is_number(value) for value in values)
    )


def known_dates(estimator: object, names: Sequence[str]) -> dict[str, bool]:
    """
    The columns that an encoder was fitted on as dates or times.

    Args:
        estimator: fitted.
        names: its columns.
    Returns: by column, whether they were Python's dates; else datetime64.
    """
    return {
        name: values.dtype.kind != "M"
        for part in walk(estimator, tuple(names))
        for name, values in _encoded(part)
        if values.dtype.kind == "M"
        or any(isinstance(value, dt.date) and not isinstance(value, dt.datetime) for value in values)
    }


def _encoded(part: Part) -> list[tuple[str, npt.NDArray[np.generic]]]:
    """The categories of a part's columns, where it is an encoder with a list for each."""
    categories = getattr(part.estimator, "categories_", None)
    if not isinstance(categories, list) or len(categories) != len(part.columns):
        return []
    return list(zip(part.columns, categories, strict=True))


def _evidence(part: Part) -> Iterator[tuple[str, NullText]]:
    """What one part shows, by column; only parts that were fitted on objects tell of texts."""
    categories = getattr(part.estimator, "categories_", None)
    if isinstance(categories, list):
        for i, values in enumerate(categories):
            missing = [value for value in values if value is None or value != value]
            if missing and values.dtype == object:
                known = (part.columns[i],) if len(categories) == len(part.columns) else part.columns
                yield from ((name, "None" if missing[0] is None else "NaN") for name in known)
    statistics = getattr(part.estimator, "statistics_", None)  # SimpleImputer's
    if (isinstance(statistics, np.ndarray) and statistics.dtype == object) or _is_indicator(part.estimator):
        wanted = getattr(part.estimator, "missing_values", "")
        if wanted is None or wanted != wanted:
            yield from ((name, "None" if wanted is None else "NaN") for name in part.columns)


def _is_indicator(estimator: object) -> bool:
    return type(estimator).__name__ == "MissingIndicator"


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and value == value
