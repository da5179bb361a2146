"""A training recipe: a Python file that defines a few plainly named things."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from stream.codec import RecordSchema
from stream.errors import Refused, SchemaError, SettingsError, StreamError

__all__ = ["OPTIONAL", "REQUIRED", "Recipe", "read_recipe"]

T = TypeVar("T")

REQUIRED: Mapping[str, str] = {
    "NAME": "the model's name, a text",
    "SCHEMA": "the path of the events' Avro schema, relative to the recipe or absolute",
    "FEATURES": "the columns that the estimator takes, in order",
    "TARGET": "the column to predict; rows without it are left out",
    "TIME": "the column of the rows' time, by which they are split",
    "load": "a function that returns the rows: a DataFrame of the schema's fields and the target",
    "estimator": "a function that returns a fresh scikit-learn estimator, seeded",
}
"""What a recipe must define, and what each is."""

OPTIONAL: Mapping[str, tuple[object, str]] = {
    "CARRY": ((), "fields of the event that each prediction repeats"),
    "GRID": ({}, "estimator parameters and the values to try, as scikit-learn's GridSearchCV takes them"),
    "FOLDS": (4, "number of cross-validation folds, each tested on rows later than those it was fitted on"),
    "SCORING": (None, "scikit-learn's name of the score to choose by; log loss or squared error if None"),
    "HOLD_OUT": (0.2, "share of the rows, the last by time, kept back for the metrics"),
}
"""What a recipe may define: the default, and what it is."""

_KINDS: Mapping[str, tuple[type, ...]] = {
    "NAME": (str,), "SCHEMA": (str, Path), "FEATURES": (list, tuple), "TARGET": (str,), "TIME": (str,),
    "CARRY": (list, tuple), "GRID": (dict, list, tuple), "FOLDS": (int,), "SCORING": (str, type(None)),
    "HOLD_OUT": (float,),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Recipe:
    """
    What a recipe file says.

    Attributes:
        path: the file.
        name: the model's name.
        schema: the path of the events' Avro schema.
        features: the estimator's columns, in order.
        target: the column to predict.
        time: the column to split by.
        load: returns the rows; Refused when the recipe's own code raises, the cause kept.
        estimator: returns a fresh estimator; Refused likewise.
        carry: event fields copied into each prediction.
        grid: parameters to try; empty for the estimator as it comes.
        folds: number of cross-validation folds, at least 2.
        scoring: scikit-learn's name of a score, or None for that of the estimator's kind.
        hold_out: share of the rows kept back, 0 < share < 1.
    """

    path: Path
    name: str
    schema: Path
    features: tuple[str, ...]
    target: str
    time: str
    load: Callable[[], object]
    estimator: Callable[[], object]
    carry: tuple[str, ...]
    grid: Mapping[str, Sequence[object]] | Sequence[Mapping[str, Sequence[object]]]
    folds: int
    scoring: str | None
    hold_out: float


def read_recipe(path: Path) -> Recipe:
    """
    Run a recipe file and take what it defines.

    Args:
        path: a Python file. It is run as code: trust it as you would any script.
    Returns: the recipe, with defaults for what it leaves out.
    Raises: SettingsError when the file is missing or lacks a name, or one is of the wrong type; Refused when
        its code raises.
    """
    if not path.is_file():
        raise SettingsError(f"{path}: there is no such recipe", mend="give the path of a Python file")
    module = _guarded(path, "the recipe", lambda: _run(path))
    values: dict[str, Any] = {name: _value(path, module, name) for name in (*REQUIRED, *OPTIONAL)}
    _check_ranges(path, values)
    schema = path.parent / Path(str(values["SCHEMA"]))
    if not schema.is_file():
        raise SettingsError(f"{path}: SCHEMA: there is no file {schema}", mend="correct the path")
    _check_schema(path, schema, values["CARRY"])
    fields: dict[str, Any] = {name.lower(): value for name, value in values.items()}
    fields |= {"schema": schema, "features": tuple(values["FEATURES"]), "carry": tuple(values["CARRY"])}
    return Recipe(path=path, **fields)


def _run(path: Path) -> ModuleType:
    """
    Import the file under a name that no package can find again.

    What is pickled by reference to the recipe would open here and nowhere else: this way packing fails.
    """
    loader = SourceFileLoader(f"recipe:{path.stem}", str(path.resolve()))
    spec = spec_from_loader(loader.name, loader)
    assert spec is not None  # a loader was given
    module = module_from_spec(spec)
    sys.modules[loader.name] = module  # dataclasses look their module up while it runs
    try:
        loader.exec_module(module)
    finally:
        del sys.modules[loader.name]
    return module


def _guarded(path: Path, what: str, call: Callable[[], T]) -> T:
    """Call foreign code; whatever it raises is told as the recipe's fault."""
    try:
        return call()
    except StreamError:
        raise
    except Exception as exc:  # a recipe may raise anything, and none of it is a bug of ours
        raise Refused(
            f"{path}: {what} raised {type(exc).__name__}: {exc}",
            mend="correct the recipe; --debug shows where",
        ) from exc


def _value(path: Path, module: ModuleType, name: str) -> object:
    """The recipe's value of a name, checked for its type."""
    if name in REQUIRED and not hasattr(module, name):
        raise SettingsError(f"{path}: the recipe has no {name}", mend=f"define {name}: {REQUIRED[name]}")
    value: object = getattr(module, name, OPTIONAL.get(name, (None,))[0])
    if name not in _KINDS:
        if not callable(value):
            raise SettingsError(f"{path}: {name} is no function", mend=f"define {name}: {REQUIRED[name]}")
        return partial(_guarded, path, f"{name}()", value)
    if not isinstance(value, _KINDS[name]):
        expected = " or ".join(kind.__name__ for kind in _KINDS[name])
        raise SettingsError(
            f"{path}: {name} is a {type(value).__name__}, expected {expected}", mend=f"correct {name}"
        )
    return value


def _check_ranges(path: Path, values: Mapping[str, object]) -> None:
    """Refuse numbers that leave nothing to learn from or to be judged by."""
    folds, hold_out = values["FOLDS"], values["HOLD_OUT"]
    if not (isinstance(folds, int) and folds >= 2):
        raise SettingsError(f"{path}: FOLDS is {folds}", mend="give 2 or more")
    if not (isinstance(hold_out, float) and 0 < hold_out < 1):
        raise SettingsError(
            f"{path}: HOLD_OUT is {hold_out}", mend="give a share between 0 and 1, such as 0.2"
        )


def _check_schema(path: Path, schema: Path, carry: Sequence[str]) -> None:
    """Refuse a schema or a carried field that packing would refuse, before anything is trained."""
    try:
        events = RecordSchema(schema.read_text("utf-8"))
        for field in carry:
            events.leaf(field)
    except SchemaError as exc:
        raise SettingsError(f"{path}: SCHEMA or CARRY: {schema}: {exc.message}", mend=exc.mend) from exc
    except UnicodeDecodeError as exc:
        raise SettingsError(f"{path}: SCHEMA: {schema}: {exc}", mend="save it as UTF-8") from exc
