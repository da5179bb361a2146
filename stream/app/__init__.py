"""
The composition root: settings in, a process out that serves until it is ended: the worker, or the REST service.

`stream.app.app` is the Faust app, built from `STREAM_CONFIG` (default `stream.toml`) when it is first asked
for, so that `faust -A stream.app worker` runs it and importing this module has no effect.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stream.lazy import lazy_face

if TYPE_CHECKING:
    from stream.app.address import claim_address
    from stream.app.container import in_container, models_folder
    from stream.app.engine_assembly import ScoringEngine, scoring_engine
    from stream.app.host import build_app, run_worker
    from stream.app.logs import set_up_logging
    from stream.app.multi_model import run_models
    from stream.app.reports import REPORT_S, sends_telemetry
    from stream.app.rest_process import run_rest
    from stream.app.vertex_container import in_vertex
    from stream.app.worker_parts import Parts, assemble
    from stream.app.worker_status import Rate

__all__ = [
    "REPORT_S",
    "Parts",
    "Rate",
    "ScoringEngine",
    "assemble",
    "build_app",
    "claim_address",
    "in_container",
    "in_vertex",
    "models_folder",
    "run_models",
    "run_rest",
    "run_worker",
    "scoring_engine",
    "sends_telemetry",
    "set_up_logging",
]

_find = lazy_face(__name__)


@cache
def _default_app() -> Any:
    from stream.app.host import build_app
    from stream.configuration import load_settings

    chosen = os.environ.get("STREAM_CONFIG")
    return build_app(load_settings(Path(chosen) if chosen else None, os.environ))


def __getattr__(name: str) -> Any:  # PEP 562
    return _default_app() if name == "app" else _find(name)
