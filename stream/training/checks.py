"""Checks of a recipe that need no rows, made before the training."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from stream.codec import RecordSchema
from stream.errors import PackageError, SchemaError, SettingsError
from stream.nearest import nearest
from stream.scoring import carried_names
from stream.store import NAME, carried_paths
from stream.text_files import read_text_file
from stream.training.model_metrics import HIGHER_IS_BETTER
from stream.training.names import NAMES

__all__ = ["check_fields", "check_schema", "check_spelling", "check_values"]


_NEAR = 0.85
"""Similarity by difflib, 0 to 1: two letters of eight exchanged, or one letter too many among four or more."""


def check_values(path: Path, values: Mapping[str, Any]) -> None:
    """
    Refuse values that are unusable, alone or together.

    Args:
        path: the recipe, for messages.
        values: by name, of the right types.
    Raises: SettingsError naming the recipe, the name and what to do.
    """
    for problem, hint in (*_alone(values), *_together(values)):
        raise SettingsError(f"{path}: {problem}", hint=hint)
    try:
        carried_names(values["CARRY"])
    except PackageError as error:
        raise _not_carried(path, error) from error


def check_spelling(path: Path, defined: Collection[str]) -> None:
    """
    Refuse a constant whose name is nearly a recipe's: it would be ignored.

    Args:
        path: the recipe, for messages.
        defined: every name that the recipe defines.
    Raises: SettingsError naming the recipe, the constant and the nearest name.
    """
    known = [name for name in NAMES if name.isupper()]
    for name in defined:
        if name.isupper() and name[0] != "_" and name not in known:
            for near in nearest(name, known, _NEAR):
                raise SettingsError(
                    f"{path}: {name} is not a name of a recipe (nearest: {near})",
                    hint=f"write {near}; or, if it is a constant of your own, _{name}",
                )


def _not_carried(path: Path, error: PackageError) -> SettingsError:
    return SettingsError(f"{path}: CARRY: {error.message}", hint="leave it out, or rename the field")


def _alone(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What is wrong with a single value, and the hint."""
    found: list[tuple[str, str]] = []
    if not NAME.match(values["NAME"]):
        found.append(
            (f"NAME is {values['NAME']!r}", "use letters, digits, dot, dash and underscore, at most 100")
        )
    if values["FOLDS"] < 2:
        found.append((f"FOLDS is {values['FOLDS']}", "give 2 or more"))
    if not 0 < values["HOLD_OUT"] < 1:
        found.append((f"HOLD_OUT is {values['HOLD_OUT']}", "give a share between 0 and 1, such as 0.2"))
    if not 0 <= values["SEED"] < 2**32:
        found.append((f"SEED is {values['SEED']}", "give a whole number from 0 to 4294967295"))
    if values["JUDGE"] not in (None, *HIGHER_IS_BETTER):
        found.append((f"JUDGE is {values['JUDGE']!r}", f"choose one of {', '.join(HIGHER_IS_BETTER)}"))
    if values["SPLIT"] not in (None, "random"):
        found.append(
            (f"SPLIT is {values['SPLIT']!r}", 'write SPLIT = "random", or define TIME or GROUP instead')
        )
    for name, named in NAMES.items():
        found += _texts(name, values[name]) if named.texts and values[name] is not None else []
    grids = [values["GRID"]] if isinstance(values["GRID"], dict) else values["GRID"]
    if wrong := [grid for grid in grids if not isinstance(grid, dict)]:
        found.append((f"GRID holds {wrong[0]!r}", 'give values by parameter: {"C": [0.1, 1.0]}'))
    if not values["FEATURES"]:
        found.append(("FEATURES is empty", "name the columns that the estimator takes"))
    return found


def _texts(name: str, value: Sequence[object]) -> list[tuple[str, str]]:
    if wrong := [item for item in value if not isinstance(item, str)]:
        return [(f"{name} holds {wrong[0]!r}, which is not a text", "name columns by their names")]
    if twice := sorted({str(item) for item in value if value.count(item) > 1}):
        return [(f"{name} holds {', '.join(map(repr, twice))} twice", "name each column once")]
    return []


def _together(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What is wrong with values in combination, and the hint."""
    found: list[tuple[str, str]] = []
    if values["load"] is None and values["DATA"] is None:
        found.append(
            (
                "the recipe has no load and no DATA",
                "define load(), which returns the rows, or DATA, their file",
            )
        )
    ways = [name for name in ("TIME", "GROUP", "SPLIT") if values[name] is not None]
    if not ways:
        found.append(
            (
                "nothing says how rows are held out",
                'define TIME (a column), GROUP (a column), or SPLIT = "random": see docs/training.md',
            )
        )
    if len(ways) > 1:
        found.append((f"{' and '.join(ways)} are both defined", "choose one way to hold rows out"))
    if values["TARGET"] in values["FEATURES"]:
        found.append((f"the target {values['TARGET']!r} is among FEATURES", "take it out"))
    return found


def check_schema(path: Path, schema: Path, features: Sequence[str], carry: Sequence[str]) -> None:
    """
    Refuse a schema that packing would refuse.

    Args:
        path: the recipe, for messages.
        schema: the file.
        features: each must be one of its fields, by Avro or original name.
        carry: each must be one of its fields, likewise.
    Raises: SettingsError naming the recipe, the schema and the field.
    """
    hint = "name a schema's file, in UTF-8"
    text = read_text_file(schema, SettingsError, hint, f"{path}: SCHEMA: {schema}")
    check_fields(path, str(schema), text, features, carry)


def check_fields(path: Path, place: str, text: str, features: Sequence[str], carry: Sequence[str]) -> None:
    """
    Refuse names that a schema does not have.

    Args:
        path: the recipe, for messages.
        place: where the schema is from, for messages.
        text: the schema.
        features: as `check_schema`.
        carry: as `check_schema`.
    Raises: SettingsError naming the recipe, the schema and the field.
    """
    try:
        events = RecordSchema(text)
        carried_paths(events, carry)
    except SchemaError as exc:
        raise SettingsError(f"{path}: SCHEMA or CARRY: {place}: {exc.message}", hint=exc.hint) from exc
    except PackageError as exc:
        raise _not_carried(path, exc) from exc
    known = {leaf.path for leaf in events.leaves()} | {
        leaf.feature for leaf in events.leaves() if leaf.feature
    }
    for name in features:
        if name not in known:
            near = nearest(name, known)
            raise SettingsError(
                f"{path}: FEATURES: {place} has no field {name!r}"
                + (f" (nearest: {near[0]!r})" if near else ""),
                hint="correct the name, or add the field to the schema",
            )
