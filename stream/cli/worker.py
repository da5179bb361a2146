"""`stream worker`."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import click

from stream.cli.options import config_option, opening_early, settings_of
from stream.preload import collect_seldom

__all__ = ["worker"]


@click.command()
@config_option
def worker(config: Path | None) -> None:
    """
    Run the worker for stream.toml until SIGTERM or Ctrl-C.

    It reads the input topic, scores its records with the model, writes predictions and dead letters, and
    serves health, metrics and status on [web] host and port.

    \b
    Example:
      stream worker --config stream.toml
    """
    # Until Faust handles the signals, seconds from now, nothing has begun that must be finished.
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    collect_seldom()  # until the engine begins, which has a measure of its own
    settings = settings_of(config)
    opening = opening_early(settings)
    from stream.app import build_app, run_worker, set_up_logging

    set_up_logging(settings.logging)
    run_worker(build_app(settings, opening), settings)
