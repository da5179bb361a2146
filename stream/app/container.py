"""
SageMaker's inference containers: `docker run IMAGE serve`, the model under `/opt/ml/model`.

Source: docs.aws.amazon.com/sagemaker, "Use your own inference code with hosting services".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from stream.app.address import port_of
from stream.settings import Settings

__all__ = ["ML", "in_container"]

BATCH_ROWS = 200_000
"""`[serve] queue_rows` in batch transform: nobody waits there, and short lines fill a payload by tens of thousands."""

ML = Path("/opt/ml")
"""Where SageMaker mounts a container's files."""


def in_container(
    settings: Settings, environ: Mapping[str, str], *, configured: bool, ml: Path = ML
) -> Settings:
    """
    The settings that SageMaker expects, when it runs this process.

    Args:
        settings: as loaded.
        environ: environment variables; what they set of [model] uri and [serve] is kept.
        configured: whether there is a configuration file; then it decides everything.
        ml: SageMaker's folder.
    Returns: settings whose model is the folder `model`, or the only subfolder of it that is a package, and which
        listen on all addresses and on the port that SageMaker names (usually 8080), and take more rows at a time in
        batch transform. Unchanged if there is no such folder.
    Raises: SettingsError when that port is none.
    """
    model = ml / "model"
    if configured or "STREAM_MODEL__URI" in environ or not model.is_dir():
        return settings
    inner = [path.parent for path in sorted(model.glob("*/current"))]
    found = inner[0] if len(inner) == 1 and not (model / "current").exists() else model
    serve = settings.serve
    if "STREAM_SERVE__HOST" not in environ:
        serve = replace(serve, host="0.0.0.0")  # SageMaker asks from outside the container
    if "STREAM_SERVE__PORT" not in environ:
        serve = replace(serve, port=port_of(environ, "SAGEMAKER_BIND_TO_PORT"))
    if environ.get("SAGEMAKER_BATCH", "").lower() == "true" and "STREAM_SERVE__QUEUE_ROWS" not in environ:
        serve = replace(serve, queue_rows=BATCH_ROWS)
    return replace(settings, serve=serve, model=replace(settings.model, uri=str(found)))
