"""Library versions: those a model is packed with, and how those here differ."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, packages_distributions, version

from stream.scoring import walk

__all__ = ["differences", "library_versions", "modules_of"]

_ALWAYS = ("scikit-learn", "numpy", "scipy", "pandas", "joblib")
_KNOWN = frozenset({"builtins", "sklearn", "numpy", "scipy", "pandas", "joblib"})


def library_versions(modules: Iterable[str] = ()) -> dict[str, str]:
    """
    Args:
        modules: top-level modules that the estimator is made of.
    Returns: the version of each distribution behind them, and of Python and the libraries every model needs.
    """
    others = [module for module in modules if module not in _KNOWN]
    # It looks through every distribution: a third of a second.
    owners = packages_distributions() if others else {}
    names = {*_ALWAYS, *(owner for module in others for owner in owners.get(module, []))}
    found = {name: _version(name) for name in sorted(names)}
    return {"python": platform.python_version()} | {name: text for name, text in found.items() if text}


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
    return {type(part).__module__.partition(".")[0] for part in parts}


def differences(packed: Mapping[str, str]) -> tuple[str, ...]:
    """
    Args:
        packed: versions at pack time, by distribution.
    Returns: a sentence for each that differs here; Python's counts to its minor version.
    """
    notes = []
    for name, then in packed.items():
        now = platform.python_version() if name == "python" else _version(name)
        same = _minor(then) == _minor(now or "") if name == "python" else then == now
        if not same:
            notes.append(f"packed with {name} {then}, running with {now or 'none'}")
    return tuple(notes)


def _version(name: str) -> str | None:
    try:
        return version(name)
    except (PackageNotFoundError, ValueError):  # ValueError: what the manifest names can't be a distribution
        return None


def _minor(text: str) -> list[str]:
    return text.split(".")[:2]
