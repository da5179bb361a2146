"""What encoders and imputers know of their text columns: the texts, and what stood for a missing one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from stream.manifest import NullText
from stream.scoring.fitted_parts import Part, walk

__all__ = ["known_texts", "missing_texts"]


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
    known: dict[str, tuple[str, ...]] = {}
    for part in walk(estimator, tuple(names)):
        categories = getattr(part.estimator, "categories_", None)
        if isinstance(categories, list) and len(categories) == len(part.columns):
            for name, values in zip(part.columns, categories, strict=True):
                if texts := tuple(value for value in values if isinstance(value, str)):
                    known[name] = texts
    return known


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
    if isinstance(statistics, np.ndarray) and statistics.dtype == object:
        wanted = getattr(part.estimator, "missing_values", "")
        if wanted is None or wanted != wanted:
            yield from ((name, "None" if wanted is None else "NaN") for name in part.columns)
