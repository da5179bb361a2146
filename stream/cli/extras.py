"""Libraries of extras: what a command needs beyond the core."""

from __future__ import annotations

import importlib.util

from stream.errors import SettingsError

__all__ = ["require"]


def require(extra: str, *modules: str) -> None:
    """
    Check that an extra is installed.

    Args:
        extra: its name in the distribution.
        modules: what it installs; they are looked for, not imported.
    Raises: SettingsError that says how to get it.
    """
    missing = [module for module in modules if importlib.util.find_spec(module) is None]
    if missing:
        raise SettingsError(
            f"this command needs {', '.join(missing)}, which {'are' if len(missing) > 1 else 'is'} not installed",
            hint=f"pip install 'prediction-stream[{extra}]'",
        )
