"""Where the runs of trainings go: a URI of the command line, or that of the settings."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from urllib.parse import unquote, urlsplit

from stream.errors import SettingsError
from stream.extras import require
from stream.mlflow import without_secrets
from stream.settings import Secret, Settings

__all__ = ["tracking_settings"]

_SERVER = re.compile(r"https?://[^/@]+(/|\Z)", re.I)
_DATABASE = re.compile(r"(sqlite|postgresql|mysql|mssql)(\+\w+)?://")
_OTHER = re.compile(r"(file:|databricks(://|\Z)|arn:)")
"""A folder, and what plugins of MLflow's client take."""

_FORMS = "give http://HOST:PORT, sqlite:///FILE or file:FOLDER"


def tracking_settings(settings: Settings, uri: str | None) -> Settings:
    """
    The settings by which a training is tracked.

    Args:
        settings: the command's.
        uri: of `--track`, which may hold a user and a password; None for that of the settings.
    Returns: the settings with that URI as `[mlflow] tracking_uri`, user and password apart from it.
    Raises: SettingsError when it is no such URI, none is given at all, or something that it needs is not installed.
    """
    if uri is None:
        uri = settings.mlflow.tracking_uri or os.environ.get("MLFLOW_TRACKING_URI", "")
        place = "[mlflow] tracking_uri"
        if not uri:
            raise SettingsError(
                "--experiment and --register need an MLflow server, and none is named",
                hint="give --track http://HOST:PORT, or set [mlflow] tracking_uri",
            )
    else:
        place = "--track"
    require("tracking a training", "mlflow", "mlflow")
    chosen = settings.mlflow
    address, user, password = _apart(uri)
    if user is not None:
        chosen = replace(chosen, user=user, password=Secret(password), token=None)
    if _DATABASE.match(address):
        require("a database as the place of runs", "mlflow", "sqlalchemy", "alembic")
    elif not _SERVER.match(address) and not _OTHER.match(address):
        raise SettingsError(
            f"{place}: {without_secrets(address)!r} is not the address of an MLflow server", hint=_FORMS
        )
    return replace(settings, mlflow=replace(chosen, tracking_uri=address))


def _apart(uri: str) -> tuple[str, str | None, str]:
    """A server's address, the user and the password; a database's URI is left as it is, for its own library."""
    if not re.match(r"https?://", uri, re.I):
        return uri, None, ""
    try:
        parts = urlsplit(uri)
        port = parts.port
    except ValueError:
        return without_secrets(uri), None, ""
    if parts.username is None:
        return uri, None, ""
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
    netloc = host if port is None else f"{host}:{port}"
    return parts._replace(netloc=netloc).geturl(), unquote(parts.username), unquote(parts.password or "")
