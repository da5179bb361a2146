"""Running the Faust app as this process."""

from __future__ import annotations

import socket
import sys
from typing import Any, NoReturn

import faust

from stream.app.logs import logging_config
from stream.errors import SettingsError, Stopped
from stream.settings import Settings, WebSettings

__all__ = ["run_worker"]


def run_worker(app: Any, settings: Settings) -> NoReturn:
    """
    Run a worker until a signal or its engine's end, then exit.

    Args:
        app: what `create_app` made.
        settings: for the log.
    Raises: SettingsError when something else listens on the web's port; nothing was started.
    Exits 0 after SIGTERM or SIGINT, 1 when the engine ended by itself.
    """
    _claim(settings.web)
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


def _claim(web: WebSettings) -> None:
    """Check that the web's port is free; Faust would notice only after the start, with a traceback."""
    try:
        with socket.create_server((web.host, web.port)):
            return
    except OSError as error:
        raise SettingsError(
            f"[web] port: can't listen on {web.host}:{web.port}: {error.strerror or error}",
            hint="give each worker of a machine its own port: [web] port, or STREAM_WEB__PORT",
        ) from error
