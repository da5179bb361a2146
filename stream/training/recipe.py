"""A training recipe: a Python file that defines a few plainly named things."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from inspect import getdoc
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from stream.errors import Refused, SettingsError, StreamError
from stream.training.checks import check_schema, check_spelling, check_values
from stream.training.names import NAMES
from stream.training.split import Split

__all__ = ["Recipe", "first_line", "guarded", "read_recipe"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Recipe:
    """
    What a recipe file says.

    Attributes:
        path: the file.
        about: its docstring; empty without one.
        name: the model's name.
        schema: the path of the events' Avro schema; None to infer it.
        features: the estimator's columns, in order.
        target: the column to predict.
        split: how rows are held out and folded.
        load: returns the rows (given the path of `data`, if there is one); None where the file `data` has them.
            Refused when the recipe's own code raises, the cause kept.
        data: where the rows come from; None where `load` makes them.
        estimator: returns a fresh estimator; Refused likewise.
        carry: event fields copied into each prediction.
        by: columns by whose values the card breaks the metrics down; None for the default.
        grid: parameters to try; empty for the estimator as it comes.
        scoring: scikit-learn's name of a score, or None for that of the estimator's kind.
        judge: the metric that decides, or None for that of the estimator's kind.
        probabilities: whether every class's probability is published.
        fixed: estimator parameters from the command line.
        delimiter: the character that separates the cells of `data`, if it is a csv; None to find it.
    """

    path: Path
    about: str
    name: str
    schema: Path | None
    features: tuple[str, ...]
    target: str
    split: Split
    load: Callable[..., object] | None
    data: Path | None
    estimator: Callable[[], object]
    carry: tuple[str, ...]
    by: tuple[str, ...] | None
    grid: Mapping[str, Sequence[object]] | Sequence[Mapping[str, Sequence[object]]]
    scoring: str | None
    judge: str | None
    probabilities: bool
    fixed: Mapping[str, object] = field(default_factory=dict)
    delimiter: str | None = None


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
        found = "is a folder" if path.is_dir() else "there is no such recipe"
        raise SettingsError(f"{path}: {found}", hint="give the path of a Python file")
    module = guarded(path, "the recipe", lambda: _run(path))
    check_spelling(path, vars(module))
    values: dict[str, Any] = {name: _value(path, module, name) for name in NAMES}
    check_values(path, values)
    schema, data = (
        None if values[name] is None else path.parent / Path(str(values[name])) for name in ("SCHEMA", "DATA")
    )
    if schema is not None:
        check_schema(path, schema, values["FEATURES"], values["CARRY"])
    return Recipe(
        path=path,
        about=getdoc(module) or "",
        name=values["NAME"],
        schema=schema,
        features=tuple(values["FEATURES"]),
        target=values["TARGET"],
        split=_split(values),
        load=values["load"],
        data=data,
        estimator=values["estimator"],
        carry=tuple(values["CARRY"]),
        by=None if values["BY"] is None else tuple(values["BY"]),
        grid=values["GRID"],
        scoring=values["SCORING"],
        judge=values["JUDGE"],
        probabilities=values["PROBABILITIES"],
    )


def _split(values: Mapping[str, Any]) -> Split:
    way = "time" if values["TIME"] is not None else "group" if values["GROUP"] is not None else "random"
    column = {"time": values["TIME"], "group": values["GROUP"], "random": None}[way]
    return Split(way, column, values["HOLD_OUT"], values["FOLDS"], values["SEED"])  # type: ignore[arg-type]


def _run(path: Path) -> ModuleType:
    """
    Import the file under a name that can't be imported again.

    A pickle that refers to the recipe would open here and nowhere else: this way packing fails.
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


def guarded(path: Path, what: str, call: Callable[..., T], *arguments: object) -> T:
    """
    Call the recipe's code; whatever it raises, `sys.exit` too, is reported as the recipe's fault.

    Args:
        path: of the recipe.
        what: the name of the code, for the message.
        call: the code.
        arguments: for it.
    Returns: what it returns.
    Raises: StreamError as it is; Refused for anything else, the cause kept. Ctrl-C passes.
    """
    try:
        return call(*arguments)
    except (StreamError, MemoryError):
        raise
    except (Exception, SystemExit) as exc:  # a recipe may raise anything, and it is never a bug of ours
        raise Refused(
            f"{path}: {what} raised {type(exc).__name__}: {first_line(exc)}{_line(path, exc)}",
            hint="correct the recipe; --debug shows where",
        ) from exc


def first_line(exc: BaseException) -> str:
    """An exception's message, without the advice that some libraries add below it."""
    return str(exc).strip().partition("\n")[0] or type(exc).__name__


def _line(path: Path, exc: BaseException) -> str:
    """The line of the recipe that was running; a syntax error names its own."""
    lines: list[int] = []
    trace = exc.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == str(path.resolve()):
            lines.append(trace.tb_lineno)
        trace = trace.tb_next
    return f" (line {lines[-1]})" if lines else ""


def _value(path: Path, module: ModuleType, name: str) -> object:
    """The recipe's value of a name, checked for its type."""
    named = NAMES[name]
    if not hasattr(module, name):
        if named.required:
            raise SettingsError(f"{path}: the recipe has no {name}", hint=f"define {name}: {named.meaning}")
        return named.default
    value: object = getattr(module, name)
    if not named.kinds:
        if value is None and not named.required:
            return None
        if not callable(value):
            raise SettingsError(f"{path}: {name} is not a function", hint=f"define {name}: {named.meaning}")
        return partial(guarded, path, f"{name}()", value)
    odd = isinstance(value, bool) and bool not in named.kinds  # a bool is an int to Python, but not here
    if odd or not isinstance(value, named.kinds):
        raise SettingsError(
            f"{path}: {name} is a {type(value).__name__}, expected {named.expected}",
            hint=f"define {name}: {named.meaning}",
        )
    return value
