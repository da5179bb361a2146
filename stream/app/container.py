"""
SageMaker's inference containers: `docker run IMAGE serve`, the model under `/opt/ml/model`.

Source: docs.aws.amazon.com/sagemaker, "Use your own inference code with hosting services".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from stream.app.address import port_of
from stream.settings import Seconds, Settings

__all__ = ["ML", "in_container", "models_folder", "package_in"]

BATCH_ROWS = 200_000
"""`[serve] queue_rows` in batch transform: nobody waits there, and short lines fill a payload by tens of thousands."""

DRAIN_S = Seconds(25.0)
"""`[serve] drain_timeout`: SageMaker kills the process 30 s after SIGTERM."""

ML = Path("/opt/ml")
"""Where SageMaker mounts a container's files."""

BASE_VARIABLE = "SAGEMAKER_BASE_DIR"
"""Environment variable that names another folder, as for `train`."""


def in_container(
    settings: Settings, environ: Mapping[str, str], *, configured: bool, ml: Path | None = None
) -> Settings:
    """
    The settings that SageMaker expects, when it runs this process.

    Args:
        settings: as loaded.
        environ: environment variables; what they set of [model] uri and [serve] is kept.
        configured: whether there is a configuration file; then it decides everything.
        ml: SageMaker's folder; None: what the variable SAGEMAKER_BASE_DIR says, or /opt/ml.
    Returns: settings whose model is the folder `model`, or the only subfolder of it that is a package, and which
        listen on all addresses and on the port that SageMaker names (usually 8080), take more rows at a time in
        batch transform, and end before it kills the process. Unchanged if there is no such folder.
    Raises: SettingsError when that port is none.
    """
    ml = ml or _ml(environ)
    model, many = ml / "model", models_folder(environ, configured=configured, ml=ml) is not None
    if configured or "STREAM_MODEL__URI" in environ or not (many or model.is_dir()):
        return settings
    serve = settings.serve
    if "STREAM_SERVE__HOST" not in environ:
        serve = replace(serve, host="0.0.0.0")  # SageMaker asks from outside the container
    if "STREAM_SERVE__PORT" not in environ:
        serve = replace(serve, port=port_of(environ, "SAGEMAKER_BIND_TO_PORT"))
    if "STREAM_SERVE__DRAIN_TIMEOUT" not in environ:
        serve = replace(serve, drain_timeout=DRAIN_S)
    if environ.get("SAGEMAKER_BATCH", "").lower() == "true" and "STREAM_SERVE__QUEUE_ROWS" not in environ:
        serve = replace(serve, queue_rows=BATCH_ROWS)
    settings = replace(settings, serve=serve)
    return settings if many else replace(settings, model=replace(settings.model, uri=str(package_in(model))))


def models_folder(environ: Mapping[str, str], *, configured: bool, ml: Path | None = None) -> Path | None:
    """
    Args: as `in_container` has them.
    Returns: where SageMaker puts the packages of a multi-model endpoint; None where this process is to serve one.
    """
    many = environ.get("SAGEMAKER_MULTI_MODEL", "").lower() == "true"
    return (
        (ml or _ml(environ)) / "models"
        if many and not configured and "STREAM_MODEL__URI" not in environ
        else None
    )


def _ml(environ: Mapping[str, str]) -> Path:
    return Path(environ.get(BASE_VARIABLE) or ML)


def package_in(folder: Path) -> Path:
    """A folder that an archive was unpacked to, or its only subfolder that is a package: `tar` of it has its name."""
    inner = [path.parent for path in sorted(folder.glob("*/current"))]
    return inner[0] if len(inner) == 1 and not (folder / "current").exists() else folder
