"""What the command line overrides in a recipe: its rows, its seed, the estimator's parameters."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from stream.errors import SettingsError

if TYPE_CHECKING:
    from stream.training.recipe import Recipe

__all__ = ["overridden", "parameters"]


def overridden(
    recipe: Recipe,
    *,
    data: Path | None = None,
    delimiter: str | None = None,
    seed: int | None = None,
    fixed: Mapping[str, object] | None = None,
) -> Recipe:
    """
    Args:
        recipe: as its file says.
        data: rows to use in place of DATA; None for the recipe's own.
        delimiter: the character that separates a csv's cells; None to find it.
        seed: in place of SEED; None likewise.
        fixed: estimator parameters; the grid no longer varies them.
    Returns: the recipe with these values.
    Raises: SettingsError when rows, or their separator, are given to a recipe that takes none.
    """
    if data is not None and recipe.data is None:
        raise SettingsError(
            f"{recipe.path}: has no DATA, so that load() would not look at {data}",
            hint="define DATA in the recipe, and let load take its path as its one argument",
        )
    if delimiter is not None and recipe.load is not None:
        raise SettingsError(
            f"--delimiter: {recipe.path} reads its rows itself, with load()",
            hint="name the separator in load(), or leave load() out: DATA is then read here",
        )
    fixed = dict(fixed or {})
    grids = [recipe.grid] if isinstance(recipe.grid, Mapping) else list(recipe.grid)
    left = [{name: values for name, values in grid.items() if name not in fixed} for grid in grids]
    return replace(
        recipe,
        data=data or recipe.data,
        delimiter=delimiter,
        split=recipe.split if seed is None else replace(recipe.split, seed=seed),
        fixed=fixed,
        grid=recipe.grid if not fixed else [grid for grid in left if grid],
    )


def parameters(texts: Sequence[str], place: str) -> dict[str, object]:
    """
    Args:
        texts: `NAME=VALUE` each; a value that is JSON is taken as such, else as text.
        place: the option's name, for messages.
    Returns: the values by name.
    Raises: SettingsError for a text without `=`.
    """
    found: dict[str, object] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not (name and equals):
            raise SettingsError(f"{place} {text}: expected NAME=VALUE", hint=f"write {place} alpha=0.1")
        found[name] = json_or_text(value)
    return found


def json_or_text(value: str) -> object:
    """A number, true, null, a list … where it is JSON; else the text itself."""
    try:
        return json.loads(value)
    except ValueError:
        return value
