"""Running the Faust app as this process."""

from __future__ import annotations

import sys
from typing import Any, NoReturn

import faust

from stream.app.logs import logging_config
from stream.errors import Stopped
from stream.settings import Settings

__all__ = ["run_worker"]


def run_worker(app: Any, settings: Settings) -> NoReturn:
    """
    Run a worker until a signal or its engine's end, then exit.

    Args:
        app: what `create_app` made.
        settings: for the log.
    Exits 0 after SIGTERM or SIGINT, 1 when the engine ended by itself.
    """
    worker = faust.Worker(
        app,
        loglevel=settings.logging.level.upper(),
        logging_config=logging_config(settings.logging),
        redirect_stdouts=False,
        stdout=sys.stderr,
        stderr=sys.stderr,
        quiet=True,
    )
    worker.execute_from_commandline()
    raise Stopped("the worker's loop returned")
