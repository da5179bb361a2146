"""Are the card's libraries there? Asked before a training begins, not after it."""

from __future__ import annotations

from importlib.util import find_spec

from stream.errors import SettingsError

__all__ = ["LIBRARIES", "check_libraries"]

LIBRARIES = ("matplotlib", "jinja2")
"""What the extra `train` installs."""


def check_libraries() -> None:
    """
    Raises: SettingsError naming what is missing, how to get it, and how to do without.
    """
    if missing := [name for name in LIBRARIES if find_spec(name) is None]:
        raise SettingsError(
            f"the model card needs {' and '.join(missing)}",
            hint="pip install 'prediction-stream[train]', or give --no-card",
        )
