"""
The endpoints that Vertex AI asks for, at the paths that it chooses.

Source: cloud.google.com/vertex-ai/docs/predictions/custom-container-requirements.
"""

from __future__ import annotations

from starlette.routing import compile_path

from stream.rest.application import ENDPOINTS
from stream.rest.endpoint import Endpoint
from stream.rest.invocations import ping
from stream.rest.kserve_v1 import ENDPOINTS as KSERVE
from stream.rest.kserve_v1 import predict_instances
from stream.rest.live_page import LIVE_PATHS

__all__ = ["vertex_endpoints", "vertex_path_is_free"]

_HEALTH = ("/ping", "/health", "/v2/health/live", "/v2/health/ready")
_INVOCATIONS = "/invocations"
"""Paths whose own endpoints answer as Vertex AI expects it."""

_PREDICT = "/predict"
"""The path of most examples: where Vertex AI asks here, its requests are answered, and not our own rows."""

_OF_MODELS = tuple(one.path for one in KSERVE if "{name}" in one.path)
"""Paths that Vertex AI may choose with another name in them: they mean the one model that is here."""


def vertex_path_is_free(path: str, method: str) -> bool:
    """
    Whether Vertex AI may ask at a path.

    Args:
        path: begins with a slash.
        method: `GET` for its health check, `POST` for predictions.
    Returns: False where an endpoint that does something else has it.
    """
    if path in (_HEALTH if method == "GET" else (_INVOCATIONS, _PREDICT)):
        return True
    others = [one.path for one in ENDPOINTS if one.path not in _OF_MODELS]
    return (
        path != "/"
        and path not in LIVE_PATHS
        and not any(compile_path(other)[0].match(path) for other in others)
    )


def vertex_endpoints(health: str | None, predict: str | None) -> tuple[Endpoint, ...]:
    """
    The endpoints that are not there anyway.

    Args:
        health: path of the health check, which is free; None = none.
        predict: path of predictions, which is free; None = none.
    """
    found = []
    if health is not None and health not in _HEALTH:
        found.append(Endpoint("GET", health, ping, open=True))
    if predict is not None and predict != _INVOCATIONS:
        found.append(Endpoint("POST", predict, predict_instances))
    return tuple(found)
