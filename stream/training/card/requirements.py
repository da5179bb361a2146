"""Are the card's libraries there? Asked before a training begins, not after it."""

from __future__ import annotations

from stream.extras import require

__all__ = ["LIBRARIES", "check_libraries"]

LIBRARIES = ("matplotlib", "jinja2")
"""What the extra `train` installs."""


def check_libraries() -> None:
    """Raises: SettingsError naming what is missing, how to get it, and how to do without."""
    require("the model card", "train", *LIBRARIES, otherwise=", or give --no-card")
