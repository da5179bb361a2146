"""
How MLflow's client is told where its server is and who asks: by variables of the environment, which it reads at each
call. They are set while it is in use, and put back after that.
"""

from __future__ import annotations

import math
import os
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from stream.errors import SettingsError
from stream.extras import require
from stream.settings import MlflowSettings, Settings

__all__ = ["address_of", "configured", "without_access", "without_secrets"]

_LOCK = threading.RLock()
"""The environment is the process's."""

_REPEATS = 1
"""MLflow's own seven repeats take four minutes of a server that is gone."""

_ACCESS = ("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN")

_QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_DISABLE_AGENT_HINT": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_CONFIGURE_LOGGING": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_ALLOW_FILE_STORE": "true",  # whoever names a folder of runs means it
}
"""Unless they are set already: it calls nobody but its server, and says nothing but by exceptions."""


def without_access(environ: Mapping[str, str]) -> dict[str, str]:
    """An environment without what lets its owner in at the server."""
    return {name: value for name, value in environ.items() if name not in _ACCESS}


def address_of(settings: MlflowSettings) -> str:
    """
    Where the registry is; where that is a database, what it says of a password is left out.

    Raises: SettingsError when it is nowhere set, or holds a password.
    """
    tracking = settings.tracking_uri or os.environ.get("MLFLOW_TRACKING_URI", "")
    if not tracking:
        raise SettingsError(
            "[mlflow] tracking_uri: is not set, and neither is MLFLOW_TRACKING_URI: no server could be asked",
            hint='set it to the address of the MLflow server, such as "http://localhost:5000"',
        )
    address = settings.registry_uri or os.environ.get("MLFLOW_REGISTRY_URI", "") or tracking
    for key, value in (("tracking_uri", tracking), ("registry_uri", address)):
        if re.match(r"https?://[^/]*@", value, re.I):
            raise SettingsError(
                f"[mlflow] {key}: holds a user", hint="give `user` and `password`, or `token`, in [mlflow]"
            )
    return without_secrets(address)


def without_secrets(uri: str) -> str:
    """
    An address for people: without user and password, and without what a database's has after `?`.

    A database's password may hold `/` and `@` as they are: all until the last `@` is left out.
    """
    if re.match(r"https?://", uri, re.I):
        return re.sub(r"://[^/]*@", "://", uri)
    return re.sub(r"://.*@", "://", uri.partition("?")[0])


@contextmanager
def configured(settings: Settings) -> Iterator[tuple[str, str | None]]:
    """
    MLflow's environment as the settings have it, until the end of the block.

    Args:
        settings: the configuration.
    Yields: the tracking URI and the registry's; None where that is the same.
    Raises: SettingsError when no server is named, or the extra is not installed.
    Blocks while another thread uses it.
    """
    chosen = settings.mlflow
    address_of(chosen)
    require("a model of an MLflow server", "mlflow", "mlflow")
    tracking = chosen.tracking_uri or os.environ["MLFLOW_TRACKING_URI"]
    registry = chosen.registry_uri or os.environ.get("MLFLOW_REGISTRY_URI") or None
    with _LOCK:
        before = dict(os.environ)
        wanted = _variables(settings, tracking, registry)
        try:
            for name, value in wanted.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value
            yield tracking, registry
        finally:
            for name in wanted:
                if name in before:
                    os.environ[name] = before[name]
                else:
                    os.environ.pop(name, None)


def _variables(settings: Settings, tracking: str, registry: str | None) -> Mapping[str, str | None]:
    """By name; None: not to be set."""
    chosen = settings.mlflow
    found: dict[str, str | None] = {name: os.environ.get(name, value) for name, value in _QUIET.items()}
    found |= {
        "MLFLOW_TRACKING_URI": tracking,
        "MLFLOW_REGISTRY_URI": registry,
        "MLFLOW_HTTP_REQUEST_TIMEOUT": str(max(1, math.ceil(chosen.timeout))),
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": str(_REPEATS),
        "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "0",
        "MLFLOW_HTTP_RESPECT_RETRY_AFTER_HEADER": "false",  # an hour, of a server that is there in a minute
    }
    if chosen.user is not None or chosen.token is not None:
        given = (chosen.user, chosen.password, chosen.token)
        found |= {
            name: None if value is None else str(value) for name, value in zip(_ACCESS, given, strict=True)
        }
    if chosen.ca is not None:
        found["MLFLOW_TRACKING_SERVER_CERT_PATH"] = str(settings.path(chosen.ca))
    if chosen.certificate is not None:
        found["MLFLOW_TRACKING_CLIENT_CERT_PATH"] = str(settings.path(chosen.certificate))
    return found
