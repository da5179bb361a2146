"""Which columns make an estimator answer differently on a package's input than on its owner's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from stream.manifest import Manifest
from stream.scoring import X, same_answer, taken
from stream.store.own_answers import OwnAnswers, ask_estimator

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Suspect", "suspected_columns"]

_COLUMNS = 200
"""Columns tried, one call each; a wider model's others are not."""

_ROWS = 50
"""Rows on which they are tried."""

MOST = 5
"""Suspects named."""


@dataclass(frozen=True, slots=True)
class Suspect:
    """
    A column that changes answers.

    Attributes:
        name: as the estimator knows it.
        owner: what the owner's input holds in it, on the first row that differs.
        package: what the package's input holds there.
        hint: what helps against such a difference; empty where nothing is known.
    """

    name: str
    owner: str
    package: str
    hint: str = ""

    def __str__(self) -> str:
        return f"{self.name!r} ({self.owner} in pandas, {self.package} in the package)"


def suspected_columns(
    estimator: Any, manifest: Manifest, owner: X, package: X, rows: Sequence[int], types: str
) -> list[Suspect]:
    """
    Put the package's columns into the owner's input one by one, and see which change an answer.

    Args:
        estimator: fitted.
        manifest: of the model.
        owner: the owner's input of n rows.
        package: the package's, of the same rows.
        rows: those whose answers differ, at least one.
        types: what helps where one of them holds texts and the other doesn't.
    Returns: at most `MOST`, those that change most answers first. Where none does so alone, the columns that hold
        something else.
    """
    chosen = np.asarray(rows[:_ROWS], np.intp)
    mine, theirs = taken(owner, chosen), taken(package, chosen)
    before = ask_estimator(estimator, manifest, mine)
    other = [i for i in range(min(_width(mine), _COLUMNS)) if not _equal(_cells(mine, i), _cells(theirs, i))]
    changed: dict[int, int] = {}
    for i in other:
        after = ask_estimator(estimator, manifest, _with(mine, theirs, i))
        changed[i] = sum(not _same(before, after, row, manifest) for row in range(len(chosen)))
    guilty = sorted((i for i in other if changed[i]), key=lambda i: -changed[i])
    shown = guilty or [i for i in other if not _close(_cells(mine, i), _cells(theirs, i))] or other
    return [_suspect(_name(manifest, i), _series(mine, i), _series(theirs, i), types) for i in shown[:MOST]]


def _suspect(name: str, mine: pd.Series, theirs: pd.Series, types: str) -> Suspect:
    """Shown by the first row on which they hold something else."""
    pairs = list(zip(mine.tolist(), theirs.tolist(), strict=True))
    one, other = next(((a, b) for a, b in pairs if repr(a) != repr(b)), pairs[0])
    return Suspect(name, f"{mine.dtype} {one!r}", f"{theirs.dtype} {other!r}", _hint(one, other, types))


def _hint(one: object, other: object, types: str) -> str:
    if isinstance(other, str) and (one is None or one != one):
        return f"{other!r} in a column of texts is a text, and missing to pandas: leave such cells empty"
    if isinstance(other, str) != isinstance(one, str):
        return types
    if isinstance(one, bool | int) and isinstance(other, float):
        return "a function of the model's own tells whole numbers or booleans from float64: make it take both"
    return ""


def _same(before: OwnAnswers, after: OwnAnswers, row: int, manifest: Manifest) -> bool:
    one, other = before.answers.get(row), after.answers.get(row)
    return same_answer(one, other, manifest.tolerance, manifest.tolerance)


def _width(x: X) -> int:
    return x.shape[1] if len(x.shape) == 2 else 0


def _name(manifest: Manifest, i: int) -> str:
    return f"{manifest.features[0].name}[{i}]" if manifest.inputs == "vector" else manifest.features[i].name


def _series(x: X, i: int) -> pd.Series:
    import pandas as pd

    return pd.Series(x[:, i]) if isinstance(x, np.ndarray) else x.iloc[:, i]


def _cells(x: X, i: int) -> list[object]:
    values: list[object] = _series(x, i).tolist()
    return values


def _equal(one: list[object], other: list[object]) -> bool:
    """Of the same Python types too: an encoder may tell 1 from 1.0, and None from NaN."""
    return [repr(value) for value in one] == [repr(value) for value in other]


def _close(one: list[object], other: list[object]) -> bool:
    """Of the same value: 1 and 1.0 are."""
    return all(a == b or (a != a and b != b) for a, b in zip(one, other, strict=True))


def _with(owner: X, package: X, i: int) -> X:
    """The owner's input with one column of the package's."""
    changed = owner.copy()
    if isinstance(owner, np.ndarray):
        changed[:, i] = package[:, i]
    else:
        changed.isetitem(i, _series(package, i).set_axis(changed.index))
    return changed
