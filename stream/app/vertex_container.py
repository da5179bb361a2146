"""
Vertex AI's containers: it says in variables at which port and paths it asks.

Source: cloud.google.com/vertex-ai/docs/predictions/custom-container-requirements, "Environment variables".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from stream.app.address import port_of
from stream.errors import SettingsError
from stream.rest import Endpoint, vertex_endpoints, vertex_path_is_free
from stream.settings import Settings
from stream.shown import shown

__all__ = ["in_vertex"]

PORT, HEALTH, PREDICT = "AIP_HTTP_PORT", "AIP_HEALTH_ROUTE", "AIP_PREDICT_ROUTE"

_PATH = re.compile(r"/[A-Za-z0-9._~!$&'()*+,;=:@/-]*")
"""A path of a URL without what stands for other characters, a query or a fragment."""

_MOST_PATH = 2_000
"""Characters; a head of 64 KiB holds it."""


def in_vertex(settings: Settings, environ: Mapping[str, str]) -> tuple[Settings, tuple[Endpoint, ...]]:
    """
    The settings and endpoints that Vertex AI expects, when it runs this process.

    Args:
        settings: as loaded.
        environ: environment variables; what they set of [serve] is kept.
    Returns: settings with its port, and on all addresses, since it asks from outside the container; and the endpoints
        at its paths. Unchanged, and none, where it does not run this process.
    Raises: SettingsError naming the variable.
    """
    serve = settings.serve
    if PORT in environ:
        port = port_of(environ, PORT)
        if "STREAM_SERVE__PORT" not in environ:
            serve = replace(serve, port=port)
        if "STREAM_SERVE__HOST" not in environ:
            serve = replace(serve, host="0.0.0.0")  # it asks from outside the container
    endpoints = vertex_endpoints(_path(environ, HEALTH, "GET"), _path(environ, PREDICT, "POST"))
    return replace(settings, serve=serve), endpoints


def _path(environ: Mapping[str, str], name: str, method: str) -> str | None:
    """The path that a variable holds; None where it is not set."""
    path = environ.get(name)
    if path is None:
        return None
    if not _PATH.fullmatch(path) or len(path) > _MOST_PATH:
        raise SettingsError(
            f"{name}: expected a path such as /vertex/predict, found {shown(repr(path), 200)}",
            hint="it begins with a slash, and has letters, digits and -._~:@ besides slashes",
        )
    if not vertex_path_is_free(path, method):
        raise SettingsError(
            f"{name}: {path} is one of this service's own paths, which takes or answers something else",
            hint="choose another, such as /vertex/health and /vertex/predict, where the model is uploaded",
        )
    return path
