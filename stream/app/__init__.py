"""
The composition root: settings in, a process out that serves until it is ended: the worker, or the REST service.

`stream.app.app` is the Faust app, built from `STREAM_CONFIG` (default `stream.toml`) when it is first asked
for, so that `faust -A stream.app worker` runs it and importing this module has no effect.
"""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stream.app.logs import set_up_logging
from stream.configuration import load_settings
from stream.lazy import lazy_face

if TYPE_CHECKING:
    from stream.app.child_python import child_command, child_environ
    from stream.app.container import in_container
    from stream.app.rest_process import Rest, build_rest, run_rest, with_address
    from stream.app.worker_parts import Parts, assemble
    from stream.app.worker_process import run_worker
    from stream.app.worker_status import Rate

__all__ = [
    "Parts",
    "Rate",
    "Rest",
    "assemble",
    "build_app",
    "build_rest",
    "child_command",
    "child_environ",
    "in_container",
    "run_rest",
    "run_worker",
    "set_up_logging",
    "with_address",
]

_find = lazy_face(
    __name__,
    {
        "Parts": "worker_parts",
        "Rate": "worker_status",
        "Rest": "rest_process",
        "assemble": "worker_parts",
        "build_rest": "rest_process",
        "child_command": "child_python",
        "child_environ": "child_python",
        "in_container": "container",
        "run_rest": "rest_process",
        "run_worker": "worker_process",
        "with_address": "rest_process",
    },
)


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
    from stream.app.worker_parts import assemble

    return create_app(assemble(settings))


def __getattr__(name: str) -> Any:  # PEP 562
    return _default_app() if name == "app" else _find(name)
