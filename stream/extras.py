"""Libraries of extras: what something needs beyond the core."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

from stream.errors import SettingsError

__all__ = ["require"]


def require(what: str, extra: str, *modules: str, otherwise: str = "") -> None:
    """
    Check that an extra is installed.

    Args:
        what: the feature that needs it, for the message.
        extra: its name in the distribution.
        modules: what it installs; they are looked for, not imported.
        otherwise: how to do without.
    Raises: SettingsError that names what is missing and says how to get it.
    """
    if missing := [module for module in modules if not _is_there(module)]:
        verb = "are" if len(missing) > 1 else "is"
        raise SettingsError(
            f"{what} needs {' and '.join(missing)}, which {verb} not installed",
            hint=f"{_installing(extra)}{otherwise}",
        )


def _installing(extra: str) -> str:
    """As this installation was made: in a clone by its script, with the versions that are locked there."""
    clone = Path(__file__).parents[1]
    made_there = (clone / "scripts/install").is_file() and Path(sys.prefix).resolve() == (
        clone / ".venv"
    ).resolve()
    return f"scripts/install {extra}" if made_there else f"pip install 'prediction-stream[{extra}]'"


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # a package that it would be in
        return False
