"""
The composition root: settings in, a worker out.

`stream.app.app` is the Faust app, built from `STREAM_CONFIG` (default `stream.toml`) when it is first asked
for, so that `faust -A stream.app worker` runs it and importing this module has no effect.
"""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from typing import Any

from stream.app.config import load_settings
from stream.app.logs import set_up_logging

__all__ = ["build_app", "load_settings", "set_up_logging"]


@lru_cache(maxsize=1)
def _default_app() -> Any:
    chosen = os.environ.get("STREAM_CONFIG")
    return build_app(load_settings(Path(chosen) if chosen else None, os.environ))


def build_app(settings: Any) -> Any:
    """
    The Faust app for a configuration; nothing is connected yet.

    Args:
        settings: stream.settings.Settings.
    Raises: Refused when a setting, a schema or the model package can't be used.
    """
    from stream.app.host import create_app
    from stream.app.parts import assemble

    return create_app(assemble(settings))


def __getattr__(name: str) -> Any:  # PEP 562
    if name == "app":
        return _default_app()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
