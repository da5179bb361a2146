"""`stream serve`."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from pathlib import Path

import click

from stream.cli.options import config_option, model_option, opening_early, settings_of
from stream.extras import require
from stream.preload import collect_seldom

__all__ = ["serve"]


@click.command()
@model_option
@config_option
@click.option("--host", help="Address to listen on (default: [serve] host, 127.0.0.1).")
@click.option(
    "--port", type=click.IntRange(0, 65_535), help="Port to listen on (default: [serve] port, 8080)."
)
def serve(model: Path | None, config: Path | None, host: str | None, port: int | None) -> None:
    """
    Serve predictions over REST until SIGTERM or Ctrl-C; requests in flight are answered before it exits.

    It needs no Kafka and no stream.toml: --model is enough. /docs shows the model's fields, with an example to
    try. In a SageMaker container without a stream.toml it serves the package in /opt/ml/model, on all addresses;
    for a multi-model endpoint, the packages that it is asked to load (docs/sagemaker.md).
    In a Vertex AI container it answers on the port and paths that AIP_HTTP_PORT, AIP_HEALTH_ROUTE and
    AIP_PREDICT_ROUTE name, on all addresses.

    \b
    Example:
      stream serve --model models/flights --port 8080
    """
    # Until the server handles the signals, nothing has begun that must be finished.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: os._exit(0))
    require("this command", "rest", "starlette", "uvicorn", "httptools", "limits")
    collect_seldom()  # until it serves
    from stream.app import in_container, in_vertex, models_folder, run_models, run_rest, set_up_logging

    configured = model is not None or config is not None or Path("stream.toml").exists()
    settings = in_container(settings_of(config, model), os.environ, configured=configured)
    settings, more = in_vertex(settings, os.environ)
    serve = settings.serve
    port = serve.port if port is None else port  # 0 is a port too
    settings = replace(settings, serve=replace(serve, host=host or serve.host, port=port))
    if (many := models_folder(os.environ, configured=configured)) is not None:
        set_up_logging(settings.logging)
        run_models(settings, many)
        return
    opening = opening_early(settings)
    set_up_logging(settings.logging)
    run_rest(settings, opening, more)
