"""
Which columns a fitted estimator says it takes: their names, their number, and whether they are a table's at all.

Each library keeps the names at a place of its own (`name_places`), and some make names up where they were fitted on an
array (`_MADE_UP`). A container is asked through its parts too, but only through those that are given its very input
(`Part.whole`): what stands behind a step that may change columns keeps the names of that step's output.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from stream.scoring.attempt import Raised, attempt
from stream.scoring.fitted_parts import Names, inside, walk
from stream.scoring.name_places import libraries_of, names_of, width_of

__all__ = ["KnownColumns", "Taken", "known_columns"]

Taken: TypeAlias = Literal["table", "array", "texts", "dicts", "unknown"]
"""
What an estimator was fitted on: a DataFrame with names, an array, a sequence of texts, a sequence of dicts; unknown
where what is given the input first is a class of one's own without names.
"""

_LIBRARIES = frozenset({
    "catboost", "category_encoders", "feature_engine", "imblearn", "lightgbm", "sklearn", "statsmodels", "xgboost",
})  # fmt: skip
"""Libraries whose estimators keep names if they were fitted on a DataFrame that has some."""

_MADE_UP: dict[str, tuple[str, ...]] = {
    "catboost": ("{}",),
    "category_encoders": ("{}",),
    "feature_engine": ("x{}",),
    "interpret": ("feature_{:04}",),
    "lightgbm": ("Column_{}", "{}"),
    "xgboost": ("{}",),
}
"""What they call the columns of an array, or of a DataFrame whose columns are numbered."""


@dataclass(frozen=True, slots=True)
class KnownColumns:
    """
    What an estimator says of its columns.

    Attributes:
        taken: what it was fitted on.
        names: of its columns in order; None where it keeps none, or only ones that its library made up.
        width: their number, if it is kept.
        made_up: the names that its library made up; a table may have columns of these names by chance.
        others: names that differ from `names` and that a part keeps which is given the same input.
        inner: names that are kept behind a step that may have changed columns, where no others are.
        reads_texts: whether a part of it reads a sequence of texts.
        mangled: whether its library wrote `_` for each blank in a name (LightGBM).
    """

    taken: Taken
    names: Names | None = None
    width: int | None = None
    made_up: Names | None = None
    others: Names | None = None
    inner: Names | None = None
    reads_texts: bool = False
    mangled: bool = False


def known_columns(estimator: object) -> KnownColumns:
    """
    Look at a fitted estimator without asking it for an answer.

    Args:
        estimator: fitted.
    Returns: what it says of its columns.
    """
    given = list(_given(estimator))
    claims = [(names, part) for part in given if (names := names_of(part))]
    invented = {names for names, part in claims if _made_up(names, part)}
    real = [(names, part) for names, part in claims if names not in invented]
    if real:
        written = {names for names, part in real if "lightgbm" in libraries_of(part)}
        first = real[0][0]
        names = next((found for found, _ in real if found not in written and _same(found, first)), first)
        return KnownColumns(
            "table",
            names,
            len(names),
            others=next((found for found, _ in real if not _same(found, names)), None),
            mangled=names in written,
        )
    behind = [part.estimator for part in walk(estimator, ())]
    taken = _taken(given, behind)
    return KnownColumns(
        taken,
        width=None if taken in ("texts", "dicts") else next(filter(None, map(width_of, given)), None),
        made_up=next(iter(invented), None),
        inner=next(filter(None, map(_real_names, behind)), None) if taken == "unknown" else None,
        reads_texts=any(_reads(part, "string") for part in behind),
    )


def _given(estimator: Any) -> Iterator[Any]:
    """It, and all parts inside that are given the very same input."""
    yield estimator
    for part in inside(estimator, ()):
        if part.whole and part.estimator is not None and not isinstance(part.estimator, str):
            yield from _given(part.estimator)


def _real_names(part: object) -> Names | None:
    names = names_of(part)
    return None if names is None or _made_up(names, part) else names


def _made_up(names: Names, keeper: object) -> bool:
    patterns = [pattern for library in libraries_of(keeper) for pattern in _MADE_UP.get(library, ())]
    return any(names == tuple(pattern.format(i) for i in range(len(names))) for pattern in patterns)


def _same(one: Names, other: Names) -> bool:
    """The same names, though LightGBM may have written some of them."""
    return [name.replace(" ", "_") for name in one] == [name.replace(" ", "_") for name in other]


def _taken(given: list[Any], behind: list[Any]) -> Taken:
    """Where no names are kept: what those parts were fitted on that look at the input first."""
    first = [part for part in given if not any(inner.whole for inner in inside(part, ()))]
    if any(_reads(part, "string") for part in first):
        return "texts"
    if any(_reads(part, "dict") for part in first):
        return "dicts"
    if any(type(part).__module__.partition(".")[0] not in _LIBRARIES for part in first):
        return "unknown"  # a class of one's own, though it may be derived from a library's
    return "array" if any(map(width_of, given)) else "unknown"


def _reads(part: object, what: Literal["string", "dict"]) -> bool:
    """Whether an estimator's tags say that it reads a sequence of these, and no array."""
    if not hasattr(part, "__sklearn_tags__"):
        return False
    tags = attempt(lambda: part.__sklearn_tags__().input_tags)
    if isinstance(tags, Raised) or tags.two_d_array or tags.one_d_array:
        return False
    return bool(getattr(tags, what))
