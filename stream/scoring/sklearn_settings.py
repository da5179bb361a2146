"""
scikit-learn's settings while a model is asked: its defaults, whatever the process has set.

`sklearn.set_config` is not saved with a model. What a notebook has set would change answers there, and no worker
would know of it.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

__all__ = ["default_settings"]

_DEFAULTS: Mapping[str, Any] = {
    "transform_output": "default",
    "assume_finite": False,
    "array_api_dispatch": False,
    "enable_metadata_routing": False,
}
"""Those that change what a fitted estimator answers."""


def default_settings() -> AbstractContextManager[None]:
    """The settings within which to ask; costs nothing where the process has the defaults, or no scikit-learn."""
    sklearn = sys.modules.get("sklearn")
    if sklearn is None:
        return nullcontext()
    current = sklearn.get_config()
    if all(current[name] == value for name, value in _DEFAULTS.items()):
        return nullcontext()
    context: AbstractContextManager[None] = sklearn.config_context(**_DEFAULTS)
    return context
