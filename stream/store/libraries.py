"""Library versions: those a model is packed with, and how those here differ."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterable, Mapping
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from pathlib import Path
from types import FunctionType

from stream.scoring import walk

__all__ = [
    "differences",
    "distributions_of",
    "fitted_versions",
    "library_versions",
    "modules_of",
    "own_modules",
]

_ALWAYS = ("scikit-learn", "numpy", "scipy", "pandas", "joblib")
_KNOWN = frozenset({"builtins", "sklearn", "numpy", "scipy", "pandas", "joblib"})


def library_versions(modules: Iterable[str] = ()) -> dict[str, str]:
    """
    Args:
        modules: top-level modules that the estimator is made of.
    Returns: the version of each distribution behind them, and of Python and the libraries every model needs.
    """
    owners = distributions_of(module for module in modules if module not in _KNOWN)
    names = {*_ALWAYS, *(name for found in owners.values() for name in found)}
    found = {name: _version(name) for name in sorted(names)}
    return {"python": platform.python_version()} | {name: text for name, text in found.items() if text}


def distributions_of(modules: Iterable[str]) -> dict[str, list[str]]:
    """
    Args:
        modules: top-level ones.
    Returns: the distributions that each is of; none for a module of one's own.
    """
    wanted = list(modules)
    known = _owners(tuple(_changed(place) for place in sys.path)) if wanted else {}
    return {module: list(known.get(module, ())) for module in wanted}


@lru_cache(maxsize=2)
def _owners(places: tuple[tuple[str, int], ...]) -> Mapping[str, list[str]]:
    """Of every module: looking through all distributions takes a third of a second."""
    return packages_distributions()


def _changed(place: str) -> tuple[str, int]:
    """A folder of modules, and when something in it was installed last."""
    try:
        return place, Path(place).stat().st_mtime_ns
    except OSError:
        return place, 0


def modules_of(estimator: object) -> set[str]:
    """
    Args:
        estimator: fitted.
    Returns: top-level modules of its class, of its fitted parts, and of what these keep as attributes.
    """
    parts = [part.estimator for part in walk(estimator, ())]
    parts += [kept for part in parts for kept in getattr(part, "__dict__", {}).values()]
    members = [member for part in parts if isinstance(part, list) for member in part]  # (name, estimator, …)
    parts += [item for member in members if isinstance(member, tuple) for item in member]
    kinds = [part if isinstance(part, FunctionType) else type(part) for part in parts]
    return {str(kind.__module__).partition(".")[0] for kind in kinds}


def own_modules(estimator: object) -> list[str]:
    """
    Args:
        estimator: fitted.
    Returns: a sentence for each module of no distribution that it is made of: whoever opens it needs that file.
    """
    foreign = modules_of(estimator) - _KNOWN - {"__main__"} - sys.stdlib_module_names
    own = [name for name, owners in distributions_of(foreign).items() if not owners]
    files = {name: getattr(sys.modules.get(name), "__file__", None) for name in own}
    return [
        f"the model needs the module {name} ({file}): whoever opens it must find that in the working folder or on "
        "PYTHONPATH"
        for name, file in sorted(files.items())
        if file is not None
    ]


def differences(packed: Mapping[str, str], fitted: Mapping[str, str]) -> tuple[str, ...]:
    """
    Args:
        packed: versions at pack time, by distribution.
        fitted: versions that fitted the estimator, where they were others.
    Returns: a sentence for each that differs here; Python's counts to its minor version.
    """
    notes = [
        f"fitted with {name} {then}, running with {_version(name) or 'none'}"
        for name, then in fitted.items()
        if then != _version(name)
    ]
    for name, then in packed.items():
        now = platform.python_version() if name == "python" else _version(name)
        same = _minor(then) == _minor(now or "") if name == "python" else then == now
        if not same:
            notes.append(f"packed with {name} {then}, running with {now or 'none'}")
    return tuple(notes)


def fitted_versions(
    heard: Iterable[Warning], declared: Mapping[str, str]
) -> tuple[dict[str, str], list[str]]:
    """
    Which libraries fitted an estimator, where they are others than those that opened it.

    Args:
        heard: warnings while it was opened.
        declared: versions by distribution, as whoever saved it has them.
    Returns: the versions that differ from those here, and a sentence for each and for every other warning.
    """
    found, others = dict(declared), []
    for warning in heard:
        version = getattr(warning, "original_sklearn_version", None)  # InconsistentVersionWarning's
        if isinstance(version, str):
            found["scikit-learn"] = version
        else:
            others.append(
                f"opening it warned: {type(warning).__name__}: {' '.join(str(warning).split())[:300]}"
            )
    fitted = {name: then for name, then in found.items() if then != _version(name)}
    notes = [
        f"fitted with {name} {then}, opened with {_version(name) or 'none'}: fit it again if you can, since "
        "another version may answer otherwise or fail; nothing here compares it with what it answered then"
        for name, then in fitted.items()
    ]
    return fitted, [*notes, *dict.fromkeys(others)]


@lru_cache(256)
def _version(name: str) -> str | None:
    """The version of a library that is installed, read once: each opening compares a dozen."""
    try:
        return version(name)
    except (PackageNotFoundError, ValueError):  # ValueError: what the manifest names can't be a distribution
        return None


def _minor(text: str) -> list[str]:
    return text.split(".")[:2]
